#include <kortelijn/base/origin.h>

#include <stdio.h>
#include <string.h>

#include <kortelijn/base/time.h>

/* "20261124T234512Z-7K3MQ9VD" */
#define TIME_CHARS 16
#define LETTERS 8
#define TAIL_CHARS (TIME_CHARS + 1 + LETTERS)

/* What is behind the last slash if it has the form, else NULL. */
static const char *
tail_of(const char *origin)
{
	static const char form[] = "00000000T000000Z-";
	const char *slash = strrchr(origin, '/');
	const char *tail = slash == NULL ? origin : slash + 1;

	if (strlen(tail) != TAIL_CHARS)
		return NULL;
	for (size_t i = 0; i < sizeof form - 1; i++)
		if (form[i] == '0' ? tail[i] < '0' || tail[i] > '9' :
		    tail[i] != form[i])
			return NULL;
	return strspn(tail + TIME_CHARS + 1, kl_letters) == LETTERS ? tail :
	    NULL;
}

static int
number(const char *p, size_t n)
{
	int v = 0;

	while (n-- > 0)
		v = 10 * v + (*p++ - '0');
	return v;
}

int
kl_origin_began(const char *origin, int64_t *at_ms)
{
	const char *t = tail_of(origin);
	int hour, minute, second;
	char day[11];
	int32_t d;

	*at_ms = 0;
	if (t == NULL)
		return KL_E_FORMAT;
	(void)snprintf(day, sizeof day, "%.4s-%.2s-%.2s", t, t + 4, t + 6);
	hour = number(t + 9, 2);
	minute = number(t + 11, 2);
	second = number(t + 13, 2);
	if (kl_day_read(day, &d) != KL_OK || hour > 23 || minute > 59 ||
	    second > 59)
		return KL_E_FORMAT;
	*at_ms = kl_day_start_ms(d) + hour * KL_HOUR_MS +
	    minute * KL_MINUTE_MS + second * KL_SECOND_MS;
	return KL_OK;
}

bool
kl_origin_older(const char *a, const char *b)
{
	const char *at = tail_of(a), *bt = tail_of(b);

	if (at == NULL || bt == NULL)
		return at == NULL && bt != NULL;
	/* Fixed width, largest unit first. */
	return strcmp(at, bt) < 0;
}

struct kl_origin
kl_origin_make(const struct kl_id *broker, int64_t now_ms,
    const char *before, const uint8_t bits[5])
{
	struct kl_id_text id = kl_id_text(broker);
	char *colon = strchr(id.b, ':');
	struct kl_time_text t;
	struct kl_origin o;
	int64_t began_ms;

	if (colon != NULL)
		*colon = '-';
	if (kl_origin_began(before, &began_ms) == KL_OK &&
	    now_ms < began_ms + KL_SECOND_MS)
		now_ms = began_ms + KL_SECOND_MS;
	t = kl_time_text(now_ms);
	(void)snprintf(o.b, sizeof o.b,
	    "%s/log/%.4s%.2s%.2sT%.2s%.2s%.2sZ-%.8s", id.b, t.b,
	    t.b + 5, t.b + 8, t.b + 11, t.b + 14, t.b + 17,
	    kl_spoken_make(bits).b);
	return o;
}
