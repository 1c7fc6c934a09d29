/* test_report_view.c - the text of report and leaks: orders, limits, widths, what is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "function_order.h"
#include "leaks_view.h"
#include "quality.h"
#include "report_view.h"
#include "text.h"
#include "totals_view.h"
#include "view_fixture.h"
#include "view_width.h"
#include <stdlib.h>

static struct view_fixture fixture;
static char *text;
static int together, leads;

static int set_up(void **state)
{
    (void)state;
    fixture_make(&fixture);
    fixture_function(&fixture, "_start", FUNCTION_RESOLVED | FUNCTION_START, 8 << 20, 0, 5);
    fixture_function(&fixture, "main", FUNCTION_RESOLVED | FUNCTION_MAIN, 8 << 20, 0, 5);
    fixture_function(&fixture,
                     "std::map<std::string, std::vector<std::map<int, std::string> > >::"
                     "operator[](std::string const&)",
                     FUNCTION_RESOLVED, 4 << 20, 1, 2);
    fixture_function(&fixture, "app+0x1234", 0, 2 << 20, 1, 2);
    fixture_function(&fixture, "esc\x1b[31m", FUNCTION_RESOLVED, 1 << 20, 1, 2);
    fixture.usages[3].heap.self.own_peak_bytes = 77;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(text);
    text = NULL;
    return 0;
}

/* All times of a recording are of one clock: a child says when it began by that. */
static void test_clock_of_a_child(void **state)
{
    (void)state;
    char *head = NULL;
    size_t bytes;
    fixture.process.begin_ns = 2 * FIXTURE_SECOND;
    FILE *out = open_memstream(&head, &bytes);
    report_text_head(&fixture.image, NULL, out);
    fclose(out);
    assert_non_null(strstr(head, ", 3.000 s from 2.000 s on, "));
    free(head);
    fixture.process.begin_ns = 0;
    out = open_memstream(&head, &bytes);
    report_text_head(&fixture.image, NULL, out);
    fclose(out);
    assert_non_null(strstr(head, ", 5.000 s, "));
    free(head);
}

static void make_text(long count, const char *sort)
{
    struct family_fixture relatives;
    fixture_family(&relatives, &fixture);
    struct report report = {.image = &fixture.image,
                            .sort = sort,
                            .count = count,
                            .family = &relatives.family,
                            .source = together ? NULL : &fixture.image};
    if (leads) { /* the second relative is shown, beside the sum */
        report.together = &fixture.image;
        report.shown = 1;
    }
    size_t bytes;
    free(text);
    FILE *out = open_memstream(&text, &bytes);
    report_text(&report, out);
    fclose(out);
    fixture_check_width(text);
}

static void test_text(void **state)
{
    (void)state;
    make_text(-1, "peak");
    assert_non_null(strstr(text, "8.00 MiB at 2.000 s"));
    assert_non_null(strstr(text, "300 B in 3 blocks"));
    assert_non_null(strstr(text, " 1  main"));
    assert_null(strstr(text, "  _start "));
    assert_non_null(strstr(text, " 2  std::map<std::string, std::"));
    assert_non_null(strstr(text, ">::operator[] "));
    assert_non_null(strstr(text, "esc\\x1b[31m"));
    assert_null(strchr(text, '\x1b'));
    assert_non_null(strstr(text, "  42 app it's"));
    assert_non_null(strstr(text, "    43 helper --with"));
    assert_non_null(strstr(text, "child.mprof"));
    assert_null(strstr(text, "together"));
    assert_null(strstr(text, "quality"));
}

/* What functions held at the tree's peak is not known: no figure stands there. */
static void test_text_of_a_tree(void **state)
{
    (void)state;
    together = 1;
    make_text(-1, "peak");
    together = 0;
    assert_non_null(strstr(text, "2 processes together"));
    assert_non_null(strstr(text, "5.000 s          -"));
}

/* A family whose first process only starts others: the sum, which options show what, the biggest.
 */
static void test_text_of_a_leader(void **state)
{
    (void)state;
    leads = 1;
    make_text(-1, "peak");
    leads = 0;
    const char *sum = strstr(text, "2 processes together\n");
    const char *hint = strstr(text, "--tree, or plot -C and -M; for one --pid N");
    const char *biggest = strstr(text, "process 43, started by 42");
    assert_true(sum && hint && biggest && sum < hint && hint < biggest);
    assert_non_null(strstr(sum, "samples, summed"));
    assert_non_null(strstr(biggest, "functions, by peak"));
}

/* A family of older captures, summed, says what it knows: the heap, and how much was mapped. */
static void test_totals_without_parts(void **state)
{
    (void)state;
    size_t bytes;
    struct totals *t = &fixture.process.totals;
    t->mapped_peak_bytes = 21 << 20;
    t->memory_peak_bytes = t->peak_bytes;
    fixture.process.series_unknown = 1;
    FILE *out = open_memstream(&text, &bytes);
    totals_text(&fixture.process, SERIES_MEMORY, 1, out);
    fclose(out);
    assert_non_null(strstr(text, "21.00 MiB at"));
    assert_null(strstr(text, "heap + "));
}

/* Nobody knows how much address space all had reserved at once: what is summed is called a sum. */
static void test_space(void **state)
{
    (void)state;
    fixture.process.totals.maps = 1;
    fixture.process.totals.reserved_peak_bytes = fixture.process.totals.file_peak_bytes = 3 << 20;
    fixture.process.totals.reserved_at_end_bytes = 1 << 20;
    for (int sums = 0; sums < 2; sums++) {
        size_t bytes;
        free(text);
        FILE *out = open_memstream(&text, &bytes);
        totals_text(&fixture.process, SERIES_MEMORY, sums, out);
        fclose(out);
        fixture_check_width(text);
        assert_true(sums ==
                    !strstr(text, "  reserved            3.00 MiB at most, 1.00 MiB at the end"));
        assert_true(sums == !!strstr(text,
                                     "  reserved            3.00 MiB, sum of each one's highest; "
                                     "1.00 MiB at the end\n"));
        assert_true(sums == !!strstr(text,
                                     "  mapped files        3.00 MiB, sum of each one's highest; "
                                     "0 B at the end\n"));
    }
}

/* The kernel's figure and the highest sample are told apart. */
static void test_resident_set(void **state)
{
    (void)state;
    make_text(-1, "peak");
    assert_non_null(strstr(text, "10.00 MiB (the highest sample)"));
    fixture.process.totals.rss_mark_bytes = 11 << 20;
    make_text(-1, "peak");
    assert_non_null(strstr(text, "11.00 MiB (the kernel's high-water mark)"));
    fixture.process.totals.rss_mark_bytes = (10 << 20) - 4096; /* the kernel counts in batches */
    make_text(-1, "peak");
    assert_non_null(strstr(text, "10.00 MiB (the kernel's high-water mark)"));
    fixture.process.totals.rss_mark_bytes = 11 << 20;
    together = 1;
    make_text(-1, "peak");
    together = 0;
    assert_non_null(strstr(text, "11.00 MiB (the largest process alone)"));
    /* Of a sum the bigger one, however little it is bigger: the two are of different processes. */
    fixture.process.totals.rss_mark_bytes = (10 << 20) - 1;
    together = 1;
    make_text(-1, "peak");
    together = 0;
    assert_non_null(strstr(text, "10.00 MiB (samples, summed)"));
}

static void test_quality_is_never_silent(void **state)
{
    (void)state;
    fixture.process.quality.lost = 1;
    fixture.process.quality.implied_frees = 1200;
    make_text(-1, "peak");
    assert_non_null(strstr(text, "1 event lost, 1,200 implied frees"));
    assert_non_null(strstr(text, "at 2.000 s (about)"));
    fixture.process.quality.lost = 9;
    fixture.process.quality.loss = (struct loss){
        .allocations = 5, .bytes = 640, .frees = 3, .others = 1, .since_ns = 3000000000u};
    make_text(-1, "peak");
    assert_non_null(strstr(text, "9 events lost since 3.000 s"));
    assert_non_null(strstr(text, "(5 allocations of 640 B, 3 frees"));
    assert_non_null(strstr(text, "at 2.000 s (at least)")); /* the peak came before */
    assert_non_null(strstr(text, "3 blocks (about)"));
    fixture.process.quality.loss.frees = 0;
    make_text(-1, "peak");
    assert_non_null(strstr(text, "3 blocks (at least)"));
    fixture.process.quality.loss = (struct loss){0};
    fixture.process.quality.lost = fixture.process.quality.implied_frees = 0;
    fixture.process.quality.nameless_modules = 2;
    fixture.process.quality.undebugged_modules = 1;
    make_text(-1, "peak");
    assert_non_null(strstr(text, "2 modules without names, 1 module with unread"));
    struct quality none = {0};
    assert_null(quality_of_all(&none));
}

/* What is missing of modules stands below the figures, of the first ones. */
static void test_gaps(void **state)
{
    (void)state;
    struct module_gap gaps[12];
    for (size_t i = 0; i < 12; i++)
        gaps[i] = (struct module_gap){i ? "/usr/lib/other.so" : "/usr/lib/one.so",
                                      "of a reason that is told in so many words that they need "
                                      "another line",
                                      i != 1};
    fixture.image.gaps = gaps;
    fixture.image.gap_count = 2;
    make_text(-1, "peak");
    assert_non_null(strstr(text, "  no names of one.so: of a reason"));
    assert_non_null(strstr(text, "  no debug information of other.so: of a"));
    fixture.image.gap_count = 12;
    make_text(-1, "peak");
    assert_non_null(strstr(text, "and of 5 more modules: --json has them all\n"));
    fixture.image.gap_count = 0;
}

/* Rows that would look alike say all that tells them apart; the others do not. */
static void test_twins(void **state)
{
    (void)state;
    static const char long_name[] =
        "void work::on<std::pair<std::string, std::vector<std::map<int, std::string> > > >(%s)";
    char one[256], two[256];
    snprintf(one, sizeof one, long_name, "int");
    snprintf(two, sizeof two, long_name, "long");
    fixture_function(&fixture, one, FUNCTION_RESOLVED, 3 << 20, 1, 2);
    fixture_function(&fixture, two, FUNCTION_RESOLVED, 3 << 20, 1, 2);
    for (size_t i = fixture.image.function_count - 2; i < fixture.image.function_count; i++) {
        fixture.functions[i].file = "";
        fixture.functions[i].line = 0;
    }
    make_text(-1, "peak");
    assert_non_null(strstr(text, " > > >(int), /usr/bin/app\n"));
    assert_non_null(strstr(text, " > > >(long), /usr/bin/app\n"));
    assert_null(strstr(text, "main, "));
    fixture.functions[fixture.image.function_count - 1].file = "other.c";
    make_text(-1, "peak");
    assert_null(strstr(text, "/usr/bin/app"));
}

static void test_limit(void **state)
{
    (void)state;
    make_text(1, "peak");
    assert_non_null(strstr(text, " 1  main"));
    assert_null(strstr(text, " 2  "));
    assert_non_null(strstr(text, "and 3 more: -n 4 shows all"));
    make_text(0, "peak");
    assert_null(strstr(text, "functions"));
}

static void test_failed(void **state)
{
    (void)state;
    make_text(-1, "peak");
    assert_null(strstr(text, "failed"));
    fixture.process.totals.failed = 4;
    fixture.failures[0] = (struct failure){2, 1, UINT64_MAX, UINT64_MAX, 5000, 5000};
    fixture.failures[1] =
        (struct failure){4, 3, 3ull << 30, 2ull << 30, FIXTURE_SECOND, 2 * FIXTURE_SECOND};
    fixture.process.failures = fixture.failures;
    fixture.process.failure_count = 2;
    make_text(-1, "peak");
    assert_non_null(strstr(text, "  failed                     4 allocations, the largest of 16 "
                                 "EiB or more\n"));
    assert_non_null(strstr(text, "\n16 EiB or more asked for in 1 allocation at 5.0 us\n"));
    assert_non_null(strstr(text, "\n3.00 GiB asked for in 3 allocations from 1.000 s to 2.000 s\n"
                                 "    app+0x1234"));
}

static void expect_first(const char *key, uint32_t function)
{
    size_t count;
    const struct function_usage **order =
        function_order(&fixture.image, &fixture.process, SERIES_HEAP, key, &count);
    assert_int_equal(order[0]->function, function);
    free(order);
}

static void test_orders(void **state)
{
    (void)state;
    expect_first("peak", 0); /* equal to main's, _start comes first by name */
    expect_first("self", 3);
    expect_first("live", 4);
    expect_first("name", 0);
    fixture.usages[2].heap.inclusive.allocations = 99;
    expect_first("allocations", 2);
    fixture.usages[4].heap.inclusive.allocated_bytes = 1ull << 40;
    expect_first("bytes", 4);
    fixture.usages[3].heap.inclusive.at_peak_bytes = 1ull << 40;
    expect_first("at-peak", 3);
}

static void make_leaks(enum series series)
{
    size_t bytes;
    free(text);
    FILE *out = open_memstream(&text, &bytes);
    leaks_text(&fixture.image, series, 0, NULL, -1, 0, out);
    fclose(out);
    fixture_check_width(text);
}

static void test_leaks_of_none(void **state)
{
    (void)state;
    fixture.process.totals.live_at_end_bytes = fixture.process.totals.live_at_end_blocks = 0;
    for (enum series series = 0; series < SERIES_COUNT; series++) {
        make_leaks(series);
        int is_mapped = series == SERIES_MAPPED;
        assert_true(is_mapped == !strstr(text, "live at exit: 0 B in 0 blocks of 0 stacks\n"));
        assert_true(is_mapped == !!strstr(text, "mapped at exit: 0 B of 0 stacks\n"));
    }
}

/* The sums are those of the series, also where one of both has no leaks. */
static void test_leaks_of_one_series(void **state)
{
    (void)state;
    struct process *p = &fixture.process;
    fixture.leaks[0] = (struct leak){2, 3, 300, 5, 5};
    fixture.leaks[1] = (struct leak){1, 2, 8192, 7, 7};
    p->leaks = &fixture.leaks[0];
    p->leak_count = 1;
    make_leaks(SERIES_MAPPED);
    assert_non_null(strstr(text, "mapped at exit: 0 B of 0 stacks\n"));
    assert_null(strstr(text, "live at exit"));
    make_leaks(SERIES_MEMORY);
    assert_non_null(strstr(text, "live at exit: 300 B in 3 blocks of 1 stack\n"));
    assert_null(strstr(text, "mapped at exit"));
    p->mapped_leaks = &fixture.leaks[1];
    p->mapped_leak_count = 1;
    p->totals.mapped_at_end_bytes = 8192;
    make_leaks(SERIES_MEMORY);
    assert_non_null(strstr(text, "live at exit: 300 B in 3 blocks of 1 stack\n"
                                 "mapped at exit: 8.00 KiB of 1 stack\n"));
    make_leaks(SERIES_HEAP);
    assert_null(strstr(text, "mapped at exit"));
    p->leak_count = 0;
    make_leaks(SERIES_HEAP);
    assert_non_null(strstr(text, "live at exit: 300 B in 3 blocks of 0 stacks\n"));
    make_leaks(SERIES_MEMORY);
    assert_non_null(strstr(text, "live at exit: 300 B in 3 blocks of 0 stacks\n"));
    p->totals.live_at_end_bytes = p->totals.live_at_end_blocks = 0;
    make_leaks(SERIES_MEMORY);
    assert_null(strstr(text, "live at exit"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_text_of_a_tree, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_clock_of_a_child, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_text_of_a_leader, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_totals_without_parts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_space, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_resident_set, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_quality_is_never_silent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gaps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_twins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_orders, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_leaks_of_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_leaks_of_one_series, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
