/*
 * options.h - parses a command's options and prints its help, both from one declarative table.
 *
 * Short options may be joined (-nq) and carry their argument joined or apart (-ox.png, -o x.png),
 * long ones with = or apart (--output=x.png). Options may follow operands, except in commands that
 * start a program; "--" ends them. A minus with only digits (-1) is an operand, an index, where the
 * command takes recordings. Values of options that are not given stay as they were.
 */
#ifndef MPROF_OPTIONS_H
#define MPROF_OPTIONS_H

#include "command.h"
#include <stdio.h>

enum options_result {
    OPTIONS_GO = 0,   /* values and operands are filled in */
    OPTIONS_DONE = 1, /* -h: the help was printed */
    OPTIONS_BAD = -1, /* one sentence was printed */
};

struct operands {
    int count;
    char **names; /* within call->argv, which is reordered for it; NULL after the last */
};

int options_parse(const struct invocation *call, void *values, struct operands *operands);
int options_exit(int result); /* the exit status for DONE and BAD */

/* The help of one command, and of all; lines of at most 80 columns. */
void options_help(const struct command *command, FILE *out);
void options_overview(const struct command *const *table, FILE *out);

/* `text` in paragraphs (see struct command.description), every line indented by `indent`. */
void options_print_text(FILE *out, const char *text, int indent);

#endif
