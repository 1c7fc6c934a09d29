/*
 * run_refusals.h - what `run` refuses before the program starts, as it would be ignored, or would
 * destroy something. Each says in one sentence what is wrong.
 */
#ifndef MPROF_RUN_REFUSALS_H
#define MPROF_RUN_REFUSALS_H

#include "output_name.h"

/* Have the variables that `run` and the recorder read, but for the name, a value that they know? */
int run_settings_are_right(void);

/* Can the program's recording have its name? A file there that is no recording would be lost.
 * Returns the exit status, 0 where all is well. */
int run_check_file(const struct output_name *output);

/* output_name_make with the present time. Returns 1; 0 where it is none, with a complaint. */
int run_make_name(struct output_name *output, const char *wanted);

#endif
