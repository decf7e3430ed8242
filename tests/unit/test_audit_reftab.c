#include <stdlib.h>

#include <check.h>

#include "proto/audit/reftab.h"

struct row {
	struct kl_ref ref;
	uint32_t n;
};

static struct kl_ref
ref(uint32_t i)
{
	struct kl_ref r = { { 0 } };

	kl_be64_put(r.b + 8, i);
	return r;
}

static int
put(struct audit_reftab *t, uint32_t i, struct row **row)
{
	const struct kl_ref r = ref(i);
	void *at;
	const int err = audit_reftab_put(t, &r, &at);

	*row = at;
	return err;
}

static void
fill(struct audit_reftab *t, uint32_t n)
{
	struct row *row;

	for (uint32_t i = 0; i < n; i++) {
		ck_assert_int_eq(put(t, i, &row), KL_OK);
		ck_assert_uint_eq(row->n, 0);
		row->n = i;
	}
}

static const struct row *
find(const struct audit_reftab *t, uint32_t i)
{
	const struct kl_ref r = ref(i);

	return audit_reftab_find(t, r.b);
}

static void
drop(struct audit_reftab *t, uint32_t i)
{
	const struct kl_ref r = ref(i);

	audit_reftab_drop(t, r.b);
}

START_TEST(rows_keep_the_order_in_which_they_came)
{
	struct audit_reftab t;
	struct row *row;

	audit_reftab_init(&t, sizeof *row, 5000);
	ck_assert_ptr_null(find(&t, 0));
	fill(&t, 3000);
	for (uint32_t i = 0; i < 3000; i++) {
		row = audit_reftab_at(&t, i);
		ck_assert_uint_eq(row->n, i);
		ck_assert_uint_eq(audit_reftab_number(&t, row), i);
		ck_assert_ptr_eq(find(&t, i), row);
	}
	audit_reftab_clear(&t);
}
END_TEST

START_TEST(rows_are_found_until_they_are_dropped)
{
	struct audit_reftab t;

	audit_reftab_init(&t, sizeof(struct row), 5000);
	drop(&t, 0);
	fill(&t, 3000);
	for (uint32_t i = 0; i < 3000; i += 3) {
		drop(&t, i);
		drop(&t, i);
	}
	drop(&t, 2999);
	ck_assert_uint_eq(t.n, 1999);
	for (uint32_t i = 0; i < 3000; i++) {
		const struct row *row = find(&t, i);

		ck_assert(i % 3 == 0 || i == 2999 ? row == NULL :
		    row != NULL && row->n == i);
	}
	audit_reftab_clear(&t);
}
END_TEST

START_TEST(a_full_table_says_so)
{
	struct audit_reftab t;
	struct row *row;

	audit_reftab_init(&t, sizeof *row, 2);
	fill(&t, 2);
	ck_assert_int_eq(put(&t, 1, &row), KL_OK);
	ck_assert_uint_eq(row->n, 1);
	ck_assert_int_eq(put(&t, 2, &row), KL_E_FULL);
	ck_assert_ptr_null(row);
	drop(&t, 0);
	ck_assert_int_eq(put(&t, 2, &row), KL_OK);
	audit_reftab_clear(&t);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("audit_reftab");
	TCase *t = tcase_create("table");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(t, rows_keep_the_order_in_which_they_came);
	tcase_add_test(t, rows_are_found_until_they_are_dropped);
	tcase_add_test(t, a_full_table_says_so);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
