/* test_gnuplot_several.c - several lines: told apart, named, and what the legend says of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gnuplot_words.h"
#include "plot_fixture.h"
#include <stdlib.h>

#define MOST 40

static struct plot_line many[MOST];

static struct plot make_several(size_t count)
{
    struct plot plot = make_plot_of_memory();
    for (size_t i = 0; i < MOST; i++)
        many[i] = line;
    plot.lines = many;
    plot.line_count = count;
    return plot;
}

/* No areas are shown; the legend says how much of each peak was mapped. */
static void test_parts_of_several(void **state)
{
    (void)state;
    struct plot plot = make_several(2);
    size_t bytes;
    many[0].name = "child 12345 a long name of a program that ends";
    char *script = script_of(&plot, PICTURE_SVG, &bytes);
    assert_null(strstr(script, "filledcurves"));
    assert_non_null(strstr(script, "of a program that ends, peak 8.00 MiB\""));
    assert_int_equal(count_of(script, "title \"  6.00 MiB of it mapped\""), 2);
    free(script);
    plot = make_several(12); /* two rows each would be more than a page has */
    many[0].name = "child 12345 a long name of a program that ends";
    script = script_of(&plot, PICTURE_SVG, &bytes);
    assert_non_null(strstr(script, "ends, 8.00 MiB (6.00 MiB)\"")); /* all have one form */
    assert_int_equal(count_of(script, "title \"x.mprof, 8.00 MiB (6.00 MiB)\""), 11);
    assert_int_equal(count_of(script, "title \"peak (how much of it was mapped):\""), 1);
    assert_int_equal(count_of(script, "of it mapped"), 0);
    free(script);
    plot.is_family = plot.windowed = 1;
    script = script_of(&plot, PICTURE_SVG, &bytes);
    assert_non_null(strstr(script, "title \"child 12345 a")); /* whose pid stays */
    assert_non_null(strstr(script, "title \"highest here (how much of it was mapped):\""));
    free(script);
}

/* The style of the line in the picture. */
__attribute__((noinline)) static char *style_of(const char *script, size_t i)
{
    char begin[64];
    snprintf(begin, sizeof begin, "$line%zu with lines ", i);
    const char *found = strstr(script, begin);
    assert_non_null(found);
    found += strlen(begin);
    return strndup(found, (size_t)(strstr(found, ", $") - found));
}

/* Each line that has a name has a style of its own. */
static void test_lines_are_told_apart(void **state)
{
    (void)state;
    struct plot plot = make_several(21);
    size_t bytes;
    char *script = script_of(&plot, PICTURE_SVG, &bytes), *styles[21];
    assert_int_equal(count_of(script, "title \"x.mprof"), 21);
    for (size_t i = 0; i < 21; i++) {
        styles[i] = style_of(script, i);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(styles[i], styles[k]);
    }
    for (size_t i = 0; i < 21; i++)
        free(styles[i]);
    free(script);
}

/* However many lines lie over each other, the legend has room on the page; those without a name are
 * grey and below the others, and the legend says so. */
static void test_a_long_legend_is_cut(void **state)
{
    (void)state;
    struct plot plot = make_several(MOST);
    size_t bytes;
    char *script = script_of(&plot, PICTURE_PNG, &bytes);
    assert_int_equal(count_of(script, "NaN with"), 23); /* with a heading */
    assert_non_null(strstr(script, "linecolor rgb '#c4c4c4' title \"19 more\""));
    assert_non_null(
        strstr(script, "plot $line21 with lines linewidth 1 linecolor rgb '#c4c4c4', "));
    assert_non_null(
        strstr(script, "$line39 with lines linewidth 1 linecolor rgb '#c4c4c4', $line0 "));
    free(script);
    plot.line_count = 3;
    script = script_of(&plot, PICTURE_PNG, &bytes); /* names, parts and starts */
    assert_int_equal(count_of(script, "NaN with"), 9);
    free(script);
}

/* A slope that was asked for is in the legend, however many lines there are. */
static void test_slopes_of_several(void **state)
{
    (void)state;
    size_t bytes;
    for (size_t count = 2; count < 22; count++) { /* in rows of their own, while there is room */
        struct plot plot = make_several(count);
        plot.slope = 1;
        char *script = script_of(&plot, PICTURE_PNG, &bytes);
        assert_int_equal(count_of(script, " MiB/s\""), count);
        assert_int_equal(count_of(script, "title \"peak, slope:\""), count > 7);
        free(script);
    }
}

static void test_titles_of_several(void **state)
{
    (void)state;
    struct plot plot = make_several(3);
    struct image other = fixture.image;
    char *arguments[] = {"/usr/bin/other", "x"};
    size_t bytes;
    char *script = script_of(&plot, PICTURE_PNG, &bytes);
    assert_non_null(strstr(script, "set title \"./app it's\""));
    free(script);
    other.argv = arguments;
    many[1].image = &other;
    script = script_of(&plot, PICTURE_PNG, &bytes);
    assert_non_null(strstr(script, "set title \"app, other\""));
    free(script);
}

/* A window's legend says what lines reach there, even where it has nothing of the others. */
static void test_a_window(void **state)
{
    (void)state;
    struct plot plot = make_several(1);
    size_t bytes;
    plot.is_several = plot.windowed = 1;
    plot.end_ns = 19 * FIXTURE_SECOND / 10;
    many[0].line.count = 2;
    char *script = script_of(&plot, PICTURE_PNG, &bytes);
    assert_non_null(strstr(script, "title \"x.mprof, up to 4.00 MiB here\""));
    assert_non_null(strstr(script, "title \"  1.00 MiB of it mapped\""));
    free(script);
    assert_true(plot_line_is_shown(&plot, &many[0]));
    many[0].line.buckets += 2; /* from 2 s on */
    assert_false(plot_line_is_shown(&plot, &many[0]));
    many[0].line.count = 0;
    assert_false(plot_line_is_shown(&plot, &many[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_parts_of_several, set_up),
        cmocka_unit_test_setup(test_lines_are_told_apart, set_up),
        cmocka_unit_test_setup(test_a_long_legend_is_cut, set_up),
        cmocka_unit_test_setup(test_slopes_of_several, set_up),
        cmocka_unit_test_setup(test_titles_of_several, set_up),
        cmocka_unit_test_setup(test_a_window, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
