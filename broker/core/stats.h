/*
 * stats.h: what core did since its start, for status.
 */
#ifndef CORE_STATS_H
#define CORE_STATS_H

#include <stddef.h>
#include <stdint.h>

#define STATS_REQUESTS 12	/* by enum kl_request; 0: unreadable */
#define STATS_CODES 160		/* by enum kl_code; above: counted as 0 */

struct stats {
	int64_t started_ms;
	uint64_t request[STATS_REQUESTS];
	uint64_t answer[STATS_CODES];
	uint64_t turns, turn_requests_max;
	uint64_t undone;	/* turns */
	uint64_t unsent;	/* answers that edge did not take */
	uint64_t held, wakes;	/* FETCHes that waited; that then got mail */
	uint64_t refilled;	/* slots */
};

void stats_answered(struct stats *s, uint32_t request, uint32_t code);
void stats_turn(struct stats *s, size_t requests);
uint64_t stats_refused(const struct stats *s);

#endif
