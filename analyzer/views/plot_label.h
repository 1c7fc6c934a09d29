/*
 * plot_label.h - what the functions in a plot's legend are called.
 *
 * An entry of several functions has the names of the outermost, whose bracket it is, and of the
 * innermost, which allocates: "outer > ... > inner". Both are cut in the middle before one is left
 * out. Single-threaded.
 */
#ifndef MPROF_PLOT_LABEL_H
#define MPROF_PLOT_LABEL_H

#include "plot.h"

struct plot_ends { /* of an entry's functions; the same one twice where there is just one */
    const struct function *outer, *inner;
    size_t members;
};

/* Gives each function, of which all else is known, the longest label that leaves room in its row
 * for what it held; labels that would be the same have their places behind them. */
void plot_label(struct plot_function *functions, const struct plot_ends *ends, size_t count,
                const struct plot_room *room);

#endif
