/* test_one_series.c - report with one series: what is shown is of that alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report_view.h"
#include "totals_view.h"
#include "view_fixture.h"
#include <stdlib.h>

static struct view_fixture fixture;
static char *text;

/* "fill" has blocks, of which one was not to be had; `mapped`: "map" has mapped memory. */
static void begin(int mapped)
{
    struct process *p = &fixture.process;
    fixture_make(&fixture);
    fixture_function(&fixture, "fill", FUNCTION_RESOLVED, 8 << 20, 0, 5);
    fixture_function(&fixture, "map", FUNCTION_RESOLVED, 0, 0, 5);
    fixture.usages[1].heap = (struct series_usage){0};
    if (mapped) {
        fixture.usages[1].mapped = fixture.usages[0].heap;
        p->totals.mapped_peak_bytes = p->totals.memory_peak_bytes = 21 << 20;
        p->totals.mapped_at_end_bytes = 4096;
        p->totals.maps = 1;
    }
    for (int i = 0; i < 2; i++)
        fixture.usages[i].memory = *function_series(&fixture.usages[i], (enum series)i);
    fixture.failures[0] = (struct failure){1, 1, 9ull << 30, 9ull << 30, 5, 5};
    p->failures = fixture.failures;
    p->failure_count = 1;
    p->totals.failed = 1;
}

static int end(void **state)
{
    (void)state;
    free(text);
    text = NULL;
    return 0;
}

static void make_report(enum series series)
{
    struct family_fixture relatives;
    size_t bytes;
    fixture_family(&relatives, &fixture);
    struct report report = {.image = &fixture.image,
                            .series = series,
                            .sort = "peak",
                            .count = -1,
                            .family = &relatives.family,
                            .source = &fixture.image};
    free(text);
    FILE *out = open_memstream(&text, &bytes);
    report_text(&report, out);
    fclose(out);
}

static int says(const char *words)
{
    return strstr(text, words) != NULL;
}

static void test_both(void **state)
{
    (void)state;
    begin(1);
    make_report(SERIES_MEMORY);
    assert_true(says("  fill ") && says("  map ") && says("imap, smap") && says("failed"));
    make_report(SERIES_HEAP);
    assert_true(says("  fill ") && !says("  map ") && !says("map") && says("failed"));
    make_report(SERIES_MAPPED);
    assert_true(!says("  fill ") && says("  map ") && !says("incl"));
}

/* Of the two parts, those that are 0 are left out. */
static void test_parts_of_the_peak(void **state)
{
    (void)state;
    struct totals *t = &fixture.process.totals;
    begin(1);
    t->mapped_then_bytes = 20 << 20;
    make_report(SERIES_MEMORY);
    assert_true(says(" = 1.00 MiB heap + 20.00 MiB mapped\n") && says("  mapped at end "));
    t->mapped_then_bytes = 21 << 20;
    make_report(SERIES_MEMORY);
    assert_true(says(" = 21.00 MiB mapped\n"));
    t->mapped_then_bytes = t->mapped_at_end_bytes = 0;
    make_report(SERIES_MEMORY);
    assert_true(says("  mapped peak ") && !says(" = ") && !says("mapped at end"));
    make_report(SERIES_MAPPED);
    assert_true(says("  mapped at end            0 B in 0 pieces"));
}

/* A table without rows says nothing. */
static void test_nothing_of_it(void **state)
{
    (void)state;
    begin(0);
    make_report(SERIES_MAPPED);
    assert_false(says("functions, by"));
    make_report(SERIES_MEMORY);
    assert_true(says("functions, by peak\n") && !says("map"));
    begin(1);
    fixture.usages[0].heap = (struct series_usage){0};
    make_report(SERIES_HEAP);
    assert_false(says("functions, by"));
    make_report(SERIES_MAPPED);
    assert_true(says("functions, by"));
}

/* Allocations are the heap's, also those that failed. */
static void test_failed(void **state)
{
    (void)state;
    begin(1);
    make_report(SERIES_MAPPED);
    assert_false(says("failed"));
    assert_false(says("asked for"));
}

/* An older capture knows how much was mapped, and no more than that of it. */
static void test_older(void **state)
{
    (void)state;
    begin(1);
    fixture.usages[1] = (struct function_usage){.function = 1};
    fixture.process.series_unknown = 1;
    make_report(SERIES_HEAP);
    assert_false(says("map"));
    make_report(SERIES_MEMORY);
    assert_true(says("  mapped peak        21.00 MiB at"));
    assert_false(says("mapped at end"));
    assert_false(says("imap"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_both, end),
        cmocka_unit_test_teardown(test_parts_of_the_peak, end),
        cmocka_unit_test_teardown(test_nothing_of_it, end),
        cmocka_unit_test_teardown(test_failed, end),
        cmocka_unit_test_teardown(test_older, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
