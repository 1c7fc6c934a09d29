/*
 * own_environment.h - mprof-c and the programs that it starts for itself are never recorded, and
 * draw the same picture whatever the user has set for gnuplot.
 */
#ifndef MPROF_OWN_ENVIRONMENT_H
#define MPROF_OWN_ENVIRONMENT_H

/* Takes the recorder out of LD_PRELOAD, where the user has exported it; what else stands there
 * stays. Called before anything else: no thread may be reading the environment. */
void own_environment_clear(void);

/* For a helper: of ours what it needs to find files, fonts and a display, with the locale that the
 * picture is drawn in. Release with own_environment_free. */
char **own_environment_for_helper(void);
void own_environment_free(char **environment);

#endif
