#include "broker/core/stats.h"

#include <kortelijn/base/code.h>

void
stats_answered(struct stats *s, uint32_t request, uint32_t code)
{
	s->request[request < STATS_REQUESTS ? request : 0]++;
	s->answer[code < STATS_CODES ? code : 0]++;
}

void
stats_turn(struct stats *s, size_t requests)
{
	s->turns++;
	if (requests > s->turn_requests_max)
		s->turn_requests_max = requests;
}

uint64_t
stats_refused(const struct stats *s)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < STATS_CODES; i++)
		if (i != KL_C_OK)
			n += s->answer[i];
	return n;
}
