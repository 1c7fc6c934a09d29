/* test_gnuplot_parts.c - the two parts of memory in a picture, and what stands beside them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gnuplot_words.h"
#include "plot_fixture.h"
#include <stdlib.h>

/* Below a single line of memory lie its parts, and the legend says what each was at the peak. */
static void test_parts_of_memory(void **state)
{
    (void)state;
    size_t bytes;
    struct plot plot = make_plot();
    char *script = script_of(&plot, PICTURE_SVG, &bytes);
    assert_null(strstr(script, "$mapped"));
    assert_non_null(strstr(script, "'heap used (in MiB)'"));
    free(script);
    plot = make_plot_of_memory();
    script = script_of(&plot, PICTURE_SVG, &bytes);
    assert_non_null(strstr(script, "$mapped << EOD\n0 0\n1 0\n1 1\n1.5 1\n1.5 6\n5 6\nEOD\n"));
    assert_non_null(strstr(script, "$mapped with filledcurves"));
    assert_non_null(strstr(script, "'memory used (in MiB)'"));
    assert_non_null(strstr(script, "title \"heap, 2.00 MiB of the peak\""));
    assert_non_null(strstr(script, "title \"mapped memory, 6.00 MiB of the peak\""));
    free(script);
}

/* In characters the window's highest has the same words, and the bound of what was lost. */
static void check_text_of_a_window(const struct plot *plot)
{
    const struct picture picture = {.kind = PICTURE_TEXT, .columns = 79, .lines = 24};
    char *legend = NULL;
    size_t bytes;
    fixture.process.quality = (struct quality){.lost = 1, .loss = {.allocations = 1}};
    FILE *out = open_memstream(&legend, &bytes);
    gnuplot_text_legend(plot, &picture, out);
    fclose(out);
    assert_non_null(strstr(legend, "highest here 4.00 MiB at 1.000 s (at least)\n"));
    free(legend);
}

/* The parts of a window's highest are those of its own moment. */
static void test_parts_in_a_window(void **state)
{
    (void)state;
    size_t bytes;
    struct plot plot = make_plot_of_memory();
    plot.windowed = 1;
    plot.end_ns = 19 * FIXTURE_SECOND / 10;
    line.line.count = 2; /* up to 4 MiB, 1 of which is mapped */
    char *script = script_of(&plot, PICTURE_SVG, &bytes);
    assert_non_null(strstr(script, "title \"heap, 3.00 MiB of the highest\""));
    assert_non_null(strstr(script, "title \"mapped memory, 1.00 MiB of the highest\""));
    assert_non_null(strstr(script, "set label \"highest here 4.00 MiB at "));
    free(script);
    check_text_of_a_window(&plot);
}

/* What is nothing of the peak says what it reached; what is nothing at all has no entry. */
static void test_parts_that_are_nothing(void **state)
{
    (void)state;
    size_t bytes;
    struct plot plot = make_plot_of_memory();
    fixture.buckets[2].max_mapped_bytes = 0;
    char *script = script_of(&plot, PICTURE_SVG, &bytes);
    assert_non_null(strstr(script, "title \"heap, 8.00 MiB of the peak\""));
    assert_non_null(strstr(script, "title \"mapped memory, up to 6.00 MiB\""));
    free(script);
    mapped[0] = bucket_of(FIXTURE_SECOND, 0);
    line.mapped.count = 1;
    script = script_of(&plot, PICTURE_SVG, &bytes);
    assert_null(strstr(script, "title \"heap, "));
    assert_null(strstr(script, "title \"mapped memory"));
    free(script);
    plot = make_plot_of_memory();
    fixture.buckets[2].max_mapped_bytes = 8 * FIXTURE_MIB;
    fixture.process.totals.peak_bytes = 0;
    script = script_of(&plot, PICTURE_SVG, &bytes);
    assert_null(strstr(script, "title \"heap, "));
    assert_non_null(strstr(script, "title \"mapped memory, 8.00 MiB of the peak\""));
    free(script);
}

/* The functions are those of the series that is drawn. */
static void test_functions_of_memory(void **state)
{
    (void)state;
    size_t count;
    fixture_function(&fixture, "main", FUNCTION_RESOLVED | FUNCTION_MAIN, 8 * FIXTURE_MIB, 0, 5);
    fixture_function(&fixture, "allocates", FUNCTION_RESOLVED, 2 * FIXTURE_MIB, 1, 2);
    fixture_function(&fixture, "maps", FUNCTION_RESOLVED, 6 * FIXTURE_MIB, 3, 4);
    struct plot plot = make_plot_of_memory();
    struct function_usage *maps = &fixture.usages[2];
    maps->memory = maps->heap;
    memset(&maps->heap, 0, sizeof maps->heap);
    struct plot_function *functions = pick(&plot, 30, &count);
    assert_int_equal(count, 1);
    assert_string_equal(functions[0].label, "maps");
    assert_int_equal(functions[0].span.begin_ns, 3 * FIXTURE_SECOND);
    plot_functions_free(functions, count);
    line.series = SERIES_HEAP;
    functions = pick(&plot, 30, &count);
    assert_int_equal(count, 2);
    assert_string_equal(functions[1].label, "allocates");
    plot_functions_free(functions, count);
}

/* A function of both parts has a row for them, one of a single part a word; with more of them the
 * legend would run off the page. */
static void test_parts_of_functions(void **state)
{
    (void)state;
    struct plot plot = make_plot_of_memory();
    size_t bytes;
    fixture_function(&fixture, "outside", FUNCTION_RESOLVED, FIXTURE_MIB, 0, 5);
    for (int i = 0; i < 9; i++) {
        struct function_usage *u = &fixture.usages[fixture.image.function_count];
        fixture_function(&fixture, "holds", FUNCTION_RESOLVED | FUNCTION_MAIN, 5 * FIXTURE_MIB, i,
                         i + 1);
        u->memory = u->mapped = u->heap;
        u->mapped.inclusive.own_peak_bytes = i == 8 ? 0 : 2 * FIXTURE_MIB;
        u->memory.inclusive.own_peak_bytes = (uint64_t)(70 - i) * FIXTURE_MIB / 10;
    }
    struct plot_function *functions = pick(&plot, 20, &plot.function_count);
    assert_int_equal(plot.function_count, 5);
    plot.functions = functions;
    functions[4].heap_bytes = 0;
    char *script = script_of(&plot, PICTURE_SVG, &bytes);
    assert_int_equal(count_of(script, "title \"  up to 5.00 MiB heap, 2.00 MiB mapped\""), 4);
    assert_int_equal(count_of(script, "  6.60 MiB mapped\""), 1);
    free(script);
    plot_functions_free(functions, plot.function_count);
}

/* An axis and what is said of it are in one unit, whatever stands beside it. */
static void test_one_unit(void **state)
{
    (void)state;
    struct plot plot = make_plot();
    size_t bytes;
    for (int i = 0; i < 5; i++)
        fixture.buckets[i].max_bytes = 600u << 10;
    for (int i = 0; i < 3; i++)
        fixture.samples[i].rss_bytes = 1100u << 10;
    fixture.process.totals.rss_peak_bytes = 1100u << 10;
    fixture.process.totals.rss_mark_bytes = 1200u << 10;
    char *script = script_of(&plot, PICTURE_SVG, &bytes);
    assert_non_null(strstr(script, "heap used (in KiB)"));
    assert_non_null(strstr(script, " 600.00 KiB at "));
    assert_non_null(strstr(script, "RSS samples, up to 1100.00 KiB\""));
    assert_non_null(strstr(script, "RSS high-water mark 1200.00 KiB\""));
    free(script);
}

static void test_digits_of_a_slope(void **state)
{
    (void)state;
    static const struct {
        double mib;
        const char *text;
    } slopes[] = {{0.0022777, "0.002278"}, {0.7084, "0.7084"}, {16.758, "16.76"}, {5, "5.000"},
                  {-1.5, "-1.500"},        {45258.3, "45258"}, {0, "0"},          {-1e-9, "0"}};
    for (size_t i = 0; i < sizeof slopes / sizeof *slopes; i++) {
        char text[GNUPLOT_SLOPE_TEXT], expected[64];
        gnuplot_slope_text((struct plot_slope){slopes[i].mib * FIXTURE_MIB, 0},
                           unit_of(FIXTURE_MIB), text);
        snprintf(expected, sizeof expected, "slope %s MiB/s", slopes[i].text);
        assert_string_equal(text, expected);
    }
    char text[GNUPLOT_SLOPE_TEXT];
    gnuplot_slope_text((struct plot_slope){403, 0}, unit_of(76000), text);
    assert_string_equal(text, "slope 0.3936 KiB/s");
}

/* The kernel's figure stands beside the samples, of a whole process; of a sum where the largest
 * process alone has more than was seen of all. */
static void test_high_water_mark(void **state)
{
    (void)state;
    struct plot plot = make_plot();
    size_t bytes;
    fixture.process.totals.rss_mark_bytes = 11 * FIXTURE_MIB;
    char *script = script_of(&plot, PICTURE_SVG, &bytes);
    assert_non_null(strstr(script, "RSS samples, up to 10.00 MiB"));
    assert_non_null(strstr(script, "RSS high-water mark 11.00 MiB"));
    free(script);
    fixture.process.totals.rss_mark_bytes = 10 * FIXTURE_MIB - 4096; /* a sample knows better */
    assert_int_equal(gnuplot_high_water(&plot), 10 * FIXTURE_MIB);
    fixture.process.totals.rss_mark_bytes = 9 * FIXTURE_MIB; /* read before it rose */
    assert_int_equal(gnuplot_high_water(&plot), 0);
    fixture.process.totals.rss_mark_bytes = 11 * FIXTURE_MIB;
    plot.windowed = 1;
    script = script_of(&plot, PICTURE_SVG, &bytes);
    assert_null(strstr(script, "high-water"));
    free(script);
    plot.windowed = 0;
    plot.summed = 2;
    script = script_of(&plot, PICTURE_SVG, &bytes);
    assert_non_null(strstr(script, "RSS of the largest alone 11.00 MiB"));
    free(script);
    fixture.process.totals.rss_mark_bytes = 10 * FIXTURE_MIB;
    assert_int_equal(gnuplot_high_water(&plot), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_parts_of_memory, set_up),
        cmocka_unit_test_setup(test_parts_in_a_window, set_up),
        cmocka_unit_test_setup(test_parts_that_are_nothing, set_up),
        cmocka_unit_test_setup(test_functions_of_memory, set_up),
        cmocka_unit_test_setup(test_parts_of_functions, set_up),
        cmocka_unit_test_setup(test_one_unit, set_up),
        cmocka_unit_test(test_digits_of_a_slope),
        cmocka_unit_test_setup(test_high_water_mark, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
