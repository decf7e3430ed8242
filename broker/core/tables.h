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
	T_LEAF = 'L',		/* index (8) -> leaf hash, month, sealed record */
	T_NODE = 'N',		/* level (1), index (8) -> hash of a subtree */
	T_DIRECTORY = 'G',	/* number (8) -> statement (4), packed Signed */
	T_PARTICIPANT = 'P',	/* id (24) -> number, instance, epoch, ... */
	T_CONV = 'V',		/* tag of conv_id -> slot, sealed conversation */
	T_PARENT = 'U',		/* tag of a REFERRAL's body hash -> tag of conv_id */
	T_CHILD = 'H',		/* the same tag, child's tag -> nothing */
	T_SPOKEN = 'S',		/* tag of a spoken reference -> tag of conv_id */
	T_MESSAGE = 'M',	/* tag of msg_id -> state, slot, sealed message */
	T_BLOB = 'B',		/* tag of msg_id -> sealed envelope and ciphertext */
	T_ITEM = 'I',		/* participant (4), item (8) -> what waits */
	T_TIMER = 'X',		/* time (8), sort (1), tag -> nothing */
	T_ERASING = 'Z',	/* slot (4) -> tags of message and conversation */
	T_MARKER = 'E',		/* tag of an ended, forgotten conv_id -> nothing */
};

#endif
