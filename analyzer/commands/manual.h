/*
 * manual.h - the manual pages as roff (man macros), made from the tables that the program itself
 * uses: commands and options from command.h's structs, the recorder's variables from settings.h.
 * doc/mprof-c.1 and doc/libmprof.7 are this output; a test compares them. Only the stream can fail.
 */
#ifndef MPROF_MANUAL_H
#define MPROF_MANUAL_H

#include "command.h"
#include <stdio.h>

void manual_program(const struct command *const *table, FILE *out); /* mprof-c(1) */
void manual_library(FILE *out);                                     /* libmprof(7) */

#endif
