/*
 * plot_check.h - is there anything to plot of a recording, and of what was asked for? Both return
 * 0, or -1 after a sentence. Single-threaded.
 */
#ifndef MPROF_PLOT_CHECK_H
#define MPROF_PLOT_CHECK_H

#include "options.h"
#include "plot.h"

/* Did the process ever hold what the line is of? */
int plot_check_contents(const struct plot_line *line);

/* Has the image functions of all these names? name: of the recording. */
int plot_check_skipped(const char *name, const struct image *image, const struct texts *skipped);

#endif
