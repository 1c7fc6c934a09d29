/* test_gnuplot_characters.c - a plot in characters and its legend. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gnuplot_process.h"
#include "plot_fixture.h"
#include <stdlib.h>

static char *legend_of(const struct plot *plot)
{
    struct picture picture = {.kind = PICTURE_TEXT, .columns = 79, .lines = 24};
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    gnuplot_text_legend(plot, &picture, out);
    fclose(out);
    return text;
}

static char *drawing_of(struct plot *plot)
{
    size_t bytes;
    char *script = script_of(plot, PICTURE_TEXT, &bytes);
    struct gnuplot_output output;
    int error = gnuplot_run(script, bytes, &output);
    if (error == GNUPLOT_MISSING)
        skip();
    assert_int_equal(error, GNUPLOT_OK);
    char *drawing = strdup(output.picture);
    gnuplot_output_free(&output);
    free(script);
    return drawing;
}

static void test_parts(void **state)
{
    (void)state;
    struct plot plot = make_plot_of_memory();
    size_t bytes;
    char *text = legend_of(&plot);
    assert_non_null(strstr(text, "s\n     2.00 MiB heap + 6.00 MiB mapped\n"));
    assert_non_null(strstr(text, "  #  mapped memory\n"));
    free(text);
    text = script_of(&plot, PICTURE_TEXT, &bytes);
    assert_non_null(strstr(text, "$mapped with lines linetype 2"));
    free(text);
    fixture.buckets[2].max_mapped_bytes = 0; /* of the peak it is nothing */
    text = legend_of(&plot);
    assert_null(strstr(text, " heap"));
    assert_non_null(strstr(text, "  #  mapped memory\n"));
    free(text);
}

/* Nothing is turned in characters: the unit stands above the axis. */
static void test_the_unit_is_shown(void **state)
{
    (void)state;
    struct plot plot = make_plot();
    char *drawing = drawing_of(&plot);
    assert_non_null(strstr(drawing, "heap used (in MiB)"));
    free(drawing);
}

/* The axis reaches as high as what is drawn, no higher. */
static void test_resident_set(void **state)
{
    (void)state;
    struct plot plot = make_plot();
    size_t bytes;
    char *script = script_of(&plot, PICTURE_TEXT, &bytes), *text = legend_of(&plot);
    assert_non_null(strstr(script, "$rss with lines linetype 4"));
    assert_non_null(strstr(script, "set yrange [0:11]\n"));
    assert_non_null(strstr(text, "  %  RSS samples, up to 10.00 MiB\n"));
    free(script);
    free(text);
    for (int i = 0; i < 3; i++)
        fixture.samples[i].rss_bytes = 100 * FIXTURE_MIB;
    script = script_of(&plot, PICTURE_TEXT, &bytes);
    text = legend_of(&plot);
    assert_null(strstr(script, "$rss with"));
    assert_non_null(strstr(script, "set yrange [0:8.8]\n"));
    assert_non_null(strstr(text, "     RSS samples, up to 100.00 MiB, above what is drawn\n"));
    free(script);
    free(text);
}

static void test_slope(void **state)
{
    (void)state;
    struct plot plot = make_plot();
    size_t bytes;
    plot.slope = 1;
    char *script = script_of(&plot, PICTURE_TEXT, &bytes), *text = legend_of(&plot);
    assert_non_null(strstr(script, "with lines linetype 3, $line0 with lines linetype 1\n"));
    assert_non_null(strstr(text, "  $  slope "));
    free(script);
    free(text);
}

/* A tree has one start; its processes have begins of their own. */
static void test_a_family(void **state)
{
    (void)state;
    struct plot plot = make_plot_of_memory();
    struct plot_line lines[2] = {line, line};
    struct process child = fixture.process;
    struct image image = fixture.image;
    child.begin_ns = 3 * FIXTURE_SECOND / 2;
    image.processes = &child;
    lines[0].name = "42 sh";
    lines[1].name = "child 43 app";
    lines[1].image = &image;
    plot.lines = lines;
    plot.line_count = 2;
    plot.is_family = 1;
    char *text = legend_of(&plot);
    assert_int_equal(count_of(text, " - start at "), 1);
    assert_non_null(strstr(text, "  *  42 sh\n"));
    assert_non_null(strstr(text, "  #  child 43 app, from 1.500 s on\n"));
    free(text);
}

/* Where there are no characters left, lines share the last, and lie below the others. */
static void test_many_lines(void **state)
{
    (void)state;
    struct plot plot = make_plot();
    struct plot_line lines[23];
    size_t bytes;
    for (size_t i = 0; i < 23; i++)
        lines[i] = line;
    plot.lines = lines;
    plot.line_count = 23;
    char *script = script_of(&plot, PICTURE_TEXT, &bytes), *text = legend_of(&plot);
    assert_non_null(
        strstr(script, "plot $line6 with lines linetype 7, $line7 with lines linetype 7, "));
    assert_non_null(
        strstr(script, "$line22 with lines linetype 7, $line0 with lines linetype 1, "));
    assert_non_null(strstr(script, "$line5 with lines linetype 6\n"));
    assert_int_equal(count_of(text, "\n  =  "), 15); /* with a name, and one row for the rest */
    assert_non_null(strstr(text, "  =  3 more\n"));
    free(script);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_parts, set_up),
        cmocka_unit_test_setup(test_the_unit_is_shown, set_up),
        cmocka_unit_test_setup(test_resident_set, set_up),
        cmocka_unit_test_setup(test_slope, set_up),
        cmocka_unit_test_setup(test_a_family, set_up),
        cmocka_unit_test_setup(test_many_lines, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
