/*
 * Any words as a command line, as an output name, and as text from a recording that is to be shown.
 *
 * Input: words, a NUL behind each. The first byte chooses the command. Nothing is run.
 */
#include "fuzz.h"
#include "fuzz_text.h"

#include "function_names.h"
#include "gnuplot_words.h"
#include "options.h"
#include "output_name.h"
#include "symbols.h"
#include "text.h"

#define WORDS_MAX 16

extern const struct command command_run, command_plot, command_peak, command_report, command_leaks,
    command_list, command_rm, command_clean, command_help;

static const struct command *const table[] = {
    &command_run,  &command_plot, &command_peak,  &command_report, &command_leaks,
    &command_list, &command_rm,   &command_clean, &command_help,   NULL};

/* What a command is told: no line of it may do anything to a terminal. */
static void parse(const struct command *command, int argc, char **argv)
{
    union {
        char bytes[4096];
        max_align_t aligned;
    } values = {.bytes = {0}};
    struct invocation call = {command, table, argc, argv};
    struct operands operands;
    struct fuzz_output out, err;

    fuzz_catch(&out, &stdout);
    fuzz_catch(&err, &stderr);
    int rc = options_parse(&call, &values, &operands);
    fuzz_release(&err, &stderr);
    fuzz_release(&out, &stdout);
    if (rc == OPTIONS_GO && (operands.count >= argc || operands.names[operands.count]))
        fuzz_fail("%d operands of %d words", operands.count, argc);
    if ((rc == OPTIONS_BAD) != (err.bytes > 0))
        fuzz_fail("result %d, and on standard error: '%s'", rc, err.text);
    check_text(err.text, err.bytes, "a complaint");
    check_text(out.text, out.bytes, "a help");
    free(err.text);
    free(out.text);
}

static void name_output(const char *word)
{
    struct output_name name;
    if (output_name_make(&name, word, 1700000000) == OUTPUT_NAME_OK) {
        if (name.folder[0] != '/' || strchr(name.file, '/'))
            fuzz_fail("output '%s' in '%s'", name.file, name.folder);
        char *text = output_name_expand(name.pattern, 4711);
        /* The root's name is the folder and a file in it, whatever was given. */
        if (text && strncmp(text, name.folder, strlen(name.folder)) != 0)
            fuzz_fail("'%s' is not in '%s'", text, name.folder);
        free(text);
        output_name_free(&name);
    }
}

static char *shown(char *text, const char *what)
{
    check_text(text, strlen(text), what);
    return text;
}

static void show(char *word)
{
    char *argv[] = {word, word, NULL};

    free(shown(text_clean(word), "text_clean"));
    free(shown(text_fit(word, 20, 0), "text_fit"));
    free(shown(text_fit(word, 7, 1), "text_fit"));
    free(shown(text_short_name(word, 31), "text_short_name"));
    free(shown(text_short_name(word, 3), "text_short_name"));
    free(shown(text_command(argv, 2), "text_command"));
    free(shown(text_word(word), "text_word"));
    if (word[0] && !function_is_called(word, word))
        fuzz_fail("'%s' is not called that", word);
    function_is_wrapper(word);
    bool shortened;
    free(demangle(word, &shortened));
    char *quoted = gnuplot_quote(word);
    check_quoted(quoted);
    free(quoted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *argv[WORDS_MAX + 2], *name;
    int argc = 1;
    if (size < 2)
        return 0;
    char *words = malloc(size + 1);
    memcpy(words, data, size);
    words[size] = '\0';
    const struct command *command = table[data[0] % (sizeof table / sizeof *table - 1)];
    argv[0] = name = strdup(command->name);
    for (char *p = words + 1; p < words + size && argc < WORDS_MAX; p += strlen(p) + 1)
        argv[argc++] = p;
    argv[argc] = NULL;
    for (int i = 1; i < argc; i++) {
        name_output(argv[i]);
        show(argv[i]);
    }
    parse(command, argc, argv);
    free(name);
    free(words);
    return 0;
}
