#include <kortelijn/crypto/logfile.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/secret.h>
#include <kortelijn/crypto/sign.h>

#define LEAVES 300		/* of the tree */
#define FIRST 37
#define END 201			/* of the month: three chunks */
#define SIZE 290		/* of the checkpoint */
#define GONE 50			/* a leaf whose record is no more */
#define FILE_MAX (1 << 20)

static struct kl_secret *key, *other_key, *sk;
static struct kl_sign_pk pk, other_pk;
static struct kl_hash hash[LEAVES];
static uint8_t salt[LEAVES][32], record[LEAVES][40];
static struct kl_logfile_reader in;
static struct kl_logfile_writer out;

static uint8_t file[FILE_MAX];
static size_t file_n, head_n;

static struct kl_note
note_of(uint64_t size, const struct kl_secret *by)
{
	struct kl_checkpoint c = { .origin = "b/log/1", .size = size };
	struct kl_note note;

	c.root = kl_tree_root(hash, size);
	ck_assert_int_eq(kl_note_sign(&c, by, &note), KL_OK);
	return note;
}

static void
begin(uint64_t size)
{
	struct kl_logfile_head h = { .month = 2026 * 12 + 11,
		.id = { 1, 2, 3 } };
	struct kl_range before;
	size_t n;

	h.note = note_of(size, sk);
	ck_assert_int_eq(kl_logfile_head_pack(&h, file, sizeof file,
	    &head_n), KL_OK);
	file_n = head_n;
	kl_logfile_begin(&out, kl_secret_bytes(key), kl_bytes(file, head_n));
	kl_range_init(&before);
	for (size_t i = 0; i < FIRST; i++)
		kl_range_append(&before, &hash[i]);
	kl_logfile_put_begin(&out, &before, END, file + file_n, &n);
	file_n += n;
}

static void
put(uint64_t i)
{
	struct kl_logfile_leaf l = { .index = i, .hash = hash[i] };
	size_t n;
	int r;

	memcpy(l.salt, salt[i], sizeof l.salt);
	if (i != GONE)
		l.record = KL_BYTES_OF(record[i]);
	if ((r = kl_logfile_put_leaf(&out, &l)) == KL_E_FULL) {
		kl_logfile_flush(&out, file + file_n, &n);
		file_n += n;
		r = kl_logfile_put_leaf(&out, &l);
	}
	ck_assert_int_eq(r, KL_OK);
}

static void
finish(uint64_t size)
{
	struct kl_hash proof[KL_PROOF_MAX];
	size_t n, proof_n;

	kl_logfile_flush(&out, file + file_n, &n);
	file_n += n;
	ck_assert_int_eq(kl_prove_consistency(hash, size, END, proof,
	    &proof_n), KL_OK);
	ck_assert_int_eq(kl_logfile_put_end(&out, proof, proof_n,
	    file + file_n, &n), KL_OK);
	file_n += n;
}

static void
write_all(uint64_t size)
{
	begin(size);
	for (uint64_t i = FIRST; i < END; i++)
		put(i);
	finish(size);
}

static void
setup(void)
{
	ck_assert_ptr_nonnull(key = kl_secret_random(32));
	ck_assert_ptr_nonnull(other_key = kl_secret_random(32));
	ck_assert_int_eq(kl_sign_keypair(&other_pk, &sk), KL_OK);
	kl_secret_free(sk);
	ck_assert_int_eq(kl_sign_keypair(&pk, &sk), KL_OK);
	for (size_t i = 0; i < LEAVES; i++) {
		kl_random(salt[i], sizeof salt[i]);
		kl_random(record[i], sizeof record[i]);
		hash[i] = kl_record_leaf_hash(salt[i],
		    KL_BYTES_OF(record[i]));
	}
	write_all(SIZE);
}

static void
teardown(void)
{
	kl_secret_free(key);
	kl_secret_free(other_key);
	kl_secret_free(sk);
}

/* Everything up to the first thing that is wrong. *leaves counts. */
static int
read_with(const struct kl_secret *with, size_t n, uint64_t *leaves)
{
	struct kl_logfile_head h;
	struct kl_logfile_leaf l;
	size_t at, len;
	int r = kl_logfile_open(&in, kl_secret_bytes(with), &pk,
	    kl_bytes(file, n), &h, &at);

	*leaves = 0;
	while (r == KL_OK && at < n) {
		if (n - at < 4)
			return KL_E_FORMAT;
		if ((r = kl_logfile_length(file + at, &len)) != KL_OK)
			return r;
		at += 4;
		if (len > n - at)
			return KL_E_FORMAT;
		r = kl_logfile_take(&in, kl_bytes(file + at, len));
		at += len;
		while (r == KL_OK && (r = kl_logfile_leaf(&in, &l)) == KL_OK) {
			ck_assert_uint_eq(l.index, FIRST + *leaves);
			ck_assert_mem_eq(l.hash.b, hash[l.index].b, 32);
			ck_assert_uint_eq(l.record.n, l.index == GONE ? 0 :
			    sizeof record[0]);
			(*leaves)++;
		}
		r = r == KL_E_EMPTY ? KL_OK : r;
	}
	return r == KL_OK && !kl_logfile_whole(&in) ? KL_E_SIGNATURE : r;
}

static int
read_all(void)
{
	uint64_t leaves;

	return read_with(key, file_n, &leaves);
}

START_TEST(a_month_is_read_back_and_leads_to_its_checkpoint)
{
	uint64_t leaves;

	ck_assert_int_eq(read_with(key, file_n, &leaves), KL_OK);
	ck_assert_uint_eq(leaves, END - FIRST);
	ck_assert_uint_eq(in.checkpoint.size, SIZE);
	/* The newest month ends where its checkpoint does. */
	write_all(END);
	ck_assert_int_eq(read_with(key, file_n, &leaves), KL_OK);
	ck_assert_uint_eq(leaves, END - FIRST);
}
END_TEST

START_TEST(the_head_needs_no_key)
{
	struct kl_logfile_head h;
	struct kl_checkpoint c;
	size_t n;

	ck_assert_int_eq(kl_logfile_head_read(kl_bytes(file, file_n), &h,
	    &n), KL_OK);
	ck_assert_uint_eq(n, head_n);
	ck_assert_uint_eq(h.month, 2026 * 12 + 11);
	ck_assert_int_eq(kl_note_verify(kl_bytes_str(h.note.b), &pk, &c),
	    KL_OK);
	ck_assert_uint_eq(c.size, SIZE);
	for (size_t i = 0; i < head_n; i++)
		ck_assert_int_eq(kl_logfile_head_read(kl_bytes(file, i), &h,
		    &n), KL_E_FORMAT);
	file[20]++;
	ck_assert_int_eq(kl_logfile_head_read(kl_bytes(file, file_n), &h,
	    &n), KL_E_UNKNOWN);
}
END_TEST

START_TEST(nothing_is_readable_without_the_key)
{
	uint64_t leaves;

	ck_assert_int_eq(read_with(other_key, file_n, &leaves),
	    KL_E_SIGNATURE);
	ck_assert_uint_eq(leaves, 0);
	for (size_t i = FIRST; i < END; i++)
		ck_assert_ptr_null(memmem(file, file_n, record[i],
		    sizeof record[i]));
}
END_TEST

START_TEST(a_key_of_another_length_is_refused)
{
	struct kl_logfile_head h;
	size_t n;

	ck_assert_int_eq(kl_logfile_open(&in, kl_bytes(file, 31), &pk,
	    kl_bytes(file, file_n), &h, &n), KL_E_VALUE);
}
END_TEST

START_TEST(a_checkpoint_of_another_broker_is_refused)
{
	struct kl_logfile_head h;
	size_t n;

	ck_assert_int_eq(kl_logfile_open(&in, kl_secret_bytes(key),
	    &other_pk, kl_bytes(file, file_n), &h, &n), KL_E_SIGNATURE);
}
END_TEST

START_TEST(a_file_that_was_cut_is_never_whole)
{
	uint64_t leaves;

	for (size_t n = 0; n < file_n; n += n < head_n + 200 ? 1 : 97)
		ck_assert_int_ne(read_with(key, n, &leaves), KL_OK);
}
END_TEST

START_TEST(every_flipped_bit_shows)
{
	for (size_t i = 0; i < file_n; i += i < head_n + 100 ? 1 : 61) {
		const uint8_t bit = (uint8_t)(1u << (i % 8));

		file[i] ^= bit;
		ck_assert_msg(read_all() != KL_OK, "byte %zu", i);
		file[i] ^= bit;
	}
	ck_assert_int_eq(read_all(), KL_OK);
}
END_TEST

/* From the start of chunk i on. */
static size_t
chunk_at(size_t i)
{
	size_t at = head_n, n;

	while (i-- > 0) {
		ck_assert_int_eq(kl_logfile_length(file + at, &n), KL_OK);
		at += 4 + n;
	}
	return at;
}

START_TEST(a_chunk_left_out_or_doubled_shows)
{
	const size_t a = chunk_at(2), b = chunk_at(3);

	memmove(file + a, file + b, file_n - b);
	file_n -= b - a;
	ck_assert_int_eq(read_all(), KL_E_SIGNATURE);
	write_all(SIZE);
	memmove(file + b, file + a, file_n - a);
	file_n += b - a;
	ck_assert_int_eq(read_all(), KL_E_SIGNATURE);
	write_all(SIZE);
	memcpy(file + file_n, file + a, b - a);
	file_n += b - a;
	ck_assert_int_eq(read_all(), KL_E_FORMAT);
}
END_TEST

/* Leaf by leaf, whatever they say. */
static int
read_hashes(void)
{
	struct kl_logfile_head h;
	struct kl_logfile_leaf l;
	size_t at, n;
	int r = kl_logfile_open(&in, kl_secret_bytes(key), &pk,
	    kl_bytes(file, file_n), &h, &at);

	while (r == KL_OK && at < file_n) {
		if ((r = kl_logfile_length(file + at, &n)) != KL_OK)
			return r;
		r = kl_logfile_take(&in, kl_bytes(file + at + 4, n));
		at += 4 + n;
		while (r == KL_OK && (r = kl_logfile_leaf(&in, &l)) == KL_OK)
			;
		r = r == KL_E_EMPTY ? KL_OK : r;
	}
	return r;
}

/* Who has the key cannot pass off another leaf either: the tree is signed. */
START_TEST(leaves_that_are_not_the_logs_do_not_lead_to_it)
{
	const struct kl_hash kept = hash[100];

	begin(SIZE);
	kl_random(record[100], sizeof record[100]);
	hash[100] = kl_record_leaf_hash(salt[100], KL_BYTES_OF(record[100]));
	for (uint64_t i = FIRST; i < END; i++)
		put(i);
	hash[100] = kept;
	finish(SIZE);
	ck_assert_int_eq(read_hashes(), KL_E_SIGNATURE);
	ck_assert(!kl_logfile_whole(&in));
}
END_TEST

START_TEST(a_record_that_is_not_the_leafs_is_refused)
{
	uint64_t leaves;

	begin(SIZE);
	record[FIRST][0] ^= 1;
	for (uint64_t i = FIRST; i < END; i++)
		put(i);
	record[FIRST][0] ^= 1;
	finish(SIZE);
	ck_assert_int_eq(read_with(key, file_n, &leaves), KL_E_SIGNATURE);
	ck_assert_uint_eq(leaves, 0);
}
END_TEST

START_TEST(limits_are_told)
{
	struct kl_logfile_leaf l = { .index = 0 };
	struct kl_logfile_head h = { .month = 1 };
	uint8_t big[KL_LOGFILE_RECORD_MAX + 1] = { 0 }, buf[16];
	const uint8_t none[4] = { 0, 0, 0, 0 }, huge[4] = { 1, 0, 0, 0 };
	size_t n;

	begin(SIZE);
	l.record = KL_BYTES_OF(big);
	ck_assert_int_eq(kl_logfile_put_leaf(&out, &l), KL_E_SIZE);
	/* The longest ones fit a chunk. */
	l.record.n--;
	for (int i = 0; i < KL_LOGFILE_LEAVES_MAX; i++)
		ck_assert_int_eq(kl_logfile_put_leaf(&out, &l), KL_OK);
	ck_assert_int_eq(kl_logfile_put_leaf(&out, &l), KL_E_FULL);
	kl_logfile_flush(&out, file + file_n, &n);
	ck_assert_uint_le(n, KL_LOGFILE_CHUNK_MAX);
	kl_logfile_flush(&out, file + file_n, &n);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(kl_logfile_put_end(&out, hash, KL_PROOF_MAX + 1,
	    file, &n), KL_E_SIZE);
	ck_assert_int_eq(kl_logfile_head_pack(&h, buf, sizeof buf, &n),
	    KL_E_SIZE);
	ck_assert_int_eq(kl_logfile_length(none, &n), KL_E_FORMAT);
	ck_assert_int_eq(kl_logfile_length(huge, &n), KL_E_FORMAT);
	ck_assert_int_eq(kl_logfile_take(&in, kl_bytes(big, 40)),
	    KL_E_FORMAT);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("logfile");
	TCase *t = tcase_create("logfile");
	SRunner *r;
	int failed;

	if (kl_crypto_init() != KL_OK)
		return EXIT_FAILURE;
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t,
	    a_month_is_read_back_and_leads_to_its_checkpoint);
	tcase_add_test(t, the_head_needs_no_key);
	tcase_add_test(t, nothing_is_readable_without_the_key);
	tcase_add_test(t, a_key_of_another_length_is_refused);
	tcase_add_test(t, a_checkpoint_of_another_broker_is_refused);
	tcase_add_test(t, a_file_that_was_cut_is_never_whole);
	tcase_add_test(t, every_flipped_bit_shows);
	tcase_add_test(t, a_chunk_left_out_or_doubled_shows);
	tcase_add_test(t, leaves_that_are_not_the_logs_do_not_lead_to_it);
	tcase_add_test(t, a_record_that_is_not_the_leafs_is_refused);
	tcase_add_test(t, limits_are_told);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
