/*
 * suppress.h: which counts of a table of people may be shown. A count below
 * the limit is hidden, zero too; and with it as many others, totals among
 * them, as it takes that it cannot be computed from what is shown.
 *
 * The table is a net: a cell is an edge between two nodes, and at every node
 * as much goes in as goes out. A total goes into a node and the parts of it go
 * out, or the other way round; so rows, columns, their totals and lists that
 * share a total are all one net. What a reader can say of a hidden cell is
 * then exactly how far it can move while nothing that is shown changes: how
 * much more of it the hidden cells can lead back to where it begins, and how
 * much less. Below, that distance is its room.
 *
 *	- Every hidden cell has a room of at least the limit.
 *	- One below the limit also has that room for an organisation that knows
 *	  its own cells, whichever it is, if there are organisations enough for
 *	  that at all.
 *
 * Hiding more only widens a room, so the order does not matter for what holds
 * at the end. With the same numbers the answer is always the same, and that of
 * a higher limit hides all that a lower one hides: no two answers about one
 * table tell more than each of them.
 */
#ifndef PROTO_AUDIT_SUPPRESS_H
#define PROTO_AUDIT_SUPPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kortelijn/base/err.h>

#define AUDIT_SUPPRESS_LEAST 10		/* DOMAIN P53 as it is shipped */
#define AUDIT_SUPPRESS_MOST 1000	/* a higher limit hides everything */
#define AUDIT_SUPPRESS_CELLS_MAX 65536
#define AUDIT_SUPPRESS_NODES_MAX 4096
#define AUDIT_SUPPRESS_COUNT_MAX 100000000

struct audit_suppress_cell {
	uint32_t from, to;	/* nodes, from 0 */
	uint32_t owner;		/* the organisation that knows it; 0: none */
	uint32_t value;
	bool total;		/* rather hide another one */
	bool hidden;		/* the answer */
};

/*
 * Sets `hidden` of each cell for the limit `below`, which counts as
 * AUDIT_SUPPRESS_LEAST when it is less. KL_E_VALUE: more nodes, cells or people
 * than above, or at some node not as much goes in as goes out; KL_E_MEMORY.
 */
int audit_suppress(struct audit_suppress_cell *cells, size_t n,
    uint32_t nodes, uint32_t below) KL_MUST_CHECK;

/*
 * The room of cell i as the cells are hidden now, for a reader who knows what
 * is shown and the cells of `insider` (0: none); at most `most`. 0 for a cell
 * that is shown. Errors as above.
 */
int audit_suppress_room(const struct audit_suppress_cell *cells, size_t n,
    uint32_t nodes, size_t i, uint32_t insider, uint32_t most,
    uint32_t *room) KL_MUST_CHECK;

#endif
