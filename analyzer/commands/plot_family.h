/*
 * plot_family.h - the lines of a tree of processes for a plot: one that sums them all, one for
 * each, or both. All are in the tree's time: 0 is the start of the recording asked for.
 *
 * Owner of all that the series point to: the plot_family. What cannot be read is said in a sentence
 * and left out, and so is what else the family lacks (lineage_tell).
 */
#ifndef MPROF_PLOT_FAMILY_H
#define MPROF_PLOT_FAMILY_H

#include "plot.h"

struct plot_family;

/* image: that of the recording `name`; it must stay. together: the sum comes first; each: one line
 * for each process that held memory, the highest PLOT_LINES_MAX of them. */
struct plot_family *plot_family_new(const char *name, const struct image *image, int together,
                                    int each);
const struct plot_series *plot_family_series(const struct plot_family *f, size_t *count);

/* Changes the lines to those of [begin_ns, end_ns), as fine as the events are. Returns how many
 * processes could be read. */
size_t plot_family_window(struct plot_family *f, uint64_t begin_ns, uint64_t end_ns);

/* What the recordings of all its processes do not know, including those without a line. */
struct quality plot_family_quality(const struct plot_family *f);
int plot_family_runs_on(const struct plot_family *f); /* does any process of it? */
char *plot_family_gaps(const struct plot_family *f);  /* see family_gaps; free() it */

size_t plot_family_size(const struct plot_family *f); /* processes in the tree */
void plot_family_free(struct plot_family *f);         /* NULL is allowed */

#define PLOT_LINES_MAX 100

#endif
