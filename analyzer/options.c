/* options.c - see options.h. */
#include "options.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HELP_WIDTH 79

static int bad(const struct invocation *call, const char *what, const char *subject,
               const char *why)
{
    complain("%s: %s '%s' %s; see mprof-c help %s", call->command->name, what, subject, why,
             call->command->name);
    return OPTIONS_BAD;
}

/* ---- values ---- */

static int read_number(const char *text, double *number)
{
    char *end;
    errno = 0;
    *number = strtod(text, &end);
    return end != text && *end == '\0' && errno == 0 && isfinite(*number) ? 0 : -1;
}

static int read_range(const char *text, double range[2])
{
    const char *comma = strchr(text, ',');
    char begin[64];
    if (!comma || (size_t)(comma - text) >= sizeof begin)
        return -1;
    memcpy(begin, text, (size_t)(comma - text));
    begin[comma - text] = '\0';
    double a, b;
    if (read_number(begin, &a) || read_number(comma + 1, &b) || a >= b)
        return -1;
    range[0] = a;
    range[1] = b;
    return 0;
}

static int read_count(const char *text, long *count)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0)
        return -1;
    *count = value;
    return 0;
}

static int is_choice(const char *choices, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = choices; length && (at = strstr(at, word)) != NULL; at += length) {
        int begins = at == choices || at[-1] == ' ';
        int ends = at[length] == '\0' || at[length] == ' ';
        if (begins && ends && !strchr(word, ' '))
            return 1;
    }
    return 0;
}

static int add_text(struct texts *texts, const char *text)
{
    if (texts->count == TEXTS_MAX)
        return 0;
    texts->list[texts->count++] = text;
    return 1;
}

static int store(const struct invocation *call, const struct option *option, const char *text,
                 void *values)
{
    void *place = (char *)values + option->offset;
    double number;
    char why[256];
    switch (option->type) {
    case OPTION_FLAG:
        *(int *)place = 1;
        return 0;
    case OPTION_TEXT:
        *(const char **)place = text;
        return 0;
    case OPTION_TEXTS:
        if (add_text(place, text))
            return 0;
        snprintf(why, sizeof why, "is one too many: it may be given %d times", TEXTS_MAX);
        break;
    case OPTION_CHOICE:
        if (is_choice(option->choices, text)) {
            *(const char **)place = text;
            return 0;
        }
        snprintf(why, sizeof why, "is not one of: %s", option->choices);
        break;
    case OPTION_COUNT:
        if (read_count(text, place) == 0)
            return 0;
        snprintf(why, sizeof why, "is not a whole number from 0 on");
        break;
    case OPTION_SECONDS:
        if (read_number(text, &number) == 0 && number >= 0) {
            *(double *)place = number;
            return 0;
        }
        snprintf(why, sizeof why, "is not a number of seconds from 0 on");
        break;
    case OPTION_RANGE:
        if (read_range(text, place) == 0)
            return 0;
        snprintf(why, sizeof why, "is not a range a,b of numbers with a below b");
        break;
    }
    char what[64];
    snprintf(what, sizeof what, "--%s:", option->name);
    return bad(call, what, text, why);
}

/* ---- parse ---- */

static const struct option *find_letter(const struct command *command, char letter)
{
    for (const struct option *o = command->options; o && o->name; o++)
        if (o->letter == letter)
            return o;
    return NULL;
}

static const struct option *find_name(const struct command *command, const char *name,
                                      size_t length)
{
    for (const struct option *o = command->options; o && o->name; o++)
        if (strlen(o->name) == length && memcmp(o->name, name, length) == 0)
            return o;
    return NULL;
}

/* Each takes the option at call->argv[*at] and leaves *at at its last word. */

static int parse_long(const struct invocation *call, int *at, void *values)
{
    const char *word = call->argv[*at];
    const char *name = word + 2;
    size_t length = strcspn(name, "=");
    if (strcmp(name, "help") == 0)
        return OPTIONS_DONE;
    const struct option *option = find_name(call->command, name, length);
    if (!option)
        return bad(call, "option", word, "is unknown");
    if (!option->argument)
        return name[length] ? bad(call, "option", word, "takes no argument")
                            : store(call, option, NULL, values);
    if (name[length] == '=')
        return store(call, option, name + length + 1, values);
    if (*at + 1 >= call->argc)
        return bad(call, "option", word, "needs an argument");
    return store(call, option, call->argv[++*at], values);
}

static int parse_letters(const struct invocation *call, int *at, void *values)
{
    for (const char *p = call->argv[*at] + 1; *p; p++) {
        const struct option *option = find_letter(call->command, *p);
        char shown[] = {'-', *p, '\0'};
        if (!option && *p == 'h')
            return OPTIONS_DONE;
        if (!option)
            return bad(call, "option", shown, "is unknown");
        if (!option->argument) {
            store(call, option, NULL, values);
            continue;
        }
        if (p[1] != '\0')
            return store(call, option, p + 1, values);
        if (*at + 1 >= call->argc)
            return bad(call, "option", shown, "needs an argument");
        return store(call, option, call->argv[++*at], values);
    }
    return OPTIONS_GO;
}

static int is_operand(const struct command *command, const char *word)
{
    if (word[0] != '-' || word[1] == '\0')
        return 1;
    return command->operand_kind == OPERANDS_RECORDINGS &&
           word[1 + strspn(word + 1, "0123456789")] == '\0';
}

static int check_count(const struct invocation *call, const struct operands *operands)
{
    const struct command *command = call->command;
    if (operands->count < command->operands_min) {
        complain("%s: an argument is missing: %s; see mprof-c help %s", command->name,
                 command->operands, command->name);
        return OPTIONS_BAD;
    }
    if (command->operands_max >= 0 && operands->count > command->operands_max)
        return bad(call, "argument", operands->names[command->operands_max], "is one too many");
    return OPTIONS_GO;
}

int options_parse(const struct invocation *call, void *values, struct operands *operands)
{
    /* Operands move to the front of argv, over the words that have been read. */
    int kept = 1, at, rc = OPTIONS_GO;
    for (at = 1; at < call->argc && rc == OPTIONS_GO; at++) {
        char *word = call->argv[at];
        if (strcmp(word, "--") == 0) {
            at++;
            break;
        }
        if (is_operand(call->command, word)) {
            if (call->command->operand_kind == OPERANDS_PROGRAM)
                break;
            call->argv[kept++] = word;
        } else {
            rc = word[1] == '-' ? parse_long(call, &at, values) : parse_letters(call, &at, values);
        }
    }
    if (rc == OPTIONS_DONE)
        options_help(call->command, stdout);
    if (rc != OPTIONS_GO)
        return rc;
    while (at < call->argc)
        call->argv[kept++] = call->argv[at++];
    call->argv[kept] = NULL;
    operands->count = kept - 1;
    operands->names = call->argv + 1;
    return check_count(call, operands);
}

int options_exit(int result)
{
    return result == OPTIONS_BAD ? COMMAND_USAGE : COMMAND_OK;
}

/* ---- help ---- */

/* Prints one paragraph, which ends at `end`, filled to the width. */
static void print_paragraph(FILE *out, const char *text, const char *end, int indent)
{
    int column = 0;
    while (text < end) {
        text += strspn(text, " \n");
        int length = (int)strcspn(text, " \n");
        if (text >= end || length == 0)
            break;
        if (column > 0 && column + 1 + length > HELP_WIDTH) {
            fputc('\n', out);
            column = 0;
        }
        column += column ? fprintf(out, " %.*s", length, text)
                         : fprintf(out, "%*s%.*s", indent, "", length, text);
        text += length;
    }
    fputc('\n', out);
}

void options_print_text(FILE *out, const char *text, int indent)
{
    for (const char *at = text; *at;) {
        const char *end = strstr(at, "\n\n");
        end = end ? end : at + strlen(at);
        if (at != text)
            fputc('\n', out);
        print_paragraph(out, at, end, indent);
        at = end + strspn(end, "\n");
    }
}

static void print_option(FILE *out, const struct option *option)
{
    char head[64], letter[5] = "";
    if (option->letter)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(head, sizeof head, "  %4s--%s%s%s", letter, option->name, option->argument ? " " : "",
             option->argument ? option->argument : "");
    fprintf(out, "%s\n", head);
    char text[512];
    snprintf(text, sizeof text, "%s%s%s", option->help, option->choices ? ": " : "",
             option->choices ? option->choices : "");
    print_paragraph(out, text, text + strlen(text), 10);
}

void options_help(const struct command *command, FILE *out)
{
    fprintf(out, "usage: mprof-c %s%s%s%s\n\n", command->name, command->options ? " [options]" : "",
            command->operands[0] ? " " : "", command->operands);
    options_print_text(out, command->description, 0);
    fputs("\noptions:\n", out);
    for (const struct option *o = command->options; o && o->name; o++)
        print_option(out, o);
    print_option(out, &(struct option){.letter = 'h', .name = "help", .help = "show this help"});
    if (command->examples)
        fputs("\nexamples:\n", out);
    for (const struct example *e = command->examples; e && e->line; e++) {
        fprintf(out, "  %s\n", e->line);
        options_print_text(out, e->what, 10);
    }
}

void options_overview(const struct command *const *table, FILE *out)
{
    fputs("usage: mprof-c COMMAND [options] [arguments]\n\n", out);
    options_print_text(out,
                       "Records every allocation of an unmodified native program and shows who "
                       "holds its memory, when, and what never came back.",
                       0);
    fputs("\ncommands:\n", out);
    for (; *table; table++)
        fprintf(out, "  %-8s %s\n", (*table)->name, (*table)->summary);
    fputs("\noptions:\n  -h, --help     show this help\n  --version      show the version\n\n",
          out);
    options_print_text(out,
                       "mprof-c help COMMAND tells more. A recording is named by its file, or by "
                       "its index in mprof-c list; without one a command takes the newest.",
                       0);
}
