/*
 * image_scan: which of many short strings of bytes stand anywhere in a file
 * or on a device, at any place.
 *
 *   image_scan FILE MARKERS...
 *   image_scan --sectors BEFORE NOW
 *
 * MARKERS: lines "WORD HEX", 8 to 32 bytes. It prints "found WORD N OFFSET"
 * (N markers of that word, the place of one of them) and at last
 * "scanned BYTES bytes for N markers: F found". A marker is also looked for as
 * hexadecimal text, as logs would show it; that is "found WORD-as-text".
 *
 * --sectors prints, for each sector of 512 bytes of a slot file that was not
 * empty BEFORE, a marker: its wrapped key, as "gone" if the sector is another
 * NOW, as "kept" if it is the same.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARKER_MIN 8
#define MARKER_MAX 32
#define WORDS_MAX 64
#define WORD_MAX 32
#define BUCKETS (1u << 20)
#define SECTOR 512
/* A sector of a slot file: generation 8, nonce 24, wrapped key 48, MAC. */
#define WRAP_AT 32
#define WRAP_PART 16

struct marker {
	uint8_t b[MARKER_MAX];
	size_t n;
	unsigned int word;
	bool found;
	struct marker *next;		/* of its bucket */
};

struct scan {
	struct marker **bucket;
	char word[WORDS_MAX][WORD_MAX + sizeof "-as-text"];
	size_t found[WORDS_MAX];
	uint64_t at[WORDS_MAX];
	unsigned int words;
	size_t markers;			/* as given, texts not counted */
};

static void
die(const char *what)
{
	perror(what);
	exit(2);
}

static uint32_t
bucket_of(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return (uint32_t)((v * UINT64_C(0x9e3779b97f4a7c15)) >> 44);
}

static unsigned int
word_of(struct scan *s, const char *word, const char *tail)
{
	char name[sizeof s->word[0]];
	unsigned int i;

	(void)snprintf(name, sizeof name, "%s%s", word, tail);
	for (i = 0; i < s->words; i++)
		if (strcmp(s->word[i], name) == 0)
			return i;
	if (s->words == WORDS_MAX) {
		fputs("image_scan: too many words\n", stderr);
		exit(2);
	}
	strcpy(s->word[s->words], name);
	return s->words++;
}

static void
add(struct scan *s, unsigned int word, const uint8_t *b, size_t n)
{
	struct marker *m = calloc(1, sizeof *m), **at;

	if (m == NULL)
		die("memory");
	memcpy(m->b, b, n);
	m->n = n;
	m->word = word;
	at = &s->bucket[bucket_of(b)];
	m->next = *at;
	*at = m;
}

/* One line; as text only what is too long to stand there by chance. */
static void
add_line(struct scan *s, const char *word, const char *hex)
{
	const size_t n = strlen(hex) / 2;
	uint8_t b[MARKER_MAX];
	unsigned int v;

	if (n < MARKER_MIN || n > MARKER_MAX) {
		fprintf(stderr, "image_scan: marker of %zu bytes\n", n);
		exit(2);
	}
	for (size_t i = 0; i < n; i++) {
		if (sscanf(hex + 2 * i, "%2x", &v) != 1)
			die(hex);
		b[i] = (uint8_t)v;
	}
	add(s, word_of(s, word, ""), b, n);
	s->markers++;
	add(s, word_of(s, word, "-as-text"), (const uint8_t *)hex,
	    2 * n < MARKER_MAX ? 2 * n : MARKER_MAX);
}

static void
load(struct scan *s, const char *path)
{
	char word[WORD_MAX + 1], hex[2 * MARKER_MAX + 2];
	FILE *f = fopen(path, "r");

	if (f == NULL)
		die(path);
	while (fscanf(f, "%32s %65s", word, hex) == 2)
		add_line(s, word, hex);
	(void)fclose(f);
}

static void
look(struct scan *s, const uint8_t *p, uint64_t left, uint64_t offset)
{
	for (struct marker *m = s->bucket[bucket_of(p)]; m != NULL;
	    m = m->next) {
		if (m->found || m->n > left || memcmp(m->b, p, m->n) != 0)
			continue;
		m->found = true;
		s->found[m->word]++;
		s->at[m->word] = offset;
	}
}

static const uint8_t *
map(const char *path, uint64_t *n)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *p = MAP_FAILED;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		die(path);
	*n = (uint64_t)st.st_size;
	if (*n > 0)
		p = mmap(NULL, *n, PROT_READ, MAP_PRIVATE, fd, 0);
	(void)close(fd);
	if (*n > 0 && p == MAP_FAILED)
		die(path);
	return p;
}

static int
scan(struct scan *s, const char *path)
{
	size_t found = 0;
	uint64_t n;
	const uint8_t *p = map(path, &n);

	for (uint64_t i = 0; i + MARKER_MIN <= n; i++)
		look(s, p + i, n - i, i);
	for (unsigned int i = 0; i < s->words; i++) {
		if (s->found[i] > 0)
			printf("found %s %zu %" PRIu64 "\n", s->word[i],
			    s->found[i], s->at[i]);
		found += s->found[i];
	}
	printf("scanned %" PRIu64 " bytes for %zu markers: %zu found\n", n,
	    s->markers, found);
	return 0;
}

static int
sectors(const char *before, const char *now)
{
	static const uint8_t empty[WRAP_PART];
	uint64_t n, m;
	const uint8_t *b = map(before, &n), *a = map(now, &m);

	if (n != m || n % SECTOR != 0) {
		fputs("image_scan: not the same size\n", stderr);
		return 2;
	}
	/* The first is the head. */
	for (uint64_t i = SECTOR; i < n; i += SECTOR) {
		if (memcmp(b + i + WRAP_AT, empty, WRAP_PART) == 0)
			continue;
		fputs(memcmp(b + i, a + i, SECTOR) == 0 ? "kept " : "gone ",
		    stdout);
		for (size_t j = 0; j < WRAP_PART; j++)
			printf("%02x", (unsigned int)b[i + WRAP_AT + j]);
		putchar('\n');
	}
	return 0;
}

int
main(int argc, char **argv)
{
	static struct scan s;

	if (argc == 4 && strcmp(argv[1], "--sectors") == 0)
		return sectors(argv[2], argv[3]);
	if (argc < 3) {
		fputs("usage: image_scan FILE MARKERS...\n"
		    "       image_scan --sectors BEFORE NOW\n", stderr);
		return 2;
	}
	if ((s.bucket = calloc(BUCKETS, sizeof *s.bucket)) == NULL)
		die("memory");
	for (int i = 2; i < argc; i++)
		load(&s, argv[i]);
	return scan(&s, argv[1]);
}
