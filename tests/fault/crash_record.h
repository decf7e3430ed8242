/*
 * crash_record.h: what a process does to the files of one directory, in order:
 * every write, sync, name, and in between whatever the test says of itself.
 * The calls are caught before the C library's own.
 */
#ifndef TESTS_FAULT_CRASH_RECORD_H
#define TESTS_FAULT_CRASH_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RECORD_NAME 32
#define RECORD_FILES 1024

enum record_kind {
	RECORD_WRITE,		/* file, at, p, n */
	RECORD_WRITTEN,		/* the write before was O_DSYNC: it is there */
	RECORD_SYNC,		/* file */
	RECORD_CREATE,		/* name of file */
	RECORD_RENAME,		/* name, to */
	RECORD_UNLINK,		/* name */
	RECORD_SYNC_NAMES,	/* the directory */
	RECORD_NOTE,		/* number: of the test's own */
	RECORD_SENT,		/* something left the process */
};

struct record_event {
	enum record_kind kind;
	int file;
	off_t at;
	uint8_t *p;
	size_t n;
	char name[RECORD_NAME], to[RECORD_NAME];
	uint64_t number;
};

/* A file as it was when the recording began, all of it synced. */
struct record_file {
	char name[RECORD_NAME];
	uint8_t *p;
	size_t n;
};

/* From now on, for the files in `dir` but those that end in "-lock", ".sock"
 * or "-lock.new". */
void record_begin(const char *dir);
void record_end(void);
void record_note(uint64_t number);

/* Syncs of this file do nothing from now on; NULL: all do. A bug that must be
 * found. */
void record_break_sync(const char *name);

const struct record_event *record_events(size_t *n);
/* The files of the beginning; their index is the file of the events. */
const struct record_file *record_files(size_t *n);

#endif
