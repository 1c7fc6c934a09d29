/* test_options.c - the declarative parse: every type, every form, every mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "options.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct values {
    int flag, other;
    const char *text;
    const char *choice;
    long count;
    double seconds;
    double range[2];
    struct texts texts;
};

static const struct option options[] = {
    {'f', "flag", OPTION_FLAG, NULL, offsetof(struct values, flag), NULL, "a flag"},
    {'g', "other", OPTION_FLAG, NULL, offsetof(struct values, other), NULL, "another"},
    {'o', "output", OPTION_TEXT, "FILE", offsetof(struct values, text), NULL, "a text"},
    {0, "sort", OPTION_CHOICE, "KEY", offsetof(struct values, choice), "peak self at-peak",
     "a key"},
    {'n', "count", OPTION_COUNT, "N", offsetof(struct values, count), NULL, "a number"},
    {'T', "interval", OPTION_SECONDS, "S", offsetof(struct values, seconds), NULL, "seconds"},
    {'x', "extra", OPTION_TEXTS, "TEXT", offsetof(struct values, texts), NULL, "several texts"},
    {'w', "window", OPTION_RANGE, "A,B", offsetof(struct values, range), NULL, "a range"},
    {0}};

static struct command command = {.name = "test",
                                 .operands = "[FILE...]",
                                 .operand_kind = OPERANDS_RECORDINGS,
                                 .operands_max = -1,
                                 .summary = "summary",
                                 .description = "First paragraph.\n\nSecond paragraph.",
                                 .options = options};

static struct values values;
static struct operands operands;
static char *arguments[32];
static char words[512];

/* Parses; what is printed goes nowhere. */
static int parse_quietly(const struct invocation *call)
{
    int saved = dup(STDERR_FILENO);
    assert_true(saved >= 0 && freopen("/dev/null", "w", stderr));
    int rc = options_parse(call, &values, &operands);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    return rc;
}

/* Parses a line, blanks between the words. */
static int parse(const char *line)
{
    int count = 0;
    snprintf(words, sizeof words, "test %s", line);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        arguments[count++] = word;
    arguments[count] = NULL;
    memset(&values, 0, sizeof values);
    memset(&operands, 0, sizeof operands);
    struct invocation call = {&command, NULL, count, arguments};
    return parse_quietly(&call);
}

static void test_short_forms(void **state)
{
    (void)state;
    assert_int_equal(parse("-fgox.png -n 12 a"), OPTIONS_GO);
    assert_int_equal(values.flag, 1);
    assert_int_equal(values.other, 1);
    assert_string_equal(values.text, "x.png");
    assert_int_equal(values.count, 12);
    assert_int_equal(operands.count, 1);
    assert_string_equal(operands.names[0], "a");
    assert_null(operands.names[1]);
}

static void test_long_forms(void **state)
{
    (void)state;
    assert_int_equal(parse("--output=x=y --count 3 --sort at-peak --interval=0.25 --window 1,2.5"),
                     OPTIONS_GO);
    assert_string_equal(values.text, "x=y");
    assert_int_equal(values.count, 3);
    assert_string_equal(values.choice, "at-peak");
    assert_true(values.seconds == 0.25);
    assert_true(values.range[0] == 1 && values.range[1] == 2.5);
}

static void test_texts_add_up(void **state)
{
    (void)state;
    assert_int_equal(parse("-xone a --extra two -x three --extra=four"), OPTIONS_GO);
    assert_int_equal(values.texts.count, 4);
    assert_string_equal(values.texts.list[0], "one");
    assert_string_equal(values.texts.list[1], "two");
    assert_string_equal(values.texts.list[2], "three");
    assert_string_equal(values.texts.list[3], "four");
    char *argv[TEXTS_MAX + 3] = {"test"};
    for (int i = 1; i <= TEXTS_MAX + 1; i++)
        argv[i] = "-xmore";
    struct invocation call = {&command, NULL, TEXTS_MAX + 1, argv};
    memset(&values, 0, sizeof values);
    assert_int_equal(parse_quietly(&call), OPTIONS_GO);
    assert_int_equal(values.texts.count, TEXTS_MAX);
    for (int i = 1; i <= TEXTS_MAX + 1; i++) /* the first call has moved them */
        argv[i] = "-xmore";
    call.argc = TEXTS_MAX + 2;
    memset(&values, 0, sizeof values);
    assert_int_equal(parse_quietly(&call), OPTIONS_BAD);
}

static void test_values_not_named_stay(void **state)
{
    (void)state;
    struct values mine = {.count = -1, .choice = "peak"};
    char *argv[] = {"test", "-f", NULL};
    struct invocation call = {&command, NULL, 2, argv};
    assert_int_equal(options_parse(&call, &mine, &operands), OPTIONS_GO);
    assert_int_equal(mine.count, -1);
    assert_string_equal(mine.choice, "peak");
    assert_int_equal(mine.flag, 1);
}

static void test_operands_between_options(void **state)
{
    (void)state;
    assert_int_equal(parse("a -f b -n 3 c -- -g --count"), OPTIONS_GO);
    assert_int_equal(operands.count, 5);
    assert_string_equal(operands.names[0], "a");
    assert_string_equal(operands.names[2], "c");
    assert_string_equal(operands.names[3], "-g");
    assert_string_equal(operands.names[4], "--count");
    assert_int_equal(values.flag, 1);
    assert_int_equal(values.other, 0);
}

static void test_minus_one_is_an_index(void **state)
{
    (void)state;
    assert_int_equal(parse("-1 -f -23 -"), OPTIONS_GO);
    assert_int_equal(operands.count, 3);
    assert_string_equal(operands.names[0], "-1");
    assert_string_equal(operands.names[1], "-23");
    assert_string_equal(operands.names[2], "-");
    assert_int_equal(parse("-1x"), OPTIONS_BAD);
    command.operand_kind = OPERANDS_COMMAND;
    assert_int_equal(parse("-1"), OPTIONS_BAD);
    command.operand_kind = OPERANDS_RECORDINGS;
}

static void test_a_program_keeps_its_options(void **state)
{
    (void)state;
    command.operand_kind = OPERANDS_PROGRAM;
    assert_int_equal(parse("-f ./app -g --count -- x"), OPTIONS_GO);
    assert_int_equal(values.flag, 1);
    assert_int_equal(values.other, 0);
    assert_int_equal(operands.count, 5);
    assert_string_equal(operands.names[1], "-g");
    assert_string_equal(operands.names[3], "--");
    assert_int_equal(parse("-f -- -x y"), OPTIONS_GO);
    assert_int_equal(operands.count, 2);
    assert_string_equal(operands.names[0], "-x");
    command.operand_kind = OPERANDS_RECORDINGS;
}

static void test_mistakes(void **state)
{
    (void)state;
    static const char *const wrong[] = {"-z",       "--bogus",    "--flag=1",
                                        "-n",       "--count",    "-n x",
                                        "-n -1",    "-n 1x",      "-n 99999999999999999999",
                                        "--sort",   "--sort pea", "--sort at",
                                        "-T -1",    "-T nan",     "-T inf",
                                        "-T 1s",    "-w 1",       "-w 2,1",
                                        "-w 1,1",   "-w a,b",     "-w ,",
                                        "-w 1,2,3", "--=x",       "-fz"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (parse(wrong[i]) != OPTIONS_BAD)
            fail_msg("taken for right: %s", wrong[i]);
}

static void test_number_of_operands(void **state)
{
    (void)state;
    command.operands_min = 1;
    command.operands_max = 2;
    assert_int_equal(parse("-f"), OPTIONS_BAD);
    assert_int_equal(parse("a"), OPTIONS_GO);
    assert_int_equal(parse("a b"), OPTIONS_GO);
    assert_int_equal(parse("a b c"), OPTIONS_BAD);
    command.operands_min = 0;
    command.operands_max = -1;
}

static void test_exit_status(void **state)
{
    (void)state;
    assert_int_equal(options_exit(OPTIONS_BAD), COMMAND_USAGE);
    assert_int_equal(options_exit(OPTIONS_DONE), COMMAND_OK);
}

static void test_help_names_all(void **state)
{
    (void)state;
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    options_help(&command, out);
    fclose(out);
    for (const struct option *o = options; o->name; o++) {
        char name[64];
        snprintf(name, sizeof name, "--%s", o->name);
        assert_non_null(strstr(text, name));
        assert_non_null(strstr(text, o->help));
    }
    assert_non_null(strstr(text, "Second paragraph."));
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 80);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_forms),
        cmocka_unit_test(test_long_forms),
        cmocka_unit_test(test_texts_add_up),
        cmocka_unit_test(test_values_not_named_stay),
        cmocka_unit_test(test_operands_between_options),
        cmocka_unit_test(test_minus_one_is_an_index),
        cmocka_unit_test(test_a_program_keeps_its_options),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_number_of_operands),
        cmocka_unit_test(test_exit_status),
        cmocka_unit_test(test_help_names_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
