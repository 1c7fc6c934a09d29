/* test_gnuplot.c - which functions are shown, the line, the script; and what gnuplot makes of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gnuplot.h"
#include "gnuplot_marks.h"
#include "gnuplot_process.h"
#include "gnuplot_words.h"
#include "text.h"
#include "view_fixture.h"
#include <stdlib.h>
#include <unistd.h>

#define EVIL                                                                                       \
    "'' ''''\"; system(\"touch evil1\") `touch evil2` @_{x}^\\ 'a\nset output \"evil3\"\n!touch "  \
    "evil4\n#"

static struct view_fixture fixture;
static struct plot_line line;
static struct bucket mapped[2];

static struct plot make_plot(void)
{
    line =
        (struct plot_line){"x.mprof", &fixture.image, SERIES_HEAP, {fixture.buckets, 5}, {NULL, 0}};
    return (struct plot){.lines = &line, .line_count = 1, .end_ns = fixture.process.end_ns};
}

/* The same line, of which 1 MiB is mapped from 1 s on, and 6 from 1.5 s on. */
static struct plot make_plot_of_memory(void)
{
    struct plot plot = make_plot();
    struct totals *t = &fixture.process.totals;
    mapped[0] = bucket_of(FIXTURE_SECOND, FIXTURE_MIB);
    mapped[1] = bucket_of(3 * FIXTURE_SECOND / 2, 6 * FIXTURE_MIB);
    t->mapped_peak_bytes = t->mapped_then_bytes = 6 * FIXTURE_MIB;
    t->memory_peak_bytes = 8 * FIXTURE_MIB;
    t->memory_peak_ns = 2 * FIXTURE_SECOND;
    line.series = SERIES_MEMORY;
    line.mapped = (struct line_of){mapped, 2};
    return plot;
}

static char *script_of(struct plot *plot, enum picture_kind kind, size_t *bytes)
{
    struct picture picture = {.kind = kind, .columns = 79, .lines = 24, .window = "qt"};
    char *script = NULL;
    FILE *out = open_memstream(&script, bytes);
    gnuplot_script(plot, &picture, out);
    fclose(out);
    return script;
}

static int set_up(void **state)
{
    (void)state;
    fixture_make(&fixture);
    return 0;
}

/* ---- the line ---- */

static void test_line_is_steps_through_the_maxima(void **state)
{
    (void)state;
    struct plot plot = make_plot();
    size_t count;
    fixture.buckets[1].max_bytes = 7 << 20; /* rose and fell within its second */
    fixture.buckets[1].max_ns = FIXTURE_SECOND + 500;
    fixture.buckets[1].last_ns = FIXTURE_SECOND + 900;
    struct plot_point *points = plot_line_points(line.line, plot.end_ns, &count);
    double highest = 0;
    for (size_t i = 0; i < count; i++) {
        highest = points[i].bytes > highest ? points[i].bytes : highest;
        assert_true(i == 0 || points[i].seconds >= points[i - 1].seconds);
    }
    assert_true(highest == 8.0 * FIXTURE_MIB);
    assert_true(points[count - 1].seconds == 5.0);
    assert_true(points[count - 1].bytes == 2.0 * FIXTURE_MIB);
    assert_true(plot_line_at(points, count, 0.5) == 1.0 * FIXTURE_MIB);
    assert_true(plot_line_at(points, count, 1.0000005) == 7.0 * FIXTURE_MIB);
    assert_true(plot_line_at(points, count, 2.5) == 8.0 * FIXTURE_MIB);
    assert_int_equal(plot_highest(line.line)->max_ns, 2 * FIXTURE_SECOND);
    assert_int_equal(plot_level_at(line.line, FIXTURE_SECOND + 499), 4 * FIXTURE_MIB);
    assert_int_equal(plot_level_at(line.line, FIXTURE_SECOND + 500), 7 * FIXTURE_MIB);
    assert_int_equal(plot_level_at((struct line_of){mapped, 0}, FIXTURE_SECOND), 0);
    free(points);
}

static void test_slope(void **state)
{
    (void)state;
    struct plot_point rising[] = {{0, 100}, {10, 100}};
    struct plot_slope flat = plot_line_slope(rising, 2);
    assert_true(flat.bytes_per_second < 1e-6 && flat.bytes_per_second > -1e-6);
    assert_true(flat.bytes_at_zero > 99.9 && flat.bytes_at_zero < 100.1);
    struct plot_point stairs[1001];
    for (int i = 0; i <= 1000; i++)
        stairs[i] = (struct plot_point){i / 100.0, 5000.0 * i / 100.0};
    struct plot_slope slope = plot_line_slope(stairs, 1001);
    assert_true(slope.bytes_per_second > 4990 && slope.bytes_per_second < 5010);
    assert_true(plot_line_slope(NULL, 0).bytes_per_second == 0);
}

/* ---- the functions ---- */

static void test_start_frames_are_left_out(void **state)
{
    (void)state;
    fixture_function(&fixture, "_start", FUNCTION_RESOLVED | FUNCTION_START, 800, 0, 5);
    fixture_function(&fixture, "outside", FUNCTION_RESOLVED, 800, 0, 5);
    fixture_function(&fixture, "main", FUNCTION_RESOLVED | FUNCTION_MAIN, 800, 0, 5);
    fixture_function(&fixture, "work", FUNCTION_RESOLVED, 700, 1, 2);
    fixture_function(&fixture, "no_span", FUNCTION_RESOLVED, 650, 1, 2);
    fixture.usages[4].heap.span.valid = 0;
    fixture.process.totals.peak_bytes = 800;
    struct plot plot = make_plot();
    size_t count;
    struct plot_function *functions = plot_pick(&plot, 30, &count);
    assert_int_equal(count, 2);
    assert_string_equal(functions[0].label, "main");
    assert_int_equal(functions[0].own_peak_bytes, 800);
    assert_string_equal(functions[1].label, "work");
    assert_int_equal(functions[1].own_peak_bytes, 700);
    plot_functions_free(functions, count);
}

/* main calls a chain that only passes through, and then others do different things. */
static void test_chains_share_an_entry(void **state)
{
    (void)state;
    fixture_function(&fixture, "main", FUNCTION_RESOLVED | FUNCTION_MAIN, 8000, 0, 5);
    fixture.process.totals.peak_bytes = 8000;
    fixture_function(&fixture, "outer", FUNCTION_RESOLVED, 8000, 0.5, 4.5);
    fixture_function(&fixture, "through", FUNCTION_RESOLVED, 7990, 0.51, 4.5);
    fixture_function(&fixture, "inner", FUNCTION_RESOLVED, 7980, 0.52, 4.49);
    fixture_function(&fixture, "a", FUNCTION_RESOLVED, 7000, 1, 2);
    fixture_function(&fixture, "b", FUNCTION_RESOLVED, 6000, 1.5, 2);
    fixture_function(&fixture, "c", FUNCTION_RESOLVED, 5000, 2, 3);
    fixture_function(&fixture, "d", FUNCTION_RESOLVED, 4000, 3, 3.5);
    fixture_function(&fixture, "e", FUNCTION_RESOLVED, 3000, 3.2, 4);
    fixture_function(&fixture, "f", FUNCTION_RESOLVED, 2000, 4, 4.2);
    struct plot plot = make_plot();
    size_t count;
    struct plot_function *functions = plot_pick(&plot, 40, &count);
    assert_int_equal(count, 8);
    assert_string_equal(functions[0].label, "main");
    assert_string_equal(functions[1].label, "outer \xe2\x80\xba \xe2\x80\xa6 \xe2\x80\xba inner");
    assert_int_equal(functions[1].own_peak_bytes, 8000);
    assert_string_equal(functions[2].label, "a");
    assert_string_equal(functions[7].label, "f");
    plot_functions_free(functions, count);
}

static void test_at_least_six(void **state)
{
    (void)state;
    static const char *const names[] = {"f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9"};
    fixture_function(&fixture, "main", FUNCTION_RESOLVED | FUNCTION_MAIN, 8000, 0, 5);
    for (int i = 0; i < 10; i++)
        fixture_function(&fixture, names[i], FUNCTION_RESOLVED, 8000, 0.5, 4.5);
    fixture.process.totals.peak_bytes = 8000;
    struct plot plot = make_plot();
    size_t count;
    struct plot_function *functions = plot_pick(&plot, 40, &count);
    assert_int_equal(count, PLOT_FUNCTIONS_MIN);
    plot_functions_free(functions, count);
}

static void test_window_shows_its_own(void **state)
{
    (void)state;
    fixture_function(&fixture, "main", FUNCTION_RESOLVED | FUNCTION_MAIN, 8000, 0, 5);
    fixture_function(&fixture, "around", FUNCTION_RESOLVED, 7000, 0.5, 4.5);
    fixture_function(&fixture, "within", FUNCTION_RESOLVED, 6000, 2.2, 4.5);
    fixture.process.totals.peak_bytes = 8000;
    struct plot plot = make_plot();
    plot.windowed = 1;
    plot.begin_ns = 2 * FIXTURE_SECOND;
    plot.end_ns = 3 * FIXTURE_SECOND;
    size_t count;
    struct plot_function *functions = plot_pick(&plot, 40, &count);
    assert_int_equal(count, 1);
    assert_string_equal(functions[0].label, "within");
    plot_functions_free(functions, count);
}

/* Wrappers, what the user does not want to see, and what never held a hundredth of the peak. */
static void test_some_have_no_bracket(void **state)
{
    (void)state;
    static const char *const skipped[] = {"nobody", "read_all"};
    fixture_function(&fixture, "main", FUNCTION_RESOLVED | FUNCTION_MAIN, 8050, 0, 5);
    fixture_function(&fixture, "io::read_all(int)", FUNCTION_RESOLVED, 8050, 0, 5);
    fixture_function(&fixture, "xmalloc", FUNCTION_RESOLVED, 8050, 0, 5);
    fixture_function(&fixture, "just", FUNCTION_RESOLVED, 81, 1, 2);
    fixture_function(&fixture, "less", FUNCTION_RESOLVED, 80, 1, 2);
    fixture.process.totals.peak_bytes = 8050;
    fixture.usages[3].activations = 7;
    struct plot plot = make_plot();
    plot.skipped = skipped;
    plot.skipped_count = 2;
    size_t count;
    struct plot_function *functions = plot_pick(&plot, 40, &count);
    assert_int_equal(count, 2);
    assert_string_equal(functions[0].label, "main");
    assert_string_equal(functions[1].label, "just");
    assert_int_equal(functions[1].activations, 7);
    plot_functions_free(functions, count);
}

static void test_words_of_an_activation(void **state)
{
    (void)state;
    struct plot_function f = {.activations = 1234, .span = {0, 1100000000, 0, 0, 0, 1}};
    char text[128];
    gnuplot_activation_text(&f, text, sizeof text);
    assert_string_equal(text, "1.100 s, one of 1,234 activations");
    f.activations = 1;
    gnuplot_activation_text(&f, text, sizeof text);
    assert_string_equal(text, "1.100 s, the only activation");
    f.activations = 0; /* a recording that does not say */
    f.span.end_ns = 0;
    gnuplot_activation_text(&f, text, sizeof text);
    assert_string_equal(text, "one moment");
}

/* ---- brackets ---- */

static const struct bracket_area area = {
    .x0 = -0.5, .x1 = 10.5, .y0 = -7, .y1 = 110, .arm = 0.15, .half = 4.4, .gap = 1.4};

static int lie_over_each_other(const struct bracket *a, const struct bracket *b)
{
    return a->left <= b->right && b->left <= a->right && a->bytes - a->half < b->bytes + b->half &&
           b->bytes - b->half < a->bytes + a->half;
}

/* Places them; none may hide another function's, or leave the axes, or its time. */
static void place(const struct plot *plot, struct bracket *brackets)
{
    brackets_place(plot, &area, brackets);
    for (size_t i = 0; i < 2 * plot->function_count; i++) {
        const struct bracket *b = &brackets[i];
        const struct span *s = &plot->functions[i / 2].span;
        assert_true(b->seconds == (double)(i % 2 ? s->end_ns : s->begin_ns) / 1e9);
        assert_int_equal(b->is_shown, b->seconds >= area.x0 && b->seconds <= area.x1);
        if (!b->is_shown)
            continue;
        assert_true(b->bytes - b->half >= area.y0 - 1e-6 && b->bytes + b->half <= area.y1 + 1e-6);
        assert_true(b->left >= area.x0 - 1e-6 && b->right <= area.x1 + 1e-6);
        for (size_t k = 0; k < i / 2 * 2; k++)
            assert_false(brackets[k].is_shown && lie_over_each_other(b, &brackets[k]));
    }
}

static void test_brackets_are_where_they_belong(void **state)
{
    (void)state;
    struct plot_function functions[3] = {
        {.span = {1000000000, 9000000000, 50, 60, 0, 1}},
        {.span = {2000000000, 2010000000, 20, 21, 0, 1}},    /* its two meet, and stay together */
        {.span = {1000000000, 11000000000, 52, 108, 0, 1}}}; /* begins with the first one */
    struct plot plot = {.functions = functions, .function_count = 3};
    struct bracket brackets[BRACKETS_MAX];
    place(&plot, brackets);
    assert_true(brackets[0].bytes == 50 && brackets[1].bytes == 60);
    assert_true(brackets[2].bytes == 20 && brackets[3].bytes == 21);
    assert_true(brackets[4].bytes > 58 && brackets[4].bytes < 61); /* above the first */
    assert_false(brackets[5].is_shown);
    assert_true(brackets[0].half == area.half);
}

static void test_brackets_are_set_apart(void **state)
{
    (void)state;
    struct plot_function functions[PLOT_FUNCTIONS_MAX] = {{0}};
    struct plot plot = {.functions = functions, .function_count = PLOT_FUNCTIONS_MAX};
    struct bracket brackets[BRACKETS_MAX];
    uint32_t random = 1;
    for (int round = 0; round < 2000; round++) {
        for (size_t i = 0; i < PLOT_FUNCTIONS_MAX; i++) {
            struct span *s = &functions[i].span;
            uint64_t *const numbers[] = {&s->begin_ns, &s->end_ns, &s->begin_level, &s->end_level};
            for (size_t k = 0; k < 4; k++) {
                random = random * 1664525u + 1013904223u;
                uint64_t step = 1 + random % 7; /* many are equal */
                *numbers[k] = (random >> 8) % (k < 2 ? 5 : 100) / step * step;
            }
            s->begin_ns *= 1000000000;
            s->end_ns = s->begin_ns + s->end_ns * (round % 3 ? 1000000000 : 1000000);
        }
        place(&plot, brackets);
    }
    memset(functions, 0, sizeof functions); /* all in one place, below */
    place(&plot, brackets);
}

/* ---- the script ---- */

static void test_quoting(void **state)
{
    (void)state;
    char *quoted = gnuplot_quote("'it''s' \"x\" `1d` @a\nb\xff");
    assert_string_equal(quoted, "\"'it''s' \\\"x\\\" \\1401d\\140 \\100a\\\\x0ab\xef\xbf\xbd\"");
    free(quoted);
}

static void add_evil(struct plot *plot, struct plot_function *function)
{
    fixture_function(&fixture, "main", FUNCTION_RESOLVED | FUNCTION_MAIN, 8000, 0, 5);
    fixture_function(&fixture, EVIL, FUNCTION_RESOLVED, 7000, 1, 3);
    fixture.argv[1] = EVIL;
    *plot = make_plot();
    *function = (struct plot_function){.label = text_clean(EVIL), .own_peak_bytes = 1 << 20};
    function->span = fixture.usages[1].heap.span;
    plot->functions = function;
    plot->function_count = 1;
    plot->note = EVIL;
    plot->slope = 1;
}

/* gnuplot draws every kind; names that look like commands are only shown. */
static void test_gnuplot_draws(void **state)
{
    (void)state;
    static const struct {
        enum picture_kind kind;
        const char *begins;
        size_t least;
    } kinds[] = {{PICTURE_PNG, "\x89PNG", 4000},
                 {PICTURE_SVG, "<?xml", 4000},
                 {PICTURE_PDF, "%PDF", 2000},
                 {PICTURE_TEXT, "", 500}};
    char folder[] = "/tmp/mprof-test-XXXXXX";
    struct plot plot;
    struct plot_function function;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    add_evil(&plot, &function);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t bytes;
        char *script = script_of(&plot, kinds[i].kind, &bytes);
        struct gnuplot_output output;
        int error = gnuplot_run(script, bytes, &output);
        if (error == GNUPLOT_MISSING)
            skip();
        if (error != GNUPLOT_OK)
            fail_msg("gnuplot: %s", output.messages ? output.messages : "?");
        assert_string_equal(output.messages, "");
        assert_true(output.bytes >= kinds[i].least);
        assert_memory_equal(output.picture, kinds[i].begins, strlen(kinds[i].begins));
        gnuplot_output_free(&output);
        free(script);
    }
    free(function.label);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(folder), 0); /* fails if any of the commands was carried out */
}

static void test_a_wrong_script_is_told(void **state)
{
    (void)state;
    struct gnuplot_output output;
    const char *script = "plot nonsense(\n";
    int error = gnuplot_run(script, strlen(script), &output);
    if (error == GNUPLOT_MISSING)
        skip();
    assert_int_equal(error, GNUPLOT_FAILED);
    assert_true(strlen(output.messages) > 4);
    assert_null(strchr(output.messages, '\n'));
    gnuplot_output_free(&output);
}

static void test_gnuplot_missing(void **state)
{
    (void)state;
    struct gnuplot_output output;
    char *path = strdup(getenv("PATH"));
    setenv("PATH", "/nonexistent", 1);
    int error = gnuplot_run("", 0, &output);
    setenv("PATH", path, 1);
    free(path);
    gnuplot_output_free(&output);
    assert_int_equal(error, GNUPLOT_MISSING);
}

static void test_small_scales_have_their_unit(void **state)
{
    (void)state;
    struct plot plot = make_plot();
    size_t bytes;
    char *script = script_of(&plot, PICTURE_PNG, &bytes);
    assert_non_null(strstr(script, "heap used (in MiB)"));
    assert_non_null(strstr(script, "peak 8.00 MiB at 2.000 s"));
    free(script);
    for (int i = 0; i < 5; i++)
        fixture.buckets[i].max_bytes = fixture.buckets[i].min_bytes =
            fixture.buckets[i].last_bytes = 2000;
    script = script_of(&plot, PICTURE_PNG, &bytes);
    assert_non_null(strstr(script, "heap used (in KiB)"));
    assert_non_null(strstr(script, "y2tics")); /* 10 MiB resident would hide 2 KB of heap */
    free(script);
}

static size_t count_of(const char *text, const char *word)
{
    size_t count = 0;
    for (; (text = strstr(text, word)) != NULL; text += strlen(word))
        count++;
    return count;
}

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
    assert_non_null(strstr(script, "$mapped << EOD\n1 1\n1.5 1\n1.5 6\n5 6\nEOD\n"));
    assert_non_null(strstr(script, "$mapped with filledcurves"));
    assert_non_null(strstr(script, "'memory used (in MiB)'"));
    assert_non_null(strstr(script, "title \"heap, 2.00 MiB of the peak\""));
    assert_non_null(strstr(script, "title \"mapped memory, 6.00 MiB of the peak\""));
    free(script);
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
    free(script);
}

/* Several lines show no areas; the legend says how much of each peak was mapped. */
static void test_parts_of_several(void **state)
{
    (void)state;
    struct plot plot = make_plot_of_memory();
    struct plot_line both[2] = {line, line};
    size_t bytes;
    plot.lines = both;
    plot.line_count = 2;
    char *script = script_of(&plot, PICTURE_SVG, &bytes);
    assert_null(strstr(script, "filledcurves"));
    assert_non_null(strstr(script, "peak 8.00 MiB, 6.00 MiB mapped\""));
    free(script);
}

static void test_parts_in_characters(void **state)
{
    (void)state;
    struct plot plot = make_plot_of_memory();
    struct picture picture = {.kind = PICTURE_TEXT, .columns = 79, .lines = 24};
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    gnuplot_text_legend(&plot, &picture, out);
    fclose(out);
    assert_non_null(strstr(text, "= 2.00 MiB heap + 6.00 MiB mapped\n"));
    assert_non_null(strstr(text, "  #  mapped memory\n"));
    free(text);
    text = script_of(&plot, PICTURE_TEXT, &bytes);
    assert_non_null(strstr(text, "$mapped with lines linetype 2"));
    free(text);
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
    struct plot_function *functions = plot_pick(&plot, 30, &count);
    assert_int_equal(count, 1);
    assert_string_equal(functions[0].label, "maps");
    assert_int_equal(functions[0].span.begin_ns, 3 * FIXTURE_SECOND);
    plot_functions_free(functions, count);
    line.series = SERIES_HEAP;
    functions = plot_pick(&plot, 30, &count);
    assert_int_equal(count, 2);
    assert_string_equal(functions[1].label, "allocates");
    plot_functions_free(functions, count);
}

/* The kernel's figure stands beside the samples, of a whole process only. */
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
    plot.windowed = 1;
    script = script_of(&plot, PICTURE_SVG, &bytes);
    assert_null(strstr(script, "high-water"));
    free(script);
    plot.windowed = 0;
    plot.summed = 2;
    assert_int_equal(gnuplot_high_water(&plot), 0);
}

/* However many recordings lie over each other, the legend has room on the page. */
static void test_a_long_legend_is_cut(void **state)
{
    (void)state;
    struct plot_line many[25];
    size_t bytes;
    struct plot plot = make_plot();
    for (size_t i = 0; i < 25; i++)
        many[i] = line;
    plot.lines = many;
    plot.line_count = 25;
    char *script = script_of(&plot, PICTURE_PNG, &bytes);
    assert_int_equal(count_of(script, "NaN with"), 14);
    assert_non_null(strstr(script, "title \"and 12 more\""));
    assert_int_equal(count_of(script, "$line24 with lines"), 1);
    free(script);
    plot.line_count = 3;
    script = script_of(&plot, PICTURE_PNG, &bytes);
    assert_int_equal(count_of(script, "NaN with"), 6);
    free(script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_line_is_steps_through_the_maxima, set_up),
        cmocka_unit_test_setup(test_slope, set_up),
        cmocka_unit_test_setup(test_start_frames_are_left_out, set_up),
        cmocka_unit_test_setup(test_chains_share_an_entry, set_up),
        cmocka_unit_test_setup(test_at_least_six, set_up),
        cmocka_unit_test_setup(test_window_shows_its_own, set_up),
        cmocka_unit_test_setup(test_some_have_no_bracket, set_up),
        cmocka_unit_test(test_words_of_an_activation),
        cmocka_unit_test(test_brackets_are_where_they_belong),
        cmocka_unit_test(test_brackets_are_set_apart),
        cmocka_unit_test_setup(test_quoting, set_up),
        cmocka_unit_test_setup(test_gnuplot_draws, set_up),
        cmocka_unit_test_setup(test_a_wrong_script_is_told, set_up),
        cmocka_unit_test_setup(test_gnuplot_missing, set_up),
        cmocka_unit_test_setup(test_small_scales_have_their_unit, set_up),
        cmocka_unit_test_setup(test_parts_of_memory, set_up),
        cmocka_unit_test_setup(test_parts_in_a_window, set_up),
        cmocka_unit_test_setup(test_parts_of_several, set_up),
        cmocka_unit_test_setup(test_parts_in_characters, set_up),
        cmocka_unit_test_setup(test_functions_of_memory, set_up),
        cmocka_unit_test_setup(test_high_water_mark, set_up),
        cmocka_unit_test_setup(test_a_long_legend_is_cut, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
