#include "broker/ctl/contacts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/host/fs.h>

#include "broker/ctl/paper.h"

#define FILE_MAX (512u << 10)

bool
contacts_phone_ok(const char *phone)
{
	size_t digits = 0;

	if (strlen(phone) >= CONTACTS_PHONE_MAX ||
	    phone[strspn(phone, "+0123456789 -()")] != '\0' ||
	    (phone[0] != '\0' && strrchr(phone, '+') > phone))
		return false;
	for (; *phone != '\0'; phone++)
		digits += *phone >= '0' && *phone <= '9';
	return digits >= 3;
}

/* "" where there is no such file. */
static int
text_read(const char *dir, struct paper_path *path, char **text, size_t *n)
{
	int r = paper_path(dir, "contacts", path);

	*text = NULL;
	*n = 0;
	if (r == KL_OK)
		r = kl_fs_read_file(AT_FDCWD, path->b, FILE_MAX, text, n);
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

static bool
line_is(const char *line, size_t n, const char *id)
{
	const size_t len = strlen(id);

	return n > len && memcmp(line, id, len) == 0 && line[len] == ' ';
}

struct contacts_phone
contacts_get(const char *config_dir, const char *id)
{
	struct contacts_phone phone = { "" };
	struct paper_path path;
	const char *line;
	char *text;
	size_t n, len;

	if (text_read(config_dir, &path, &text, &n) != KL_OK)
		return phone;
	for (line = text; line != NULL && *line != '\0'; line += len) {
		len = strcspn(line, "\n");
		if (line_is(line, len, id))
			(void)snprintf(phone.b, sizeof phone.b, "%.*s",
			    (int)(len - strlen(id) - 1),
			    line + strlen(id) + 1);
		len += line[len] == '\n';
	}
	kl_fs_read_free(text, n);
	if (!contacts_phone_ok(phone.b))
		phone.b[0] = '\0';
	return phone;
}

/* All other lines as they are, then this one. */
static void
text_make(struct kl_writer *w, const char *text, const char *id,
    const char *phone)
{
	const char *line;
	size_t len;

	for (line = text; line != NULL && *line != '\0'; line += len) {
		len = strcspn(line, "\n");
		if (len > 0 && !line_is(line, len, id)) {
			kl_put(w, line, len);
			kl_put_u8(w, '\n');
		}
		len += line[len] == '\n';
	}
	if (phone[0] == '\0')
		return;
	kl_put_bytes(w, kl_bytes_str(id));
	kl_put_u8(w, ' ');
	kl_put_bytes(w, kl_bytes_str(phone));
	kl_put_u8(w, '\n');
}

int
contacts_put(const char *config_dir, const char *id, const char *phone)
{
	struct paper_path path;
	struct kl_writer w;
	char *text, *out;
	size_t n;
	int r = text_read(config_dir, &path, &text, &n);

	if (r != KL_OK)
		return r;
	if ((out = malloc(FILE_MAX)) == NULL) {
		r = KL_E_MEMORY;
	} else {
		kl_writer_init(&w, out, FILE_MAX);
		text_make(&w, text, id, phone);
		r = w.full ? KL_E_SIZE : kl_fs_replace_at(AT_FDCWD, path.b,
		    0600, kl_writer_bytes(&w));
	}
	free(out);
	kl_fs_read_free(text, n);
	return r;
}
