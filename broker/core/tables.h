/*
 * tables.h: the tables of the broker's store, by the first byte of the key.
 * What is in clear here may stay readable on the disk for ever: ids appear
 * only as keyed hashes.
 */
#ifndef CORE_TABLES_H
#define CORE_TABLES_H

enum core_table {
	T_META = 'm',		/* name -> counters, tree, origin */
	T_MONTH = 'K',		/* month (4) -> slot (4) */
	T_LEAF = 'L',		/* index (8) -> hash, month, sealed record */
	T_SUMMARY = 'J',	/* leaf / 256 (8), month (4) -> sealed */
	T_NODE = 'N',		/* level (1), index (8) -> hash of a subtree */
	T_DIRECTORY = 'G',	/* number (8) -> statement (4), packed Signed */
	T_PARTICIPANT = 'P',	/* id (24) -> instance, epoch, ... */
	T_CONV = 'V',		/* tag of conv_id -> slot, sealed */
	T_BODY = 'D',		/* slot (4) of conv -> sealed signed REFERRAL;
				 * and tag of a former one, with children */
	T_PARENT = 'U',		/* tag of a REFERRAL's body -> tag of conv */
	T_CHILD = 'H',		/* the same tag, child's tag -> tag of conv */
	T_SPOKEN = 'S',		/* tag of a spoken reference -> of conv */
	T_MESSAGE = 'M',	/* tag of msg_id -> state, slot, sealed */
	T_BLOB = 'B',		/* slot (4) -> sealed envelope, ciphertext */
	T_ITEM = 'I',		/* participant (4), item (8) -> it */
	T_TIMER = 'X',		/* time (8), sort (1), tag -> none */
	T_ERASING = 'Z',	/* slot (4) -> tags of message and conv; more */
	T_SHOWN = 'W',		/* tag of a body -> slot, sealed receipt */
	T_EXPORT = 'A',		/* month (4) -> leaves, what is in its file;
				 * 0: leaves looked at, when it was done */
	T_MARKER = 'E',		/* tag of a forgotten conv_id -> none */
	T_WRITTEN = 'Y',	/* tags of conv, of a message of it -> none */
	T_WITHDRAWAL = 'R',	/* tag of conv, scope (1) -> slot, sealed */
	T_WITNESS = 'F',	/* id (24) of a witness -> note with its line */
	T_DAILY = 'C',		/* day (4) -> a checkpoint of it */
	T_OWED = 'Q',		/* tags of conv, of who owes what -> sealed */
};

/* Behind the tags of T_ERASING: the slot is read back when it was zeroed. */
#define ERASING_READ_BACK 1

/* Of one row of T_SUMMARY: those that stand under one node of the tree. */
#define SUMMARY_LEAVES 256

#endif
