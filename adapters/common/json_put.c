#include "adapters/common/json_put.h"

#include <kortelijn/base/time.h>

void
json_put_text(json_t *o, const char *key, const char *text)
{
	if (text[0] != '\0')
		(void)json_object_set_new(o, key, json_string(text));
}

void
json_put_time(json_t *o, const char *key, int64_t at_ms)
{
	if (at_ms != 0)
		json_put_text(o, key, kl_time_text(at_ms).b);
}

void
json_put_number(json_t *o, const char *key, uint64_t v)
{
	(void)json_object_set_new(o, key, json_integer((json_int_t)v));
}

void
json_put_bool(json_t *o, const char *key, bool v)
{
	(void)json_object_set_new(o, key, json_boolean(v));
}
