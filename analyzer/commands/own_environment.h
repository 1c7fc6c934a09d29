/*
 * own_environment.h - mprof-c and the programs that it starts for itself are never recorded, and
 * draw the same picture whatever the user has set for gnuplot.
 */
#ifndef MPROF_OWN_ENVIRONMENT_H
#define MPROF_OWN_ENVIRONMENT_H

/* Takes the recorder out of LD_PRELOAD if the user has exported it; the rest of it stays. Call this
 * first: no thread may be reading the environment. */
void own_environment_clear(void);

/* A helper's environment: what it needs of ours to find files, fonts and a display, and the locale
 * that the picture is drawn in. Release with own_environment_free. */
char **own_environment_for_helper(void);
void own_environment_free(char **environment);

#endif
