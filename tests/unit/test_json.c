/* test_json.c - the writer of JSON, and what report and leaks write with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json.h"
#include "leaks_view.h"
#include "manual.h"
#include "report_view.h"
#include "view_fixture.h"
#include <ctype.h>
#include <stdlib.h>

static char *text;
static size_t bytes;

static FILE *begin(void)
{
    free(text);
    text = NULL;
    return open_memstream(&text, &bytes);
}

static int end(void **state)
{
    (void)state;
    free(text);
    return 0;
}

static void test_structure(void **state)
{
    (void)state;
    struct json j;
    FILE *out = begin();
    json_start(&j, out);
    json_array(&j, "empty");
    json_end_array(&j);
    json_object(&j, "o");
    json_number(&j, "n", UINT64_MAX);
    json_integer(&j, "i", -5);
    json_end_object(&j);
    json_array(&j, "a");
    json_string(&j, NULL, "x");
    json_null(&j, NULL);
    json_boolean(&j, NULL, 1);
    json_end_array(&j);
    json_seconds(&j, "s", 1000000001u);
    json_finish(&j);
    fclose(out);
    assert_string_equal(text, "{\n  \"empty\": [],\n  \"o\": {\n    \"n\": 18446744073709551615,\n"
                              "    \"i\": -5\n  },\n  \"a\": [\n    \"x\",\n    null,\n    true\n"
                              "  ],\n  \"s\": 1.000000001\n}\n");
}

static void test_escapes(void **state)
{
    (void)state;
    struct json j;
    FILE *out = begin();
    json_start(&j, out);
    json_string(&j, "k\"",
                "a\"b\\c\nd\te\x01\x7f\xff\xc3\xa9"
                "\xc2\x9b\xe2\x80\xae\xf4\x8f\xbf\xbf");
    json_finish(&j);
    fclose(out);
    assert_string_equal(text, "{\n  \"k\\\"\": \"a\\\"b\\\\c\\nd\\te\\u0001\\u007f\xef\xbf\xbd"
                              "\xc3\xa9\\u009b\\u202e\\udbff\\udfff\"\n}\n");
}

static void expect_key(const char *key)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\": ", key);
    if (!strstr(text, quoted))
        fail_msg("no key %s in %s", key, text);
}

static void make_report(long count, int together)
{
    struct view_fixture v;
    fixture_make(&v);
    fixture_function(&v, "main", FUNCTION_RESOLVED | FUNCTION_MAIN, 8 * FIXTURE_MIB, 0, 5);
    fixture_function(&v, "work", FUNCTION_RESOLVED, 4 * FIXTURE_MIB, 1, 2);
    struct family_fixture relatives;
    fixture_family(&relatives, &v);
    struct report report = {.image = &v.image,
                            .sort = "peak",
                            .count = count,
                            .family = &relatives.family,
                            .source = together ? NULL : &v.image};
    v.usages[1].activations = 3;
    v.usages[1].mapped.span = (struct span){3 * FIXTURE_SECOND, 4 * FIXTURE_SECOND, 0, 0, 5, 1};
    v.usages[1].memory.span = (struct span){FIXTURE_SECOND, 4 * FIXTURE_SECOND, 0, 0, 6, 1};
    v.failures[0] = (struct failure){2, 2, 9000, 8000, 5, 7};
    v.process.failures = v.failures;
    v.process.failure_count = 1;
    v.process.ending = (struct ending){END_SIGNAL, 9, ""};
    FILE *out = begin();
    report_json(&report, out);
    fclose(out);
}

/* A head that was read before the recording may name processes that this does not hold. */
static void test_report_of_a_child_that_is_not_there(void **state)
{
    (void)state;
    struct view_fixture v;
    struct family_fixture relatives;
    fixture_make(&v);
    fixture_family(&relatives, &v);
    relatives.relatives[1].recording = relatives.relatives[0].recording;
    relatives.relatives[1].serial = 5;
    struct report report = {
        .image = &v.image, .sort = "peak", .family = &relatives.family, .source = &v.image};
    FILE *out = begin();
    report_json(&report, out);
    fclose(out);
    expect_key("children");
    assert_null(strstr(text, "\"fork\""));
}

/* A forked child's peaks stand in its object itself, too, each by its name. */
static void test_report_of_a_forked_child(void **state)
{
    (void)state;
    struct view_fixture v;
    struct family_fixture relatives;
    fixture_make(&v);
    fixture_family(&relatives, &v);
    struct process both[2] = {v.process, {.serial = 1, .pid = 43}};
    both[1].totals = (struct totals){.peak_bytes = 1000,
                                     .mapped_peak_bytes = 4096,
                                     .memory_peak_bytes = 4600,
                                     .mapped_then_bytes = 4095};
    v.image.processes = both;
    v.image.process_count = 2;
    relatives.relatives[1].recording = relatives.relatives[0].recording;
    relatives.relatives[1].serial = 1;
    struct report report = {
        .image = &v.image, .sort = "peak", .family = &relatives.family, .source = &v.image};
    FILE *out = begin();
    report_json(&report, out);
    fclose(out);
    assert_non_null(strstr(text, "\"peak_bytes\": 1000,\n      \"mapped_peak_bytes\": 4096,\n"
                                 "      \"memory_peak_bytes\": 4600,\n"
                                 "      \"mapped_at_memory_peak_bytes\": 4095,\n"
                                 "      \"totals\""));
}

static void test_report_keys(void **state)
{
    (void)state;
    static const char *const keys[] = {"command",
                                       "pid",
                                       "start",
                                       "begin_s",
                                       "duration_s",
                                       "figures",
                                       "exit",
                                       "signal",
                                       "totals",
                                       "allocations",
                                       "frees",
                                       "allocated_bytes",
                                       "peak_bytes",
                                       "peak_time_s",
                                       "live_at_end_bytes",
                                       "live_at_end_blocks",
                                       "temporary",
                                       "mapped_peak_bytes",
                                       "rss_peak_bytes",
                                       "failed_allocations",
                                       "rss_high_water_bytes",
                                       "quality",
                                       "lost",
                                       "unmatched_frees",
                                       "implied_frees",
                                       "inherited",
                                       "truncated_stacks",
                                       "unresolved_frames",
                                       "nameless_modules",
                                       "undebugged_modules",
                                       "shortened",
                                       "left_out",
                                       "modules",
                                       "functions",
                                       "name",
                                       "module",
                                       "file",
                                       "line",
                                       "offset",
                                       "build_id",
                                       "self",
                                       "inclusive",
                                       "own_peak_bytes",
                                       "own_peak_time_s",
                                       "at_peak_bytes",
                                       "activations",
                                       "activation",
                                       "mapped_activation",
                                       "memory_activation",
                                       "failed",
                                       "largest_bytes",
                                       "children",
                                       "recording"};
    make_report(-1, 0);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        expect_key(keys[i]);
    assert_non_null(strstr(text, "\"start\": 1795318609.855000000"));
    assert_non_null(strstr(text, "\"name\": \"work\""));
    assert_non_null(strstr(text,
                           "\"offset\": \"0x1100\",\n"
                           "      \"build_id\": \"0123456789abcdef0123456789abcdef01234567\""));
    assert_non_null(strstr(text, "\"activations\": 3,"));
    assert_non_null(strstr(text, "\"activations\": null,"));
    assert_non_null(strstr(text, "\"largest_bytes\": 8000,"));
    make_report(1, 0);
    assert_non_null(strstr(text, "\"name\": \"main\""));
    assert_null(strstr(text, "\"name\": \"work\""));
}

/* Each series' own peak has its activation, null where none is known. */
static void test_activations(void **state)
{
    (void)state;
    make_report(-1, 0);
    const char *main_at = strstr(text, "\"name\": \"main\"");
    const char *work_at = strstr(text, "\"name\": \"work\"");
    assert_true(main_at && work_at && main_at < work_at);
    assert_non_null(strstr(main_at, "\"mapped_activation\": null,\n"
                                    "      \"memory_activation\": null\n"));
    assert_non_null(strstr(work_at, "\"activation\": {\n"
                                    "        \"thread\": 0,\n"
                                    "        \"begin_s\": 1.000000000,\n"
                                    "        \"end_s\": 2.000000000\n"
                                    "      },\n"
                                    "      \"mapped_activation\": {\n"
                                    "        \"thread\": 5,\n"
                                    "        \"begin_s\": 3.000000000,\n"
                                    "        \"end_s\": 4.000000000\n"
                                    "      },\n"
                                    "      \"memory_activation\": {\n"
                                    "        \"thread\": 6,\n"
                                    "        \"begin_s\": 1.000000000,\n"
                                    "        \"end_s\": 4.000000000\n"
                                    "      }\n"));
}

static void test_leaks(void **state)
{
    (void)state;
    struct view_fixture v;
    fixture_make(&v);
    fixture_function(&v, "main", FUNCTION_RESOLVED | FUNCTION_MAIN, 8, 0, 5);
    fixture_function(&v, "work", FUNCTION_RESOLVED, 4, 1, 2);
    v.leaks[0] = (struct leak){2, 2, 200, 5, FIXTURE_SECOND};
    v.leaks[1] = (struct leak){1, 1, 100, 7, 7};
    v.process.leaks = v.leaks;
    v.process.leak_count = 2;
    FILE *out = begin();
    leaks_json(&v.image, NULL, -1, out);
    fclose(out);
    const char *first = strstr(text, "\"bytes\": 200"), *second = strstr(text, "\"bytes\": 100");
    assert_true(first && second && first < second);
    const char *leaf = strstr(first, "\"function\": \"work\"");
    const char *root = strstr(first, "\"function\": \"main\"");
    assert_true(leaf && root && leaf < root && root < second);
    assert_non_null(strstr(first, "\"last_time_s\": 1.000000000"));
    assert_non_null(strstr(first, "\"line\": 21"));
    assert_non_null(strstr(leaf, "\"offset\": \"0x1110\""));
    assert_non_null(strstr(root, "\"offset\": \"0x1010\""));
    assert_non_null(strstr(root, "\"build_id\": \"0123456789abcdef"));
}

/* Every key that is written is in the manual. */
static void check_manual(int together)
{
    static const struct command *const none[] = {NULL};
    char *manual = NULL;
    size_t size;
    make_report(-1, together);
    char *json = text;
    text = NULL;
    FILE *out = open_memstream(&manual, &size);
    manual_program(none, out);
    fclose(out);
    for (char *p = json; (p = strchr(p, '"')) != NULL;) {
        char *close = strchr(p + 1, '"');
        assert_non_null(close);
        *close = '\0';
        if (close[1] == ':' && !strstr(manual, p + 1))
            fail_msg("%s is not in the manual", p + 1);
        p = close + 1;
    }
    free(json);
    free(manual);
}

static void test_manual_names_the_keys(void **state)
{
    (void)state;
    check_manual(0);
    check_manual(1);
}

static void test_keys_of_a_tree(void **state)
{
    (void)state;
    static const char *const keys[] = {"processes", "kind",    "starter", "command",
                                       "recording", "begin_s", "end_s",   "exit",
                                       "running",   "totals",  "quality", "children"};
    make_report(-1, 1);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        expect_key(keys[i]);
    assert_non_null(strstr(text, "\"at_peak_bytes\": null"));
    assert_non_null(strstr(text, "\"starter\": 42"));
    assert_non_null(strstr(text, "\"begin_s\": 1.000000000"));
    assert_non_null(strstr(text, "\"end_s\": 5.000000000"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structure),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_report_keys),
        cmocka_unit_test(test_report_of_a_child_that_is_not_there),
        cmocka_unit_test(test_report_of_a_forked_child),
        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_leaks),
        cmocka_unit_test(test_keys_of_a_tree),
        cmocka_unit_test(test_manual_names_the_keys),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
