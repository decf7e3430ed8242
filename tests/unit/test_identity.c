#include "adapters/common/identity.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/host/link.h>
#include <kortelijn/host/textfile.h>

#include "tests/support/papers.h"
#include "tests/support/tmpdir.h"

#define NOW_MS INT64_C(1795000000000)
#define LINE_MAX_BYTES 4096

static struct tmpdir dir;
static struct config c;
static struct papers_key authority, broker_key;
static struct kl_card own, broker;
static struct identity_files files;
static struct tmpdir_path paths[3];
static struct kl_fingerprint fp;
static char line[LINE_MAX_BYTES];
static const char *what;

/* The request that identity_init made. */
static void
request_read(struct kl_enrol_request *out, struct kl_arena *mem)
{
	static uint8_t packed[2048];
	struct kl_signed s;
	size_t n;

	ck_assert_int_eq(kl_textfile_parse(kl_bytes_str(line), KL_TAG_REQUEST,
	    NULL, packed, sizeof packed, &n), KL_OK);
	ck_assert_int_eq(kl_signed_read(kl_bytes(packed, n), mem, &s),
	    KL_C_OK);
	ck_assert_int_eq(KL_STATEMENT_READ(KL_S_ENROL, s.body, mem, out),
	    KL_C_OK);
	ck_assert_int_eq(kl_verify(KL_LABEL_ENROL, s.body, &out->sign_pk,
	    &s.sig), KL_OK);
}

static void
write_all(void)
{
	papers_card_write(dir.path, "in.card", &own, authority.sk);
	papers_card_write(dir.path, "in.broker", &broker, authority.sk);
	papers_authority_write(dir.path, "in.pub", KL_TRAINING,
	    &authority.pk);
}

static void
setup(void)
{
	struct kl_arena *mem = kl_arena_new(65536, 256);
	struct kl_enrol_request e;
	struct tmpdir_path keys;

	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	ck_assert_int_eq(kl_link_init(), KL_OK);
	dir = tmpdir_make();
	memset(&c, 0, sizeof c);
	ck_assert_int_eq(kl_id_read("agb:01000001", &c.id), KL_OK);
	c.role = KL_PRACTICE;
	c.realm = KL_TRAINING;
	memcpy(c.name, "De Es", 6);
	keys = tmpdir_file(&dir, "keys");
	ck_assert_uint_lt(strlen(keys.b), sizeof c.key_dir);
	memcpy(c.key_dir, keys.b, strlen(keys.b) + 1);
	ck_assert_int_eq(identity_init(&c, NOW_MS, line, &fp),
	    KL_OK);
	request_read(&e, mem);
	authority = papers_key();
	broker_key = papers_key();
	own = papers_card("agb:01000001", KL_PRACTICE, &e.sign_pk);
	own.transport_pk = e.transport_pk;
	broker = papers_card("kvk:90000009", KL_BROKER, &broker_key.pk);
	paths[0] = tmpdir_file(&dir, "in.card");
	paths[1] = tmpdir_file(&dir, "in.pub");
	paths[2] = tmpdir_file(&dir, "in.broker");
	files = (struct identity_files){ paths[0].b, paths[1].b, paths[2].b };
	write_all();
	kl_arena_free(mem);
}

static void
teardown(void)
{
	kl_secret_free(authority.sk);
	kl_secret_free(broker_key.sk);
	tmpdir_remove(&dir);
}

static int
accept_files(void)
{
	return identity_accept(&c, &files, &fp, &what);
}

/* Refused with `err` about `file`, and nothing was taken over. */
static void
refused(int err, const char *file)
{
	ck_assert_int_eq(accept_files(), err);
	ck_assert_str_eq(what, file);
	ck_assert_int_ne(access(tmpdir_file(&dir, "keys/own.card").b, F_OK),
	    0);
}

START_TEST(request_says_who_asks)
{
	struct kl_arena *mem = kl_arena_new(65536, 256);
	struct kl_fingerprint expected;
	struct kl_enrol_request e;

	request_read(&e, mem);
	ck_assert(kl_id_equal(&e.id, &c.id));
	ck_assert_uint_eq(e.role, KL_PRACTICE);
	ck_assert_uint_eq(e.realm, KL_TRAINING);
	ck_assert_int_eq(e.at_ms, NOW_MS);
	ck_assert_uint_eq(e.name.n, 5);
	expected = kl_fingerprint_of(&e.id, e.role, &e.transport_pk,
	    &e.sign_pk);
	ck_assert_str_eq(fp.b, expected.b);
	kl_arena_free(mem);
}
END_TEST

START_TEST(second_init_keeps_the_keys)
{
	const struct kl_fingerprint before = fp;

	ck_assert_int_eq(identity_init(&c, NOW_MS + 1, line, &fp), KL_OK);
	ck_assert_str_eq(fp.b, before.b);
}
END_TEST

START_TEST(init_names_what_is_wrong)
{
	struct config other = c;

	other.name[0] = '\0';
	ck_assert_int_eq(identity_init(&other, NOW_MS, line, &fp), KL_E_VALUE);
	memcpy(other.key_dir, paths[0].b, strlen(paths[0].b) + 1);
	ck_assert_int_eq(identity_init(&other, NOW_MS, line, &fp), KL_E_IO);
	ck_assert_int_eq(chmod(tmpdir_file(&dir, "keys/identity.key").b,
	    0644), 0);
	ck_assert_int_eq(identity_init(&c, NOW_MS, line, &fp),
	    KL_E_DENIED);
}
END_TEST

START_TEST(damaged_key_is_no_reason_for_a_new_one)
{
	const struct tmpdir_path key = tmpdir_file(&dir, "keys/master.key");

	ck_assert_int_eq(truncate(key.b, 10), 0);
	ck_assert_int_eq(identity_init(&c, NOW_MS, line, &fp),
	    KL_E_FORMAT);
}
END_TEST

START_TEST(accepted_papers_are_loaded)
{
	struct identity id;
	struct kl_key_id broker_id = kl_key_id_of(broker_key.pk.b);

	ck_assert_int_eq(accept_files(), KL_OK);
	ck_assert_str_eq(fp.b, kl_fingerprint_authority(&authority.pk).b);
	ck_assert_int_eq(identity_load(&c, &id, &what), KL_OK);
	ck_assert(kl_id_equal(&id.id, &c.id));
	ck_assert_mem_eq(&id.sign_pk, &own.sign_pk, 32);
	ck_assert_mem_eq(&id.authority, &authority.pk, 32);
	ck_assert_mem_eq(&id.broker_sign, &broker_key.pk, 32);
	ck_assert_mem_eq(&id.broker_curve, &broker.transport_pk, 32);
	ck_assert_mem_eq(&id.broker_key_id, &broker_id, 16);
	ck_assert(id.sign_sk != NULL && id.transport_sk != NULL &&
	    id.master != NULL);
	identity_clear(&id);
	ck_assert_ptr_null(id.sign_sk);
}
END_TEST

START_TEST(papers_of_another_authority_are_refused)
{
	struct papers_key other = papers_key();

	papers_card_write(dir.path, "in.card", &own, other.sk);
	refused(KL_E_SIGNATURE, files.card);
	write_all();
	papers_card_write(dir.path, "in.broker", &broker, other.sk);
	refused(KL_E_SIGNATURE, files.broker);
	kl_secret_free(other.sk);
}
END_TEST

START_TEST(card_of_somebody_else_is_refused)
{
	const struct kl_card good = own;

	own.role = KL_PARTNER;
	write_all();
	refused(KL_E_VALUE, files.card);
	own = good;
	own.realm = KL_PRODUCTION;
	write_all();
	refused(KL_E_VALUE, files.card);
	own = good;
	own.sign_pk = broker_key.pk;
	write_all();
	refused(KL_E_VALUE, files.card);
	own = good;
	own.transport_pk.b[0] ^= 1;
	write_all();
	refused(KL_E_VALUE, files.card);
	own = good;
	ck_assert_int_eq(kl_id_read("agb:01000002", &own.id), KL_OK);
	write_all();
	refused(KL_E_VALUE, files.card);
}
END_TEST

START_TEST(broker_is_a_broker_of_this_realm)
{
	const struct kl_card good = broker;

	broker.role = KL_PRACTICE;
	write_all();
	refused(KL_E_VALUE, files.broker);
	broker = good;
	broker.realm = KL_PRODUCTION;
	write_all();
	refused(KL_E_VALUE, files.broker);
}
END_TEST

START_TEST(authority_of_another_realm_is_refused)
{
	papers_authority_write(dir.path, "in.pub", KL_PRODUCTION,
	    &authority.pk);
	refused(KL_E_VALUE, files.authority);
}
END_TEST

START_TEST(file_that_is_no_paper_is_named)
{
	papers_authority_write(dir.path, "in.card", KL_TRAINING,
	    &authority.pk);
	refused(KL_E_FORMAT, files.card);
	ck_assert_int_eq(unlink(files.card), 0);
	refused(KL_E_NOT_FOUND, files.card);
	ck_assert_int_eq(mkdir(files.card, 0700), 0);
	refused(KL_E_DENIED, files.card);
	ck_assert_int_eq(rmdir(files.card), 0);
	write_all();
	ck_assert_int_eq(truncate(files.authority, KL_TEXTFILE_MAX + 1), 0);
	refused(KL_E_SIZE, files.authority);
}
END_TEST

START_TEST(accept_without_keys_says_so)
{
	ck_assert_int_eq(unlink(tmpdir_file(&dir, "keys/identity.key").b), 0);
	refused(KL_E_NOT_FOUND, c.key_dir);
}
END_TEST

START_TEST(load_without_papers_names_them)
{
	struct identity id, none;

	memset(&none, 0, sizeof none);
	ck_assert_int_eq(identity_load(&c, &id, &what), KL_E_NOT_FOUND);
	ck_assert_str_eq(what, "authority.pub");
	ck_assert_mem_eq(&id, &none, sizeof id);
	ck_assert_int_eq(accept_files(), KL_OK);
	ck_assert_int_eq(unlink(tmpdir_file(&dir, "keys/own.card").b), 0);
	ck_assert_int_eq(identity_load(&c, &id, &what), KL_E_NOT_FOUND);
	ck_assert_str_eq(what, "own.card");
	ck_assert_int_eq(unlink(tmpdir_file(&dir, "keys/identity.key").b), 0);
	ck_assert_int_eq(identity_load(&c, &id, &what), KL_E_NOT_FOUND);
	ck_assert_str_eq(what, "keys in key_dir");
}
END_TEST

/* For whoever verifies the log: none of our keys is needed. */
START_TEST(key_of_the_log_is_read_without_ours)
{
	struct kl_sign_pk pinned, log;

	ck_assert_int_eq(identity_broker(&c, &pinned, &log, &what),
	    KL_E_NOT_FOUND);
	ck_assert_str_eq(what, "authority.pub in key_dir");
	ck_assert_int_eq(accept_files(), KL_OK);
	ck_assert_int_eq(unlink(tmpdir_file(&dir, "keys/identity.key").b), 0);
	ck_assert_int_eq(identity_broker(&c, &pinned, &log, &what), KL_OK);
	ck_assert_mem_eq(&pinned, &authority.pk, 32);
	ck_assert_mem_eq(&log, &broker_key.pk, 32);
	/* A card of another sort, signed by the same authority. */
	papers_card_write(tmpdir_file(&dir, "keys").b, "broker.card", &own,
	    authority.sk);
	ck_assert_int_eq(identity_broker(&c, &pinned, &log, &what),
	    KL_E_VALUE);
	papers_card_write(tmpdir_file(&dir, "keys").b, "broker.card", &broker,
	    broker_key.sk);
	ck_assert_int_eq(identity_broker(&c, &pinned, &log, &what),
	    KL_E_SIGNATURE);
	ck_assert_str_eq(what, "broker.card in key_dir");
}
END_TEST

START_TEST(statement_is_signed_by_the_identity)
{
	struct kl_arena *mem = kl_arena_new(65536, 256);
	uint8_t buf[KL_STATEMENT_MAX];
	struct kl_prekey p = {
		.version = 1, .not_before_ms = 4 * KL_DAY_MS,
		.not_after_ms = 11 * KL_DAY_MS,
		.schema_min = 1, .schema_max = 1,
	}, back;
	struct kl_signed s;
	struct identity id;
	size_t n;

	ck_assert_int_eq(accept_files(), KL_OK);
	ck_assert_int_eq(identity_load(&c, &id, &what), KL_OK);
	p.owner = id.id;
	p.signer_key_id = id.key_id;
	kl_random(p.pk.b, sizeof p.pk.b);
	ck_assert_int_eq(identity_sign(&id, KL_PREKEY, &p, sizeof p, buf,
	    sizeof buf, &n), KL_OK);
	ck_assert_int_eq(kl_signed_read(kl_bytes(buf, n), mem, &s), KL_C_OK);
	ck_assert_int_eq(kl_verify(KL_LABEL_PREKEY, s.body, &own.sign_pk,
	    &s.sig), KL_OK);
	ck_assert_int_eq(KL_STATEMENT_READ(KL_PREKEY, s.body, mem, &back),
	    KL_C_OK);
	ck_assert_int_eq(identity_sign(&id, KL_PREKEY, &p, sizeof p, buf, 50,
	    &n), KL_E_SIZE);
	p.version = 9;
	ck_assert_int_eq(identity_sign(&id, KL_PREKEY, &p, sizeof p, buf,
	    sizeof buf, &n), KL_E_VALUE);
	identity_clear(&id);
	kl_arena_free(mem);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("identity");
	TCase *t = tcase_create("identity");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, request_says_who_asks);
	tcase_add_test(t, second_init_keeps_the_keys);
	tcase_add_test(t, init_names_what_is_wrong);
	tcase_add_test(t, damaged_key_is_no_reason_for_a_new_one);
	tcase_add_test(t, accepted_papers_are_loaded);
	tcase_add_test(t, papers_of_another_authority_are_refused);
	tcase_add_test(t, card_of_somebody_else_is_refused);
	tcase_add_test(t, broker_is_a_broker_of_this_realm);
	tcase_add_test(t, authority_of_another_realm_is_refused);
	tcase_add_test(t, file_that_is_no_paper_is_named);
	tcase_add_test(t, accept_without_keys_says_so);
	tcase_add_test(t, load_without_papers_names_them);
	tcase_add_test(t, key_of_the_log_is_read_without_ours);
	tcase_add_test(t, statement_is_signed_by_the_identity);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
