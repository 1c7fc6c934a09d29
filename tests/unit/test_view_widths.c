/* test_view_widths.c - tables with the widest figures: columns stay apart, and lines within 79. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "family_view.h"
#include "leaks_view.h"
#include "report_view.h"
#include "text.h"
#include "units.h"
#include "view_fixture.h"
#include <regex.h>
#include <stdlib.h>

#define WIDTH       79
#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

/* Figures. */
#define BYTES "[0-9]{1,4}(\\.[0-9]{1,2})? ([KMGTPE]i)?B"
#define TIME  "[0-9]+(\\.[0-9]+)?(e\\+[0-9]+)? (us|ms|s)"
#define COUNT "([0-9,]+|[0-9.]+ [MGTPE])"

/* The rows of a table begin below its heading and its titles, those of functions with a label. */
static const struct table {
    const char *heading, *row, *figures;
} tables[] = {
    {"functions, by ", "^ [a-z]+ ",
     "^ [a-z]+ +" BYTES " +" TIME " +" BYTES " +" COUNT " +" BYTES " +" COUNT " +" BYTES "$"},
    {"threads, by ", "B$",
     "( [0-9]+|later ones|heap|mapped) +" BYTES " +" BYTES " +" COUNT " +" BYTES " +" BYTES "$"},
    {"processes, each ", "B  ", " " BYTES "( +" BYTES " +" BYTES ")?  [a-z.]+$"},
};

/* Each of them has as many characters as its unit can take. */
static const uint64_t wide_bytes[] = {1030000,    1071644672,    1066192076,           1048575,
                                      1073741823, 1098974756864, 1098974756864 * 1024, UINT64_MAX};
static const uint64_t wide_counts[] = {7, 9999999, 999999999, 999999999999, UINT64_MAX};
static const uint64_t wide_times[] = {999999999, 999999, 999999999999, 1000000000000000,
                                      UINT64_MAX};

static struct view_fixture fixture;
static struct family_fixture relatives;
static struct thread_usage threads[3];
static char *text;

static struct usage wide_usage(uint64_t bytes, uint64_t count, uint64_t ns)
{
    return (struct usage){.allocations = count,
                          .allocated_bytes = bytes,
                          .own_peak_bytes = bytes,
                          .own_peak_ns = ns,
                          .at_peak_bytes = bytes,
                          .live_at_end_bytes = bytes,
                          .live_at_end_blocks = count,
                          .temporary = count};
}

static void fill_series(struct series_usage *series, struct usage usage)
{
    series->self = series->inclusive = usage;
}

/* Everything has the same figures, parts and sum: only how they are printed matters. */
static void make_wide(uint64_t bytes, uint64_t count, uint64_t ns)
{
    struct process *p = &fixture.process;
    struct usage usage = wide_usage(bytes, count, ns);
    fixture_make(&fixture);
    fixture_function(&fixture, "main", FUNCTION_RESOLVED | FUNCTION_MAIN, 1, 0, 5);
    fixture_function(&fixture, "mapping", FUNCTION_RESOLVED, 1, 0, 5);
    for (size_t i = 0; i < 2; i++) {
        fill_series(&fixture.usages[i].heap, usage);
        fill_series(&fixture.usages[i].mapped, usage);
        fill_series(&fixture.usages[i].memory, usage);
    }
    fixture.usages[1].heap.self.allocations = fixture.usages[1].heap.inclusive.allocations = 0;
    for (uint32_t i = 0; i < 3; i++)
        threads[i] = (struct thread_usage){.serial = i,
                                           .threads = 1 + i / 2,
                                           .tid = 4194303,
                                           .name = "fifteen_letters",
                                           .heap = usage,
                                           .mapped = usage,
                                           .memory = usage};
    p->threads = threads;
    p->thread_usage_count = 3;
    p->totals.peak_bytes = p->totals.mapped_peak_bytes = p->totals.memory_peak_bytes = bytes;
    p->totals.mapped_then_bytes = bytes / 2;
    fixture_family(&relatives, &fixture);
    relatives.relatives[1].has_figures = 1;
    relatives.relatives[1].totals = p->totals;
    for (int i = 0; i < 2; i++)
        relatives.kin[i].pid = 4194303 - i;
}

static FILE *begin(void)
{
    static size_t bytes;
    free(text);
    text = NULL;
    return open_memstream(&text, &bytes);
}

static const char *sort = "peak";
static long shown = -1;

static void make_report(enum series series)
{
    struct report report = {.image = &fixture.image,
                            .series = series,
                            .sort = sort,
                            .count = shown,
                            .family = &relatives.family,
                            .source = &fixture.image};
    FILE *out = begin();
    report_text(&report, out);
    fclose(out);
}

static regex_t row_patterns[COUNT_OF(tables)], figure_patterns[COUNT_OF(tables)];

static int compile_patterns(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(tables); i++)
        if (regcomp(&row_patterns[i], tables[i].row, REG_EXTENDED | REG_NOSUB) != 0 ||
            regcomp(&figure_patterns[i], tables[i].figures, REG_EXTENDED | REG_NOSUB) != 0)
            return -1;
    return 0;
}

static int end(void **state)
{
    (void)state;
    free(text);
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        regfree(&row_patterns[i]);
        regfree(&figure_patterns[i]);
    }
    return 0;
}

static int matches(const char *line, const regex_t *pattern)
{
    return regexec(pattern, line, 0, NULL, 0) == 0;
}

/* table: that of the lines before; the new one where the line is a heading. */
static const struct table *check_line(const char *line, const struct table *table, size_t *rows)
{
    if (text_width(line) > WIDTH)
        fail_msg("wider than %d columns: %s", WIDTH, line);
    for (size_t i = 0; i < COUNT_OF(tables); i++)
        if (strncmp(line, tables[i].heading, strlen(tables[i].heading)) == 0)
            return &tables[i];
    if (!table || !matches(line, &row_patterns[table - tables]))
        return table;
    if (!matches(line, &figure_patterns[table - tables]))
        fail_msg("columns run together: %s", line);
    (*rows)++;
    return table;
}

static void check_text(size_t wanted)
{
    const struct table *table = NULL;
    size_t rows = 0;
    for (const char *line = text; *line; line += strcspn(line, "\n")) {
        char one[1024];
        line += *line == '\n';
        snprintf(one, sizeof one, "%.*s", (int)strcspn(line, "\n"), line);
        table = check_line(one, table, &rows);
    }
    if (rows != wanted)
        fail_msg("%zu rows, not %zu: %s", rows, wanted, text);
}

/* All combinations, as it matters what stands beside a figure. */
static void test_tables(void **state)
{
    (void)state;
    for (size_t b = 0; b < COUNT_OF(wide_bytes); b++)
        for (size_t c = 0; c < COUNT_OF(wide_counts); c++)
            for (size_t t = 0; t < COUNT_OF(wide_times); t++) {
                make_wide(wide_bytes[b], wide_counts[c], wide_times[t]);
                make_report(SERIES_HEAP);
                check_text(2 + 3 + 2);
                make_report(SERIES_MAPPED);
                check_text(4 + 3 + 2);
                make_report(SERIES_MEMORY); /* of what is both, three rows */
                check_text(6 + 2 + 9 + 2);
            }
}

/* Every order has its heading. */
static void test_headings(void **state)
{
    (void)state;
    static const char *const keys[] = {"peak",  "self", "at-peak", "allocations",
                                       "bytes", "live", "name"};
    make_wide(1030000, 7, 5);
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        sort = keys[i];
        make_report(SERIES_HEAP);
        check_text(2 + 3 + 2);
        make_report(SERIES_MAPPED);
        check_text(4 + 3 + 2);
        make_report(SERIES_MEMORY);
        assert_non_null(strstr(text, "imap, smap: of mapped memory"));
        check_text(6 + 2 + 9 + 2);
    }
    sort = "peak";
}

/* So many that their numbers need more columns. */
static void test_ranks(void **state)
{
    (void)state;
    enum { MANY = 1001 };
    static struct function functions[MANY];
    static struct function_usage usages[MANY];
    make_wide(1030000, 7, 5);
    for (uint32_t i = 0; i < MANY; i++) {
        functions[i] = fixture.functions[0];
        functions[i].name = "a_function_whose_name_alone_would_be_wider_than_a_line_of_the_text_is";
        usages[i] = fixture.usages[0];
        usages[i].function = i;
    }
    fixture.image.functions = functions;
    fixture.image.function_count = fixture.process.function_count = MANY;
    fixture.process.functions = usages;
    shown = MANY;
    make_report(SERIES_HEAP);
    shown = -1;
    assert_non_null(strstr(text, "\n99  a_func"));
    assert_non_null(strstr(text, "\n1001  a_func"));
    check_text(2 * MANY + 3 + 2);
}

/* A family that lacks much of what it could have. */
static void test_notes(void **state)
{
    (void)state;
    make_wide(1030000, 7, 5);
    relatives.family.cut = relatives.family.unread = relatives.family.missing = 12;
    free(text);
    text = family_sum_note(&relatives.family, 1);
    check_text(0);
    assert_non_null(strstr(text, "\nnot whole: 12 cut recordings, 12 unreadable recordings,\n"
                                 "           12 processes without a recording"));
    assert_int_not_equal(text[strlen(text) - 1], '\n');
}

/* Programs that ran for long, with all that can be said of them. */
static void test_totals(void **state)
{
    (void)state;
    static const struct ending endings[] = {
        {END_SIGNAL, 11, ""}, {END_EXEC, 0, "/usr/lib/a/very/long/path/to/a/program"}, {0}};
    for (size_t i = 0; i < COUNT_OF(endings); i++) {
        make_wide(1098974756864, 7, 5);
        struct process *p = &fixture.process;
        p->pid = 4194303;
        p->end_ns = 123456000;
        p->ending = endings[i];
        p->quality.lost = 1;
        p->quality.loss = (struct loss){.allocations = 1};
        p->totals.allocations = p->totals.frees = p->totals.live_at_end_blocks = 98765432109;
        p->totals.reserved_peak_bytes = p->totals.reserved_at_end_bytes = 1098974756864;
        p->totals.maps = p->totals.unmaps = 12345678;
        p->totals.live_at_end_bytes = p->totals.mapped_at_end_bytes = 1098974756864;
        make_report(SERIES_MEMORY);
        assert_non_null(strstr(text, " 98,765,432,109 allocations,"));
        assert_non_null(strstr(text, " 98,765,432,109 frees\n"));
        check_text(6 + 2 + 9 + 2);
    }
    assert_non_null(strstr(text, "123.456 ms, end not seen\n"));
}

static void test_leaks(void **state)
{
    (void)state;
    static struct leak leaks[1000];
    for (size_t i = 0; i < COUNT_OF(leaks); i++)
        leaks[i] = (struct leak){1, 98765432, 1098974756864, 999999999, 999999999999};
    make_wide(1098974756864, 7, 5);
    struct process *p = &fixture.process;
    p->quality.lost = 1;
    p->quality.loss = (struct loss){.allocations = 1};
    p->totals.live_at_end_bytes = p->totals.mapped_at_end_bytes = 1098974756864;
    p->totals.live_at_end_blocks = 98765432109;
    p->leaks = p->mapped_leaks = leaks;
    p->leak_count = p->mapped_leak_count = COUNT_OF(leaks);
    fixture.image.running = 1;
    FILE *out = begin();
    leaks_text(&fixture.image, SERIES_MEMORY, 0, NULL, -1, 0, out);
    fclose(out);
    check_text(0);
    assert_non_null(strstr(text, "98,765,432,109 blocks of 1,000 stacks"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables), cmocka_unit_test(test_headings),
        cmocka_unit_test(test_ranks),  cmocka_unit_test(test_notes),
        cmocka_unit_test(test_totals), cmocka_unit_test(test_leaks),
    };
    return cmocka_run_group_tests(tests, compile_patterns, end);
}
