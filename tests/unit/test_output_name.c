/* test_output_name.c - patterns of recordings' names. */
#include "output_name.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void check_expansion(const char *pattern, const char *expected)
{
    char *got = output_name_expand(pattern, 4711);

    assert_string_equal(got, expected);
    free(got);
}

static void test_expand(void **state)
{
    char host[256] = "";
    (void)state;

    gethostname(host, sizeof host - 1);
    setenv("MPROF_TEST_RANK", "3", 1);
    unsetenv("MPROF_TEST_NONE");
    check_expansion("", "");
    check_expansion("plain.mprof", "plain.mprof");
    check_expansion("%p", "4711");
    check_expansion("a.%p.%p.b", "a.4711.4711.b");
    check_expansion("%h", host);
    check_expansion("r%q{MPROF_TEST_RANK}.x", "r3.x");
    check_expansion("r%q{MPROF_TEST_NONE}.x", "r.x");
    check_expansion("100%%", "100%");
    check_expansion("%%p", "%p");
    check_expansion("%", "%");
    check_expansion("%z%", "%z%");
    check_expansion("%q", "%q");
    check_expansion("%qx", "%qx");
}

static void test_expand_without_pid(void **state)
{
    (void)state;
    assert_null(output_name_expand("a%pb", 0));
    char *got = output_name_expand("a%%pb", 0);
    assert_string_equal(got, "a%pb");
    free(got);
}

static void test_default_name(void **state)
{
    struct output_name name;
    char *here = getcwd(NULL, 0);
    (void)state;

    setenv("TZ", "UTC", 1);
    tzset();
    assert_int_equal(output_name_make(&name, NULL, 1795318609), OUTPUT_NAME_OK);
    assert_string_equal(name.folder, here);
    assert_string_equal(name.file, "mprofile_20261122033649_%p.mprof");
    char *expanded = output_name_expand(name.pattern, 12);
    assert_int_equal(expanded[0], '/');
    assert_non_null(strstr(expanded, "/mprofile_20261122033649_12.mprof"));
    free(expanded);
    output_name_free(&name);
    free(here);
}

static void test_folders(void **state)
{
    struct output_name name;
    (void)state;

    assert_int_equal(output_name_make(&name, "/tmp/x.mprof", 0), OUTPUT_NAME_OK);
    assert_string_equal(name.folder, "/tmp");
    assert_string_equal(name.file, "x.mprof");
    assert_string_equal(name.pattern, "/tmp/x.mprof");
    output_name_free(&name);

    assert_int_equal(output_name_make(&name, "/x.mprof", 0), OUTPUT_NAME_OK);
    assert_string_equal(name.folder, "/");
    assert_string_equal(name.pattern, "/x.mprof");
    output_name_free(&name);

    setenv("MPROF_TEST_RANK", "a%p/b", 1);
    assert_int_equal(output_name_make(&name, "/t/%q{MPROF_TEST_RANK}/x%%", 0), OUTPUT_NAME_OK);
    assert_string_equal(name.folder, "/t/a%p/b"); /* a value is not a pattern */
    assert_string_equal(name.pattern, "/t/a%%p/b/x%%");
    output_name_free(&name);

    assert_int_equal(output_name_make(&name, "sub/x", 0), OUTPUT_NAME_OK);
    assert_int_equal(name.folder[0], '/');
    assert_string_equal(name.folder + strlen(name.folder) - 4, "/sub");
    output_name_free(&name);
}

/* A working folder with percent signs in its name must come through the recorder unharmed. */
static void test_percent_in_folder(void **state)
{
    char folder[] = "/tmp/mprof-%p-XXXXXX";
    struct output_name name;
    char *back = getcwd(NULL, 0);
    (void)state;

    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(output_name_make(&name, "%p.mprof", 0), OUTPUT_NAME_OK);
    char *expanded = output_name_expand(name.pattern, 5);
    char expected[64];
    snprintf(expected, sizeof expected, "%s/5.mprof", folder);
    assert_string_equal(expanded, expected);
    free(expanded);
    output_name_free(&name);
    assert_int_equal(chdir(back), 0);
    rmdir(folder);
    free(back);
}

static void test_refused(void **state)
{
    static const struct {
        const char *wanted;
        int error;
    } cases[] = {{"", OUTPUT_NAME_EMPTY},
                 {"folder/", OUTPUT_NAME_EMPTY},
                 {".", OUTPUT_NAME_EMPTY},
                 {"a/..", OUTPUT_NAME_EMPTY},
                 {"%p/x", OUTPUT_NAME_PID_IN_FOLDER},
                 {"a/b%p/x", OUTPUT_NAME_PID_IN_FOLDER},
                 {"%q{MPROF_TEST_SLASH}", OUTPUT_NAME_SLASH}};
    struct output_name name;
    (void)state;

    setenv("MPROF_TEST_SLASH", "a/b", 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(output_name_make(&name, cases[i].wanted, 0), cases[i].error);
        output_name_free(&name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expand),
        cmocka_unit_test(test_expand_without_pid),
        cmocka_unit_test(test_default_name),
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_percent_in_folder),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
