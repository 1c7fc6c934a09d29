/* test_unmeasured.c - processes of a family without a resident set, each once, whatever it became.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "unmeasured.h"

enum { COUNT = 6 };

static struct kin kin[COUNT];
static struct relative relatives[COUNT];
static size_t order[COUNT] = {0, 1, 2, 3, 4, 5};
static unsigned char in_tree[COUNT] = {1, 1, 1, 1, 1, 1}, is_left[COUNT];
static struct family family = {.kin = kin,
                               .relatives = relatives,
                               .count = COUNT,
                               .order = order,
                               .order_count = COUNT,
                               .in_tree = in_tree,
                               .is_left = is_left};

static void set(size_t i, enum kin_kind kind, size_t starter, uint64_t sample, uint64_t mark)
{
    kin[i].kind = kind;
    kin[i].starter = starter;
    relatives[i].has_figures = 1;
    relatives[i].totals.rss_peak_bytes = sample;
    relatives[i].totals.rss_mark_bytes = mark;
}

static void test_counts(void **state)
{
    (void)state;
    set(0, KIN_FIRST, KIN_NONE, 10, 10);
    set(1, KIN_FORK, 0, 3, 3); /* became 2, which became 3, which counts */
    set(2, KIN_BECAME, 1, 0, 0);
    set(3, KIN_BECAME, 2, 7, 0);
    is_left[1] = is_left[2] = 1;
    set(4, KIN_EXEC, 0, 0, 5); /* a mark alone */
    set(5, KIN_FORK, 0, 0, 0); /* neither */
    struct unmeasured u = unmeasured_of(&family);
    assert_int_equal(u.unsampled, 2);
    assert_int_equal(u.unknown, 1);
    set(3, KIN_BECAME, 2, 0, 0);
    u = unmeasured_of(&family);
    assert_int_equal(u.unsampled, 3);
    assert_int_equal(u.unknown, 2);
    relatives[5].has_figures = 0; /* nothing is known of it at all */
    u = unmeasured_of(&family);
    assert_int_equal(u.unknown, 1);
}

/* The first process ends last. What is killed before is summed up to its last event only. */
static void test_unended(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        relatives[i] = (struct relative){.has_figures = 1, .end_ns = 100 - i};
        relatives[i].ending.kind = END_UNKNOWN;
        is_left[i] = 0;
    }
    relatives[1].ending.kind = END_EXITED;
    relatives[2].ending.kind = END_SIGNAL; /* `run` saw it */
    relatives[3].cut = 1;
    assert_int_equal(unmeasured_of(&family).unended, 2);
    relatives[0].runs_on = 1;
    assert_int_equal(unmeasured_of(&family).unended, 2);
    relatives[4].runs_on = 1;
    assert_int_equal(unmeasured_of(&family).unended, 1);
    relatives[0].runs_on = relatives[4].runs_on = 0;
    relatives[5].end_ns = 101; /* others had ended before */
    assert_int_equal(unmeasured_of(&family).unended, 2);
}

/* A window has those alone that lived in it. */
static void test_window(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        set(i, KIN_FORK, 0, 0, 0);
        is_left[i] = 0;
        kin[i].begin_ns = 100 * i;
        relatives[i].end_ns = 100 * i + 50;
    }
    assert_int_equal(unmeasured_within(&family, 0, UINT64_MAX).unsampled, COUNT);
    assert_int_equal(unmeasured_within(&family, 150, 201).unsampled, 2);
    assert_int_equal(unmeasured_within(&family, 151, 200).unsampled, 0);
    relatives[0].runs_on = 1;
    assert_int_equal(unmeasured_within(&family, 151, 200).unknown, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_counts),
                                       cmocka_unit_test(test_unended),
                                       cmocka_unit_test(test_window)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
