/* test_plot_pick.c - the line, which functions are shown, and where their brackets are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gnuplot_marks.h"
#include "gnuplot_words.h"
#include "plot_fixture.h"
#include "text.h"
#include <stdlib.h>

/* ---- the line ---- */

static void test_line_is_steps_through_the_maxima(void **state)
{
    (void)state;
    struct plot plot = make_plot();
    size_t count;
    fixture.buckets[1].max_bytes = 7 << 20; /* rose and fell within its second */
    fixture.buckets[1].max_ns = FIXTURE_SECOND + 500;
    fixture.buckets[1].last_ns = FIXTURE_SECOND + 900;
    struct plot_point *points = plot_line_points(line.line, 0, plot.end_ns, &count);
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

/* A process that has nothing yet has 0. */
static void test_line_begins_with_its_process(void **state)
{
    (void)state;
    struct plot plot = make_plot();
    struct line_of later = {fixture.buckets + 2, 3};
    size_t count;
    plot.windowed = 1;
    plot.begin_ns = FIXTURE_SECOND / 2;
    assert_int_equal(plot_line_begin(&plot, &line), FIXTURE_SECOND / 2);
    fixture.process.begin_ns = FIXTURE_SECOND;
    assert_int_equal(plot_line_begin(&plot, &line), FIXTURE_SECOND);
    struct plot_point *points = plot_line_points(later, FIXTURE_SECOND, plot.end_ns, &count);
    assert_true(points[0].seconds == 1 && points[0].bytes == 0);
    assert_true(points[1].seconds == 2 && points[1].bytes == 0);
    assert_true(points[2].seconds == 2 && points[2].bytes == 8.0 * FIXTURE_MIB);
    free(points);
    points = plot_line_points(later, 2 * FIXTURE_SECOND, plot.end_ns, &count);
    assert_true(points[0].seconds == 2 && points[0].bytes == 8.0 * FIXTURE_MIB);
    free(points);
    free(plot_line_points((struct line_of){later.buckets, 0}, 0, plot.end_ns, &count));
    assert_int_equal(count, 0);
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
    struct plot_function *functions = pick(&plot, 30, &count);
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
    struct plot_function *functions = pick(&plot, 40, &count);
    assert_int_equal(count, 8);
    assert_string_equal(functions[0].label, "main");
    assert_string_equal(functions[1].label, "outer \xe2\x80\xba \xe2\x80\xa6 \xe2\x80\xba inner");
    assert_int_equal(functions[1].own_peak_bytes, 8000);
    assert_string_equal(functions[2].label, "a");
    assert_string_equal(functions[7].label, "f");
    plot_functions_free(functions, count);
}

/* The innermost function allocates: however little room there is, it is named, too. */
static void test_both_ends_are_named(void **state)
{
    (void)state;
    fixture.process.totals.peak_bytes = 8000;
    fixture_function(&fixture, "compile_the_whole_program", FUNCTION_RESOLVED, 8000, 0.5, 4.5);
    fixture_function(&fixture, "through", FUNCTION_RESOLVED, 7990, 0.51, 4.5);
    fixture_function(&fixture, "allocate_another_page", FUNCTION_RESOLVED, 7980, 0.52, 4.49);
    for (int i = 0; i < 6; i++)
        fixture_function(&fixture, "abcdef" + i, FUNCTION_RESOLVED, 7000 - 900 * i, i / 2.0, i);
    struct plot plot = make_plot();
    static const struct {
        size_t columns;
        const char *label;
    } rooms[] = {
        {80,
         "compile_the_whole_program \xe2\x80\xba \xe2\x80\xa6 \xe2\x80\xba allocate_another_page"},
        {43, "compil\xe2\x80\xa6rogram \xe2\x80\xba \xe2\x80\xa6 \xe2\x80\xba "
             "alloca\xe2\x80\xa6r_page"}};
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        size_t count;
        struct plot_function *functions = pick(&plot, rooms[i].columns, &count);
        assert_string_equal(functions[0].label, rooms[i].label);
        plot_functions_free(functions, count);
    }
}

/* Where six functions with names hold much, those without count only if they hold much more. */
/* Names of any length are cut in a moment. */
static void test_endless_names(void **state)
{
    (void)state;
    static char name[1 << 20];
    memset(name, 'n', sizeof name - 1);
    fixture_function(&fixture, name, FUNCTION_RESOLVED | FUNCTION_MAIN, 8000, 0, 5);
    fixture.process.totals.peak_bytes = 8000;
    struct plot plot = make_plot();
    size_t count;
    struct plot_function *functions = pick(&plot, 40, &count);
    assert_int_equal(text_width(functions[0].label), 30);
    plot_functions_free(functions, count);
}

static void test_names_are_preferred(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g"};
    fixture_function(&fixture, "main", FUNCTION_RESOLVED | FUNCTION_MAIN, 8000, 0, 5);
    fixture_function(&fixture, "lib+0x10", 0, 7900, 0.1, 4);
    fixture_function(&fixture, "lib+0x20", 0, 1300, 0.2, 4);
    fixture_function(&fixture, "lib+0x30", 0, 1200, 0.3, 4);
    for (int i = 0; i < 7; i++)
        fixture_function(&fixture, names[i], FUNCTION_RESOLVED, 800 - 50 * i, i, i + 1);
    fixture.process.totals.peak_bytes = 8000;
    struct plot plot = make_plot();
    size_t count;
    struct plot_function *functions = pick(&plot, 40, &count); /* the sixth is e */
    static const char *const shown[] = {"main", "lib+0x10", "lib+0x20", "a", "b", "c", "d", "e"};
    assert_int_equal(count, 8);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(functions[i].label, shown[i]);
    plot_functions_free(functions, count);
    fixture.functions[5].flags = 0; /* b: now the sixth is f */
    functions = pick(&plot, 40, &count);
    assert_string_equal(functions[3].label, "lib+0x30");
    assert_string_equal(functions[4].label, "a");
    assert_string_equal(functions[5].label, "c");
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
    struct plot_function *functions = pick(&plot, 40, &count);
    assert_int_equal(count, PLOT_FUNCTIONS_MIN);
    plot_functions_free(functions, count);
}

/* Which are taken out of their entries again: those of the fullest; and each entry has its place.
 */
static void test_entries_stay_in_order(void **state)
{
    (void)state;
    static const char *const names[] = {"g0", "g1", "g2", "g3", "g4"};
    static const char *const shown[] = {"main › run", "g0", "g3", "g4", "alone", "last"};
    fixture_function(&fixture, "main", FUNCTION_RESOLVED | FUNCTION_MAIN, 8000, 0, 5);
    fixture_function(&fixture, "run", FUNCTION_RESOLVED, 7999, 0, 5);
    for (int i = 0; i < 5; i++)
        fixture_function(&fixture, names[i], FUNCTION_RESOLVED, 7900 - i, 1, 2);
    fixture_function(&fixture, "alone", FUNCTION_RESOLVED, 5000, 2, 3);
    fixture_function(&fixture, "last", FUNCTION_RESOLVED, 4000, 3, 4);
    fixture.process.totals.peak_bytes = 8000;
    struct plot plot = make_plot();
    size_t count;
    struct plot_function *functions = pick(&plot, 40, &count);
    assert_int_equal(count, 6);
    for (size_t i = 0; i < count; i++)
        if (i != 1) /* with what is left of its entry */
            assert_string_equal(functions[i].label, shown[i]);
    assert_non_null(strstr(functions[1].label, shown[1]));
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
    struct plot_function *functions = pick(&plot, 40, &count);
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
    struct plot_function *functions = pick(&plot, 40, &count);
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

static const struct bracket_area area = {.x0 = -0.5,
                                         .x1 = 10.5,
                                         .y0 = -7,
                                         .y1 = 110,
                                         .arm = 0.15,
                                         .half = 4.4,
                                         .gap = 1.4,
                                         .mark_arm = 0.06,
                                         .mark_half = 2};

static int lie_over_each_other(const struct bracket *a, const struct bracket *b)
{
    return a->left <= b->right && b->left <= a->right && a->bytes - a->half < b->bytes + b->half &&
           b->bytes - b->half < a->bytes + a->half;
}

/* Is it where the function's begin or end is, or between the two of them? */
static int is_at_its_time(const struct bracket *b, const struct span *s, int is_end)
{
    double begin = (double)s->begin_ns / 1e9, end = (double)s->end_ns / 1e9;
    if (b->is_mark)
        return !is_end && end - begin < area.arm && b->seconds >= begin && b->seconds <= end;
    return b->seconds == (is_end ? end : begin);
}

/* Places them; none may hide another function's, or leave the axes, or its time. */
static void place(const struct plot *plot, struct bracket *brackets)
{
    brackets_place(plot, &area, brackets);
    for (size_t i = 0; i < 2 * plot->function_count; i++) {
        const struct bracket *b = &brackets[i];
        int is_marked = brackets[i / 2 * 2].is_mark, is_inside = b->seconds <= area.x1;
        assert_true(is_at_its_time(b, &plot->functions[i / 2].span, (int)(i % 2)));
        assert_int_equal(b->is_shown, is_inside && !(i % 2 && is_marked));
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
        {.span = {2000000000, 2160000000, 20, 21, 0, 1}},    /* its two meet, and stay together */
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

/* Two brackets in each other say nothing: one mark stands for them. */
static void test_one_place_has_one_mark(void **state)
{
    (void)state;
    struct plot_function functions[3] = {
        {.span = {2000000000, 2100000000, 20, 22, 0, 1}},
        {.span = {2000000000, 2100000000, 20, 80, 0, 1}}, /* far apart in height */
        {.span = {10490000000, 10490000000, 20, 20, 0, 1}}};
    struct plot plot = {.functions = functions, .function_count = 3};
    struct bracket brackets[BRACKETS_MAX];
    char *text = NULL;
    size_t bytes;
    place(&plot, brackets);
    assert_true(brackets[0].is_mark && !brackets[1].is_shown);
    assert_true(brackets[0].seconds == 2.05 && brackets[0].bytes == 21);
    assert_true(brackets[0].half == area.mark_half);
    assert_true(!brackets[2].is_mark && brackets[3].is_shown);
    assert_true(brackets[4].is_mark && brackets[4].right == area.x1);
    FILE *out = open_memstream(&text, &bytes);
    brackets_data(brackets, 1, 1, out);
    brackets_letters(brackets, 2, 1, out);
    fclose(out);
    assert_non_null(
        strstr(text, "EOD\n1.99 21\n2.05 23\n2.11 21\n2.05 19\n1.99 21\n2.05 23\n\nEOD\n"));
    assert_non_null(strstr(text, "set label '[a]' at 1.99,21 left front\n"));
    assert_non_null(strstr(text, "set label '[b' at 2,"));
    free(text);
}

/* The first point of a line, which gnuplot draws with a spike, is at no tip. */
static void test_lines_of_brackets_begin_at_corners(void **state)
{
    (void)state;
    struct bracket pair[2] = {
        {.is_shown = 1, .seconds = 2, .bytes = 20, .left = 2, .right = 3, .half = 4},
        {.is_shown = 1, .seconds = 9, .bytes = 50, .left = 8, .right = 9, .half = 4}};
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    brackets_data(pair, 1, 2, out);
    fclose(out);
    assert_string_equal(text, "$function0 << EOD\n"
                              "2 8\n2 12\n3 12\n\n2 12\n2 8\n3 8\n\n"
                              "9 23\n9 27\n8 27\n\n9 27\n9 23\n8 23\n\nEOD\n");
    free(text);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_line_is_steps_through_the_maxima, set_up),
        cmocka_unit_test_setup(test_line_begins_with_its_process, set_up),
        cmocka_unit_test_setup(test_slope, set_up),
        cmocka_unit_test_setup(test_start_frames_are_left_out, set_up),
        cmocka_unit_test_setup(test_chains_share_an_entry, set_up),
        cmocka_unit_test_setup(test_both_ends_are_named, set_up),
        cmocka_unit_test_setup(test_endless_names, set_up),
        cmocka_unit_test_setup(test_names_are_preferred, set_up),
        cmocka_unit_test_setup(test_at_least_six, set_up),
        cmocka_unit_test_setup(test_entries_stay_in_order, set_up),
        cmocka_unit_test_setup(test_window_shows_its_own, set_up),
        cmocka_unit_test_setup(test_some_have_no_bracket, set_up),
        cmocka_unit_test(test_words_of_an_activation),
        cmocka_unit_test(test_brackets_are_where_they_belong),
        cmocka_unit_test(test_one_place_has_one_mark),
        cmocka_unit_test(test_lines_of_brackets_begin_at_corners),
        cmocka_unit_test(test_brackets_are_set_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
