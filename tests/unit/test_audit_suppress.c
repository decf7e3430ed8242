#include "proto/audit/suppress.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BELOW 10
#define CELLS 160
#define NODES 40

/* ---- tables as nets ---- */

struct table {
	struct audit_suppress_cell c[CELLS];
	size_t n;
	uint32_t nodes;
	size_t rows, columns;
};

static void
cell(struct table *t, uint32_t from, uint32_t to, uint32_t owner,
    uint32_t value, bool total)
{
	ck_assert_uint_lt(t->n, CELLS);
	t->c[t->n++] = (struct audit_suppress_cell){ .from = from, .to = to,
		.owner = owner, .value = value, .total = total };
}

/* Rows of organisations, with totals of rows and columns and of all: node 0
 * gives out the rows, 1 takes in the columns. Cell (i, j) is number
 * i * columns + j. */
static void
make(struct table *t, size_t rows, size_t columns, const uint32_t *v)
{
	uint32_t all = 0;

	*t = (struct table){ .rows = rows, .columns = columns,
		.nodes = (uint32_t)(2 + rows + columns) };
	for (size_t i = 0; i < rows * columns; i++)
		cell(t, (uint32_t)(2 + i / columns),
		    (uint32_t)(2 + rows + i % columns),
		    (uint32_t)(1 + i / columns), v[i], false);
	for (size_t i = 0; i < rows; i++) {
		uint32_t sum = 0;

		for (size_t j = 0; j < columns; j++)
			sum += v[i * columns + j];
		cell(t, 0, (uint32_t)(2 + i), (uint32_t)(1 + i), sum, true);
		all += sum;
	}
	for (size_t j = 0; j < columns; j++) {
		uint32_t sum = 0;

		for (size_t i = 0; i < rows; i++)
			sum += v[i * columns + j];
		cell(t, (uint32_t)(2 + rows + j), 1, 0, sum, true);
	}
	cell(t, 1, 0, 0, all, true);
}

/* Two lists of organisations that share their total, as municipalities and
 * practices do: the total is the last cell. */
static void
make_lists(struct table *t, size_t n_a, const uint32_t *a, size_t n_b,
    const uint32_t *b)
{
	uint32_t all = 0;

	*t = (struct table){ .nodes = 3 };
	for (size_t i = 0; i < n_a; i++) {
		cell(t, 0, 1, (uint32_t)(1 + i), a[i], false);
		all += a[i];
	}
	for (size_t i = 0; i < n_b; i++)
		cell(t, 1, 2, (uint32_t)(1 + n_a + i), b[i], false);
	cell(t, 2, 0, 0, all, true);
}

static void
run(struct table *t, uint32_t below)
{
	ck_assert_int_eq(audit_suppress(t->c, t->n, t->nodes, below), KL_OK);
}

static size_t
hidden(const struct table *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += t->c[i].hidden;
	return n;
}

/* ---- who attacks: the simplex method, which knows nothing of nets ---- */

struct lp {
	int rows, columns;		/* without and with the right side */
	double a[2 * NODES][CELLS + 2 * NODES];
	int basis[2 * NODES];
	double want[CELLS + 2 * NODES];
};

static void
pivot(struct lp *p, int row, int column)
{
	const double by = p->a[row][column];

	for (int j = 0; j < p->columns; j++)
		p->a[row][j] /= by;
	for (int i = 0; i < p->rows; i++) {
		const double f = p->a[i][column];

		for (int j = 0; i != row && f != 0 && j < p->columns; j++)
			p->a[i][j] -= f * p->a[row][j];
	}
	p->basis[row] = column;
}

/* What a unit of that column would add, after what the basis gives up. */
static double
gain(const struct lp *p, int column)
{
	double g = p->want[column];

	for (int i = 0; i < p->rows; i++)
		g -= p->want[p->basis[i]] * p->a[i][column];
	return g;
}

/* By Bland's rule, so that it ends. False: without bound. */
static bool
maximise(struct lp *p, int usable, double *best)
{
	const int right = p->columns - 1;
	int in, out;

	for (;;) {
		for (in = 0; in < usable && gain(p, in) < 1e-7; in++)
			continue;
		if (in == usable)
			break;
		out = -1;
		for (int i = 0; i < p->rows; i++) {
			double d;

			if (p->a[i][in] < 1e-7)
				continue;
			d = out < 0 ? -1 : p->a[i][right] / p->a[i][in] -
			    p->a[out][right] / p->a[out][in];
			if (d < -1e-9 || (d < 1e-9 &&
			    p->basis[i] < p->basis[out]))
				out = i;
		}
		if (out < 0)
			return false;
		pivot(p, out, in);
	}
	*best = 0;
	for (int i = 0; i < p->rows; i++)
		*best += p->want[p->basis[i]] * p->a[i][right];
	return true;
}

/* Who sees the table and knows the cells of one organisation asks: how small
 * and how large can this one be? */
static bool
can_be(const struct table *t, size_t which, uint32_t insider, int sign,
    double *edge)
{
	static struct lp p;
	int column_of[CELLS], n = 0;

	memset(&p, 0, sizeof p);
	for (size_t i = 0; i < t->n; i++)
		column_of[i] = t->c[i].hidden &&
		    (insider == 0 || t->c[i].owner != insider) ? n++ : -1;
	p.rows = (int)t->nodes;
	p.columns = n + p.rows + 1;
	for (size_t i = 0; i < t->n; i++) {
		const int at[2] = { (int)t->c[i].from, (int)t->c[i].to };

		for (int k = 0; k < 2; k++)
			if (column_of[i] >= 0)
				p.a[at[k]][column_of[i]] = k == 0 ? 1 : -1;
			else
				p.a[at[k]][p.columns - 1] -=
				    (k == 0 ? 1.0 : -1.0) * t->c[i].value;
	}
	for (int i = 0; i < p.rows; i++) {
		for (int j = 0; p.a[i][p.columns - 1] < 0 &&
		    j < p.columns; j++)
			p.a[i][j] = -p.a[i][j];
		if (p.a[i][p.columns - 1] < 0)
			for (int j = 0; j < p.columns; j++)
				p.a[i][j] = -p.a[i][j];
		p.a[i][n + i] = 1;
		p.basis[i] = n + i;
		p.want[n + i] = -1;
	}
	/* First any table that fits, then the furthest. */
	ck_assert(maximise(&p, n, edge));
	ck_assert(fabs(*edge) < 1e-6);
	for (int i = 0; i < p.rows; i++)
		for (int j = 0; p.basis[i] >= n && j < n; j++)
			if (fabs(p.a[i][j]) > 1e-7)
				pivot(&p, i, j);
	memset(p.want, 0, sizeof p.want);
	p.want[column_of[which]] = sign;
	return maximise(&p, n, edge);
}

static double
spread(const struct table *t, size_t which, uint32_t insider)
{
	double low, high;

	ck_assert(can_be(t, which, insider, -1, &low));
	if (!can_be(t, which, insider, 1, &high))
		return HUGE_VAL;
	return high + low;
}

/* No hidden cell can be told closer than the limit; a small one not even by
 * one of the organisations. */
static void
withstands(const struct table *t, uint32_t below, uint32_t insiders)
{
	for (size_t i = 0; i < t->n; i++) {
		ck_assert(t->c[i].hidden || t->c[i].value >= below);
		if (!t->c[i].hidden)
			continue;
		ck_assert_double_ge(spread(t, i, 0), below - 1e-6);
		for (uint32_t o = 1; t->c[i].value < below && o <= insiders;
		    o++)
			if (o != t->c[i].owner)
				ck_assert_double_ge(spread(t, i, o),
				    below - 1e-6);
	}
}

/* ---- tables by hand ---- */

START_TEST(large_counts_are_all_shown)
{
	const uint32_t v[] = { 10, 25, 31, 12, 400, 10 };
	struct table t;

	make(&t, 2, 3, v);
	run(&t, BELOW);
	ck_assert_uint_eq(hidden(&t), 0);
}
END_TEST

START_TEST(one_small_count_takes_a_ring_with_it)
{
	const uint32_t v[] = { 3, 40, 50, 60, 70, 80, 45, 55, 65 };
	struct table t;

	make(&t, 3, 3, v);
	run(&t, BELOW);
	ck_assert(t.c[0].hidden);
	ck_assert_uint_ge(hidden(&t), 4);
	ck_assert(!t.c[t.n - 1].hidden);
	withstands(&t, BELOW, 3);
}
END_TEST

START_TEST(zero_is_a_small_count)
{
	const uint32_t v[] = { 0, 40, 50, 60, 70, 80, 45, 55, 65 };
	struct table t;

	make(&t, 3, 3, v);
	run(&t, BELOW);
	ck_assert(t.c[0].hidden);
	withstands(&t, BELOW, 3);
}
END_TEST

START_TEST(nine_is_hidden_and_ten_is_shown)
{
	const uint32_t a[] = { 9, 9, 9, 30, 10 };
	const uint32_t b[] = { 67 };
	struct table t;

	make_lists(&t, 5, a, 1, b);
	run(&t, BELOW);
	ck_assert(t.c[0].hidden && t.c[1].hidden && t.c[2].hidden);
	ck_assert(!t.c[3].hidden);
}
END_TEST

/* Three of nothing, shown with their total, would say that all are nothing. */
START_TEST(small_counts_that_add_up_to_little_take_a_larger_one)
{
	const uint32_t a[] = { 0, 1, 2, 30, 40, 50 };
	const uint32_t b[] = { 60, 63 };
	struct table t;

	make_lists(&t, 6, a, 2, b);
	run(&t, BELOW);
	ck_assert(t.c[3].hidden || t.c[8].hidden);
	withstands(&t, BELOW, 8);
}
END_TEST

START_TEST(a_total_that_is_small_is_hidden_with_all_that_tells_it)
{
	const uint32_t a[] = { 4, 2 }, b[] = { 6 };
	struct table t;

	make_lists(&t, 2, a, 1, b);
	run(&t, BELOW);
	ck_assert_uint_eq(hidden(&t), t.n);
	withstands(&t, BELOW, 0);
}
END_TEST

START_TEST(many_small_counts_keep_their_total)
{
	uint32_t a[40], b[3] = { 40, 40, 40 };
	struct table t;

	for (size_t i = 0; i < 40; i++)
		a[i] = 3;
	make_lists(&t, 40, a, 3, b);
	run(&t, BELOW);
	ck_assert_uint_eq(hidden(&t), 40);
	ck_assert(!t.c[t.n - 1].hidden);
}
END_TEST

START_TEST(an_empty_table_is_hidden_as_a_whole)
{
	const uint32_t v[4] = { 0 };
	struct table t;

	make(&t, 2, 2, v);
	run(&t, BELOW);
	ck_assert_uint_eq(hidden(&t), t.n);
}
END_TEST

START_TEST(the_limit_is_never_below_ten)
{
	const uint32_t v[] = { 9, 40, 50, 60, 70, 80, 45, 55, 65 };
	struct table t;

	make(&t, 3, 3, v);
	run(&t, 3);
	ck_assert(t.c[0].hidden);
	withstands(&t, BELOW, 3);
	run(&t, AUDIT_SUPPRESS_MOST + 1);
	ck_assert_uint_eq(hidden(&t), t.n);
}
END_TEST

/* ---- tables by chance ---- */

static uint32_t
some(unsigned int *seed)
{
	const int what = rand_r(seed) % 10;

	return what < 2 ? 0 : what < 6 ? (uint32_t)(rand_r(seed) % 12) :
	    (uint32_t)(rand_r(seed) % 60);
}

START_TEST(no_attack_tells_a_cell_of_a_table)
{
	unsigned int seed = 20261125;
	uint32_t v[36];
	struct table t;

	for (int round = 0; round < 120; round++) {
		const size_t rows = 1 + (size_t)(rand_r(&seed) % 5);
		const size_t columns = 1 + (size_t)(rand_r(&seed) % 5);

		for (size_t i = 0; i < rows * columns; i++)
			v[i] = some(&seed);
		make(&t, rows, columns, v);
		run(&t, BELOW);
		/* The only organisation knows all that there is. */
		withstands(&t, BELOW, rows > 1 ? (uint32_t)rows : 0);
	}
}
END_TEST

START_TEST(no_attack_tells_a_cell_of_two_lists_with_one_total)
{
	unsigned int seed = 43;
	uint32_t a[8], b[12];
	struct table t;

	for (int round = 0; round < 120; round++) {
		const size_t n_a = 2 + (size_t)(rand_r(&seed) % 6);
		uint32_t left = 0;

		memset(b, 0, sizeof b);
		for (size_t i = 0; i < n_a; i++)
			left += a[i] = some(&seed);
		for (; left > 0; left--)
			b[rand_r(&seed) % 12]++;
		make_lists(&t, n_a, a, 12, b);
		run(&t, BELOW);
		withstands(&t, BELOW, (uint32_t)n_a + 12);
	}
}
END_TEST

START_TEST(a_higher_limit_hides_all_that_a_lower_one_hides)
{
	unsigned int seed = 7;
	uint32_t v[25];
	struct table t, higher;

	for (int round = 0; round < 40; round++) {
		for (size_t i = 0; i < 25; i++)
			v[i] = some(&seed);
		make(&t, 5, 5, v);
		higher = t;
		run(&t, BELOW);
		run(&higher, 17);
		for (size_t i = 0; i < t.n; i++)
			ck_assert(!t.c[i].hidden || higher.c[i].hidden);
		withstands(&higher, 17, 5);
	}
}
END_TEST

START_TEST(the_room_that_it_tells_is_the_one_that_the_attack_finds)
{
	unsigned int seed = 99;
	uint32_t v[16], room;
	struct table t;

	for (int round = 0; round < 30; round++) {
		for (size_t i = 0; i < 16; i++)
			v[i] = some(&seed);
		make(&t, 4, 4, v);
		run(&t, BELOW);
		for (size_t i = 0; i < t.n; i++) {
			ck_assert_int_eq(audit_suppress_room(t.c, t.n,
			    t.nodes, i, 0, 500, &room), KL_OK);
			if (!t.c[i].hidden)
				ck_assert_uint_eq(room, 0);
			else
				ck_assert_double_eq_tol(room, spread(&t, i,
				    0) < 500 ? spread(&t, i, 0) : 500, 1e-6);
		}
	}
}
END_TEST

/* Without its ring the small one is the total less the others. */
START_TEST(the_attack_finds_what_is_not_protected)
{
	const uint32_t v[] = { 3, 40, 50, 60, 70, 80, 45, 55, 65 };
	struct table t;
	uint32_t room;

	make(&t, 3, 3, v);
	t.c[0].hidden = true;
	ck_assert_double_lt(spread(&t, 0, 0), 1e-6);
	ck_assert_int_eq(audit_suppress_room(t.c, t.n, t.nodes, 0, 0, 10,
	    &room), KL_OK);
	ck_assert_uint_eq(room, 0);
}
END_TEST

START_TEST(numbers_that_do_not_add_up_are_refused)
{
	const uint32_t v[] = { 3, 40, 50, 60 };
	struct table t;

	make(&t, 2, 2, v);
	t.c[1].value++;
	ck_assert_int_eq(audit_suppress(t.c, t.n, t.nodes, BELOW), KL_E_VALUE);
	t.c[1].value--;
	t.c[2].to = t.nodes;
	ck_assert_int_eq(audit_suppress(t.c, t.n, t.nodes, BELOW), KL_E_VALUE);
	ck_assert_int_eq(audit_suppress(t.c, t.n,
	    AUDIT_SUPPRESS_NODES_MAX + 1, BELOW), KL_E_VALUE);
}
END_TEST

/* ---- a large region ---- */

START_TEST(a_thousand_practices_are_done_at_once)
{
	enum { PRACTICES = 1000, MUNICIPALITIES = 14 };
	struct audit_suppress_cell *c = calloc(PRACTICES + MUNICIPALITIES + 1,
	    sizeof *c);
	uint32_t all = 0;
	size_t n = 0;

	ck_assert_ptr_nonnull(c);
	for (uint32_t i = 0; i < PRACTICES; i++) {
		c[n++] = (struct audit_suppress_cell){ .from = 1, .to = 2,
			.owner = 100 + i, .value = i % 7 };
		all += i % 7;
	}
	for (uint32_t i = 0; i < MUNICIPALITIES; i++)
		c[n++] = (struct audit_suppress_cell){ .from = 0, .to = 1,
			.owner = 1 + i, .value = all / MUNICIPALITIES +
			(i == 0 ? all % MUNICIPALITIES : 0) };
	c[n++] = (struct audit_suppress_cell){ .from = 2, .to = 0,
		.value = all, .total = true };
	ck_assert_int_eq(audit_suppress(c, n, 3, BELOW), KL_OK);
	for (size_t i = 0; i < n; i++)
		ck_assert(c[i].hidden == (i < PRACTICES));
	free(c);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("suppress");
	Suite *s = suite_create("suppress");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 120);
	tcase_add_test(t, large_counts_are_all_shown);
	tcase_add_test(t, one_small_count_takes_a_ring_with_it);
	tcase_add_test(t, zero_is_a_small_count);
	tcase_add_test(t, nine_is_hidden_and_ten_is_shown);
	tcase_add_test(t,
	    small_counts_that_add_up_to_little_take_a_larger_one);
	tcase_add_test(t,
	    a_total_that_is_small_is_hidden_with_all_that_tells_it);
	tcase_add_test(t, many_small_counts_keep_their_total);
	tcase_add_test(t, an_empty_table_is_hidden_as_a_whole);
	tcase_add_test(t, the_limit_is_never_below_ten);
	tcase_add_test(t, no_attack_tells_a_cell_of_a_table);
	tcase_add_test(t, no_attack_tells_a_cell_of_two_lists_with_one_total);
	tcase_add_test(t, a_higher_limit_hides_all_that_a_lower_one_hides);
	tcase_add_test(t,
	    the_room_that_it_tells_is_the_one_that_the_attack_finds);
	tcase_add_test(t, the_attack_finds_what_is_not_protected);
	tcase_add_test(t, numbers_that_do_not_add_up_are_refused);
	tcase_add_test(t, a_thousand_practices_are_done_at_once);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
