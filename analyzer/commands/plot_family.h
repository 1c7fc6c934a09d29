/*
 * plot_family.h - the lines of a tree of processes for a plot: one that sums them all, one for
 * each, or both. All are in the tree's time: 0 is the start of the recording asked for.
 *
 * Owner of all that the lines point to: the plot_family. What cannot be read is said in a sentence
 * and left out, and so is what else the family lacks (lineage_tell).
 */
#ifndef MPROF_PLOT_FAMILY_H
#define MPROF_PLOT_FAMILY_H

#include "plot.h"
#include "series_choice.h"

struct plot_family;

enum plot_family_lines {
    PLOT_TOGETHER = 1 << 0, /* the sum; it comes first */
    PLOT_EACH = 1 << 1, /* a line for each process that held memory: the first one, the highest, up
                           to PLOT_LINES_MAX, and one for the sum of the others */
    PLOT_BIGGEST = 1 << 2, /* a line for the process that held most, besides the first one */
    PLOT_LEADER = 1 << 3,  /* all that only if the first process only starts others (leader.h) */
    PLOT_IMAGE = 1 << 4,   /* the same of its first image, whatever that became */
};

#define PLOT_LINES_MAX 100

/* Reads the family of the recording `name`. Returns 0, or -1 after a sentence. *f stays NULL where
 * PLOT_LEADER asks for a family and the recording's is none. Without a line nothing of the family
 * could be read. `series`: of which all lines are. */
int plot_family_new(struct plot_family **f, const char *name, unsigned lines,
                    const struct series_choice *series);
const struct plot_line *plot_family_lines(const struct plot_family *f, size_t *count);

/* Changes the lines to those of [begin_ns, end_ns), as fine as the events are. Returns how many
 * processes could be read. */
size_t plot_family_window(struct plot_family *f, uint64_t begin_ns, uint64_t end_ns);

/* What the recordings of all its processes do not know, including those without a line. */
struct quality plot_family_quality(const struct plot_family *f);
int plot_family_runs_on(const struct plot_family *f); /* does any process of it? */
char *plot_family_gaps(const struct plot_family *f);  /* see family_gaps; free() it */

/* With PLOT_EACH, which processes have no line of their own, and what they sum to; NULL where all
 * have one. free() it. */
char *plot_family_left_out(const struct plot_family *f);

int plot_family_is_summed(const struct plot_family *f);
size_t plot_family_size(const struct plot_family *f); /* processes in the tree */
void plot_family_free(struct plot_family *f);         /* NULL is allowed */

#endif
