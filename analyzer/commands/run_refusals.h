/*
 * run_refusals.h - what `run` refuses before the program starts, as it would be ignored, or would
 * destroy something. Each says in one sentence what is wrong.
 */
#ifndef MPROF_RUN_REFUSALS_H
#define MPROF_RUN_REFUSALS_H

/* Are the variables that the recorder reads numbers where it wants one? */
int run_settings_are_right(void);

#endif
