/*
 * command.h - what a command is, and how to add one.
 *
 * A command is one file, commands/NAME.c: its values, its options, its work, and at the foot a
 * `const struct command command_NAME`. To add one:
 *
 *   1. write commands/NAME.c in this form:
 *
 *        struct values { int dry_run; const char *output; };
 *
 *        static const struct option options[] = {
 *            {'o', "output", OPTION_TEXT, "FILE", offsetof(struct values, output), NULL,
 *             "write to FILE"},
 *            {0, "dry-run", OPTION_FLAG, NULL, offsetof(struct values, dry_run), NULL,
 *             "only say what would be done"},
 *            {0}};
 *
 *        static int run(const struct invocation *call)
 *        {
 *            struct values values = {.output = "default"};
 *            struct operands operands;
 *            int rc = options_parse(call, &values, &operands);
 *            if (rc != OPTIONS_GO)
 *                return options_exit(rc);
 *            ... the work: operands.names[0 .. operands.count - 1], NULL after the last ...
 *            return COMMAND_OK;
 *        }
 *
 *        const struct command command_NAME = {.name = "NAME", .run = run, .options = options, ...};
 *
 *   2. name it in main.c's table.
 *
 * Help, manual page and completion follow from the struct; nothing else is needed. -h and --help
 * need no entry, every command has them.
 */
#ifndef MPROF_COMMAND_H
#define MPROF_COMMAND_H

#include <stddef.h>

enum command_exit { /* what a command's run returns: the exit status */
                    COMMAND_OK = 0,
                    COMMAND_FAILED = 1,
                    COMMAND_USAGE = 2,
};

enum option_type {
    OPTION_FLAG,    /* int: set to 1 */
    OPTION_TEXT,    /* const char *: the argument as it stands in argv */
    OPTION_TEXTS,   /* struct texts: it may be given several times, and each one adds */
    OPTION_CHOICE,  /* const char *: one of the words in `choices` */
    OPTION_COUNT,   /* long: a whole number, 0 or more */
    OPTION_SECONDS, /* double: 0 or more */
    OPTION_RANGE,   /* double[2]: "a,b" with a < b */
};

#define TEXTS_MAX 32
struct texts { /* arguments as they stand in argv */
    size_t count;
    const char *list[TEXTS_MAX];
};

struct option {       /* a table of them ends with {0} */
    char letter;      /* -o; 0 where there is none */
    const char *name; /* --output; NULL only at the table's end */
    enum option_type type;
    const char *argument; /* its name in the help, NULL for a flag */
    size_t offset;        /* of the value in the command's struct of values */
    const char *choices;  /* OPTION_CHOICE: the words, separated by spaces; else NULL */
    const char *help;     /* what it does: a phrase without a full stop */
};

enum operand_kind {
    OPERANDS_NONE,
    OPERANDS_RECORDINGS, /* files or indices, "-1" is one of them */
    OPERANDS_PROGRAM,    /* a program and its arguments: options end at the first operand */
    OPERANDS_COMMAND,    /* the name of a command */
};

struct example {
    const char *line, *what;
};

struct invocation;

struct command {
    const char *name;
    const char *operands; /* as shown in the usage line, "[FILE|INDEX ...]"; "" for none */
    enum operand_kind operand_kind;
    int operands_min, operands_max; /* max -1: any number */
    const char *summary;            /* one line, no full stop */
    const char *description;        /* whole sentences; "\n\n" between paragraphs */
    const struct option *options;   /* NULL for none; ends with {0} */
    const struct example *examples; /* NULL for none; ends with {0} */
    int (*run)(const struct invocation *call);
};

struct invocation {
    const struct command *command;
    const struct command *const *table; /* all commands, NULL after the last */
    int argc;
    char **argv; /* argv[0] is the command's name */
};

/* Finds the command that argv names and runs it; returns the exit status. */
int command_dispatch(const struct command *const *table, int argc, char **argv);
const struct command *command_find(const struct command *const *table, const char *name);

/* Prints one sentence on stderr, between "mprof-c: " and a newline; what came in with a name is
 * shown clean (text.h). */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
