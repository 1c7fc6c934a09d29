/* test_gnuplot.c - the script, and what gnuplot makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gnuplot_process.h"
#include "gnuplot_words.h"
#include "plot_fixture.h"
#include "text.h"
#include <stdlib.h>
#include <unistd.h>

#define EVIL                                                                                       \
    "'' ''''\"; system(\"touch evil1\") `touch evil2` @_{x}^\\ 'a\nset output \"evil3\"\n!touch "  \
    "evil4\n#"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_quoting, set_up),
        cmocka_unit_test_setup(test_gnuplot_draws, set_up),
        cmocka_unit_test_setup(test_a_wrong_script_is_told, set_up),
        cmocka_unit_test_setup(test_gnuplot_missing, set_up),
        cmocka_unit_test_setup(test_small_scales_have_their_unit, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
