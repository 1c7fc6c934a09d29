/*
 * plot_family_lines.h - what a plot_family consists of, for plot_family.c and plot_family_window.c.
 */
#ifndef MPROF_PLOT_FAMILY_LINES_H
#define MPROF_PLOT_FAMILY_LINES_H

#include "lineage.h"
#include "plot_family.h"
#include "together.h"

struct family_line {    /* of one process, or of several, in the tree's time */
    size_t relative;    /* KIN_NONE: of several */
    struct image image; /* with nothing in it but the process */
    struct process process;
    struct bucket *buckets; /* of the series */
    size_t bucket_count;
    struct bucket *mapped; /* of memory: its mapped part; NULL: none */
    size_t mapped_count;
    char *label;
};

struct plot_family {
    struct recording *recording; /* the one asked for */
    struct lineage lineage;
    const struct image *asked;
    enum series wanted;
    struct image *sum; /* NULL: not wanted */
    int windowed;
    struct timeline sum_window, sum_mapped; /* of the sum, where windowed */
    struct family_line **lines;
    size_t count, capacity;
    struct family_line *others; /* the sum of those beyond PLOT_LINES_MAX; NULL: there are none */
    size_t other_count;         /* processes in that sum */
    size_t before_exec;         /* and what such with a line of their own were before an exec */
    size_t empty;               /* processes that held nothing */
    struct plot_line *shown;
    size_t shown_count;
    char *sum_label;
};

/* A copy of the buckets, so much later; free() it. */
struct bucket *plot_family_shift(const struct bucket *buckets, size_t count, uint64_t shift_ns);

/* Are its lines of memory, and the process's memory of two parts? */
int plot_family_has_parts(const struct plot_family *f, const struct process *p);

/* Makes the sum of the courses the others' line; from_ns: see together_line. */
void plot_family_set_others(struct plot_family *f, const struct course *courses, size_t count,
                            uint64_t from_ns);

/* The order of a legend that has no room for all: the process asked for, which is the root of what
 * is shown, then those that reach most. bytes: what each reaches. As a comparison for qsort. */
int plot_family_order(const struct plot_family *f, const struct family_line *const lines[2],
                      const uint64_t bytes[2]);

/* Lists the lines anew for who draws them. */
void plot_family_show(struct plot_family *f);

#endif
