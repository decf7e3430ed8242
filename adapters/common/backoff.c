#include "adapters/common/backoff.h"

int64_t
backoff_ms(uint32_t attempts, uint32_t at_least_ms)
{
	int64_t wait = BACKOFF_FIRST_MS;

	for (uint32_t i = 0; i < attempts && wait < BACKOFF_LAST_MS; i++)
		wait *= 2;
	if (wait > BACKOFF_LAST_MS)
		wait = BACKOFF_LAST_MS;
	return wait < at_least_ms ? at_least_ms : wait;
}
