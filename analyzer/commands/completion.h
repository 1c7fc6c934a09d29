/*
 * completion.h - the completion for bash, made from the table of the commands.
 * scripts/mprof-c.bash is this output; a test compares them.
 */
#ifndef MPROF_COMPLETION_H
#define MPROF_COMPLETION_H

#include "command.h"
#include <stdio.h>

void completion_bash(const struct command *const *table, FILE *out);

#endif
