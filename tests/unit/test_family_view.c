/* test_family_view.c - the processes of a tree as text, and what is said of one of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "family_view.h"
#include "view_fixture.h"
#include "view_width.h"
#include <stdlib.h>

static struct view_fixture fixture;
static char *text;

static int set_up(void **state)
{
    (void)state;
    fixture_make(&fixture);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(text);
    text = NULL;
    return 0;
}

static void make_processes(const struct family_fixture *relatives, enum series series)
{
    size_t bytes;
    free(text);
    FILE *out = open_memstream(&text, &bytes);
    family_text(&relatives->family, series, out);
    fclose(out);
    fixture_check_width(text);
}

/* Peaks of processes are those of the series; where somebody has mapped memory, in their parts. */
static void test_processes_with_mapped_memory(void **state)
{
    (void)state;
    struct family_fixture f;
    fixture_family(&f, &fixture);
    f.relatives[0].totals.mapped_peak_bytes = 21 << 20;
    f.relatives[0].totals.memory_peak_bytes = 24 << 20;
    f.relatives[0].totals.mapped_then_bytes = 20 << 20;
    make_processes(&f, SERIES_MEMORY);
    assert_non_null(strstr(text, "       peak       heap     mapped  recording\n"));
    assert_non_null(strstr(text, "  24.00 MiB   4.00 MiB  20.00 MiB  root.mprof\n"));
    assert_null(strstr(text, " 0 B")); /* nothing is known of the other, which is said */
    assert_non_null(strstr(text, "(peaks that are missing here are in report --tree)\n"));
    f.relatives[1].has_figures = 1;
    f.relatives[1].totals.peak_bytes = f.relatives[1].totals.memory_peak_bytes = 5 << 20;
    make_processes(&f, SERIES_MEMORY);
    assert_non_null(strstr(text, "   5.00 MiB   5.00 MiB        0 B  child.mprof\n"));
    assert_null(strstr(text, "missing"));
    f.relatives[1].series_unknown = 1;
    make_processes(&f, SERIES_MEMORY);
    assert_non_null(strstr(text, "   5.00 MiB   5.00 MiB          -  child.mprof\n"));
    make_processes(&f, SERIES_HEAP);
    assert_non_null(strstr(text, "   8.00 MiB  root.mprof\n"));
    assert_null(strstr(text, "mapped"));
    make_processes(&f, SERIES_MAPPED);
    assert_non_null(strstr(text, "  21.00 MiB  root.mprof\n"));
    assert_null(strstr(text, "mapped"));
}

/* The second relative is what the first became, with a smaller peak. */
static void make_became(struct family_fixture *f)
{
    fixture_family(f, &fixture);
    f->relatives[0].totals.memory_peak_bytes = 9 << 20;
    f->relatives[1].has_figures = 1;
    f->relatives[1].totals.memory_peak_bytes = 4 << 20;
    f->kin[0].kind = KIN_FIRST;
    f->kin[0].starter = KIN_NONE;
    f->kin[1].kind = KIN_BECAME;
    f->kin[1].pid = 42;
    f->kin[1].depth = 0;
    f->is_left[0] = 1;
}

/* Each image has a row; a fork that led to an exec only where it held more than what it became, or
 * started others, which stand below it. */
static void test_processes_that_became_others(void **state)
{
    (void)state;
    struct family_fixture f;
    make_became(&f);
    make_processes(&f, SERIES_MEMORY);
    assert_non_null(strstr(text, "(the same pid again is what the process became by exec)\n"));
    const char *before = strstr(text, "\n  42 app "), *after = strstr(text, "\n  42 helper ");
    assert_true(before && after && before < after);
    assert_non_null(strstr(text, "   9.00 MiB  root.mprof\n"));
    f.relatives[0].totals.memory_peak_bytes = 0;
    make_processes(&f, SERIES_MEMORY);
    assert_non_null(strstr(text, "\n  42 app "));
    f.relatives[0].serial = 1;
    make_processes(&f, SERIES_MEMORY);
    assert_null(strstr(text, "\n  42 app "));
    assert_null(strstr(text, "the same pid"));
    f.relatives[0].totals.memory_peak_bytes = 9 << 20;
    make_processes(&f, SERIES_MEMORY);
    assert_non_null(strstr(text, "\n  42 app "));
    f.relatives[0].totals.memory_peak_bytes = 0;
    f.kin[1].kind = KIN_EXEC;
    make_processes(&f, SERIES_MEMORY);
    assert_non_null(strstr(text, "\n  42 app "));
}

static void make_note(const struct family_fixture *f, enum series series, int is_biggest)
{
    free(text);
    text = family_note(&f->family, 1, series, is_biggest);
}

/* Of a process: whose clock its times are of, and whether it held more before its exec. */
static void test_note(void **state)
{
    (void)state;
    struct family_fixture f;
    make_became(&f);
    make_note(&f, SERIES_MEMORY, 0);
    assert_string_equal(text, "before it became this it was app, which held 9.00 MiB; mprof-c "
                              "report --tree\nroot.mprof has both");
    f.relatives[1].clock_ns = FIXTURE_SECOND;
    f.relatives[1].totals.memory_peak_bytes = 9 << 20;
    make_note(&f, SERIES_MEMORY, 0);
    assert_string_equal(text, "times are since its recording began, at 1.000 s of the tree");
    make_note(&f, SERIES_MEMORY, 1);
    assert_non_null(strstr(text, " of the tree\nthe biggest of 1 processes; --pid N "));
    f.relatives[1].clock_ns = 0;
    make_note(&f, SERIES_MAPPED, 0);
    assert_null(text);
    make_note(&f, SERIES_MEMORY, 1);
    assert_int_equal(strncmp(text, "the biggest of", 14), 0);
}

/* Where nothing was mapped, or nothing is known of it, there is one figure. */
static void test_processes_of_a_heap(void **state)
{
    (void)state;
    struct family_fixture f;
    fixture_family(&f, &fixture);
    f.relatives[0].totals.memory_peak_bytes = 9 << 20;
    make_processes(&f, SERIES_MEMORY);
    assert_non_null(strstr(text, "   9.00 MiB  root.mprof\n"));
    assert_null(strstr(text, "mapped"));
    f.relatives[0].totals.mapped_peak_bytes = 21 << 20;
    f.relatives[0].series_unknown = 1;
    make_processes(&f, SERIES_MEMORY);
    assert_null(strstr(text, "mapped"));
}

/* Of a program in a folder with a blank the name is left, not what follows the blank. */
static void test_commands(void **state)
{
    (void)state;
    static const struct {
        const char *command, *wanted;
    } cases[] = {{"/usr/bin/app -x /a/b", "app -x /a/b"},
                 {"'/opt/My App/tool' -x", "'tool' -x"},
                 {"'/opt/My App/my tool' -x /a/b", "'my tool' -x /a/b"},
                 {"", "?"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct relative relative = {.command = cases[i].command};
        free(text);
        text = family_command(&relative, 40);
        assert_string_equal(text, cases[i].wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_processes_with_mapped_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_processes_that_became_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_note, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_processes_of_a_heap, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_commands, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
