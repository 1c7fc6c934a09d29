/* test_gnuplot_page.c - what stands on a page has room there, in every kind of picture. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gnuplot_process.h"
#include "gnuplot_width.h"
#include "plot_fixture.h"
#include <stdlib.h>

#define SVG_FONT   13.0
#define PAGE_WIDTH 1260.0

static void test_widths(void **state)
{
    (void)state;
    assert_int_equal(gnuplot_width(""), 0);
    assert_true(gnuplot_width("iiii") < gnuplot_width("nnnn"));
    assert_true(gnuplot_width("nnnn") < gnuplot_width("MMMM"));
    assert_true(gnuplot_width("\xe6\xbc\xa2") > 100);
    char *fit = gnuplot_fit("abcdefghij", 300, 0);
    assert_string_equal(fit, "ab\xe2\x80\xa6ij");
    free(fit);
    fit = gnuplot_fit("abcdefghij\n", 10000, 0);
    assert_string_equal(fit, "abcdefghij\\x0a");
    free(fit);
}

/* As much as a legend can hold: parts, a slope, the resident set, and functions of both parts. */
static struct plot make_full_plot(void)
{
    struct plot plot = make_plot_of_memory();
    fixture_function(&fixture, "outside", FUNCTION_RESOLVED, FIXTURE_MIB, 0, 5);
    for (int i = 0; i < 9; i++) {
        struct function_usage *u = &fixture.usages[fixture.image.function_count];
        static const char *const names[] = {"MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM",
                                            "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii"};
        fixture_function(&fixture, names[i % 2], FUNCTION_RESOLVED | FUNCTION_MAIN, 5 * FIXTURE_MIB,
                         i, i + 1);
        u->memory = u->mapped = u->heap;
        u->mapped.inclusive.own_peak_bytes = i == 8 ? 0 : 1030111;
        u->memory.inclusive.own_peak_bytes = (uint64_t)(70 - i) * FIXTURE_MIB / 10;
        u->activations = 1234567;
    }
    plot.slope = 1;
    fixture.process.totals.rss_mark_bytes = 1055000111;
    return plot;
}

/* The words behind the tags at `at`. */
static char *words_at(const char *at)
{
    while (*at == '<')
        at = strchr(at, '>') + 1;
    return strndup(at, strcspn(at, "<"));
}

static void check_texts(const char *svg)
{
    size_t texts = 0;
    for (const char *at = svg; (at = strstr(at, "<g transform=\"translate(")) != NULL; at++) {
        double x = strtod(strchr(at, '(') + 1, NULL);
        const char *anchor = strstr(at, "text-anchor=\"start\""), *text = strstr(at, "<text");
        if (x < PAGE_WIDTH / 2 || !text || !anchor || anchor > text)
            continue;
        char *words = words_at(text);
        if (x + (double)gnuplot_width(words) * SVG_FONT / 100 > PAGE_WIDTH)
            fail_msg("'%s' runs off the page", words);
        free(words);
        texts++;
    }
    assert_true(texts > 20);
}

/* gnuplot says nothing where it leaves rows out. */
static void check_all_are_there(const char *script, const char *svg)
{
    for (const char *at = script; (at = strstr(at, " title \"")) != NULL;) {
        at += strlen(" title \"");
        char *title = strndup(at, strcspn(at, "\"")), *shown = title + strspn(title, " ");
        if (!strstr(svg, shown))
            fail_msg("the legend lacks '%s'", shown);
        free(title);
    }
}

static void test_a_full_legend_is_whole(void **state)
{
    (void)state;
    struct plot plot = make_full_plot();
    size_t bytes;
    for (int with_axis = 0; with_axis < 2; with_axis++) {
        for (int i = 0; i < 3; i++)
            fixture.samples[i].rss_bytes = (with_axis ? 1023u : 10u) * FIXTURE_MIB + 12345;
        struct picture picture = {.kind = PICTURE_SVG};
        struct plot_room room = gnuplot_room(&plot, &picture);
        struct plot_function *functions = plot_pick(&plot, &room, &plot.function_count);
        plot.functions = functions;
        char *script = script_of(&plot, PICTURE_SVG, &bytes);
        struct gnuplot_output output;
        int error = gnuplot_run(script, bytes, &output);
        if (error == GNUPLOT_MISSING)
            skip();
        assert_int_equal(error, GNUPLOT_OK);
        check_all_are_there(script, output.picture);
        check_texts(output.picture);
        gnuplot_output_free(&output);
        free(script);
        plot_functions_free(functions, plot.function_count);
        plot.functions = NULL;
        plot.function_count = 0;
    }
}

#define AXES_WIDTH 58.1 /* of the font's size: 0.6 * PAGE_WIDTH / SVG_FONT */

__attribute__((noinline)) static double place_in(const char *script)
{
    const char *words = strstr(script, "set label \"child 12345 of a long name: peak 8.00 MiB");
    assert_non_null(words);
    const char *at = strstr(words, " at graph ");
    assert_non_null(at);
    return strtod(at + strlen(" at graph "), NULL);
}

static double label_place(double seconds)
{
    struct plot plot = make_plot();
    struct plot_line lines[2] = {line, line};
    size_t bytes;
    fixture.buckets[2].max_ns = (uint64_t)(seconds * 1e9);
    lines[0].name = lines[1].name = "child 12345 of a long name";
    plot.lines = lines;
    plot.line_count = 2;
    plot.is_family = 1;
    char *script = script_of(&plot, PICTURE_SVG, &bytes);
    double place = place_in(script);
    free(script);
    return place;
}

/* Wherever the peak is, what is said of it stands over the axes, and over the peak if it can. */
static void test_the_peak_is_named_over_the_axes(void **state)
{
    (void)state;
    size_t width = gnuplot_width("child 12345 of a long name: peak 8.00 MiB at 2.000 s");
    double half = (double)width / 100 / AXES_WIDTH / 2;
    assert_true(label_place(0.1) >= half && label_place(0.1) < half + 0.06);
    assert_true(label_place(2.5) > 0.49 && label_place(2.5) < 0.51);
    assert_true(label_place(4.9) <= 1 - half && label_place(4.9) > 1 - half - 0.06);
}

/* A window shows the part of the resident set's line that lies in it, and says what that reaches.
 */
static void test_resident_set_in_a_window(void **state)
{
    (void)state;
    struct plot plot = make_plot();
    size_t bytes;
    fixture.samples[1].rss_bytes = 12 * FIXTURE_MIB;
    fixture.samples[2].rss_bytes = 20 * FIXTURE_MIB;
    plot.windowed = 1;
    plot.begin_ns = FIXTURE_SECOND / 2;
    plot.end_ns = 3 * FIXTURE_SECOND / 2;
    char *script = script_of(&plot, PICTURE_SVG, &bytes);
    assert_non_null(
        strstr(script, "$rss << EOD\n0.5 11\n1 12\n1.5 16\nEOD\n$samples << EOD\n1 12\nEOD"));
    assert_non_null(strstr(script, "title \"RSS, up to 16.00 MiB here\""));
    free(script);
    plot.begin_ns = 5 * FIXTURE_SECOND / 4; /* between two samples */
    script = script_of(&plot, PICTURE_SVG, &bytes);
    assert_non_null(strstr(script, "$rss << EOD\n1.25 14\n1.5 16\nEOD\n$samples << EOD\nEOD"));
    free(script);
    fixture.samples[0].ns = fixture.samples[2].ns = 9 * FIXTURE_SECOND; /* in disorder */
    fixture.samples[1].ns = FIXTURE_SECOND / 4;
    free(script_of(&plot, PICTURE_SVG, &bytes));
    fixture.samples[0].ns = fixture.samples[1].ns = fixture.samples[2].ns = 0;
    plot.begin_ns = 3 * FIXTURE_SECOND; /* behind the last one */
    plot.end_ns = 4 * FIXTURE_SECOND;
    script = script_of(&plot, PICTURE_SVG, &bytes);
    assert_null(strstr(script, "RSS"));
    assert_null(strstr(script, "y2tics"));
    free(script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_widths),
        cmocka_unit_test_setup(test_a_full_legend_is_whole, set_up),
        cmocka_unit_test_setup(test_the_peak_is_named_over_the_axes, set_up),
        cmocka_unit_test_setup(test_resident_set_in_a_window, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
