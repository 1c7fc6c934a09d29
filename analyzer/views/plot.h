/*
 * plot.h - what a picture of memory over time consists of, before anybody draws it.
 *
 * A plot is one or several lines (one per recording, or per process of a tree), all from t = 0 on,
 * and for a single one the functions that held the memory, each as a pair of brackets: where the
 * activation that contains the function's own peak began and ended (gnuplot_marks.h). Each line is
 * of a series (enum series); below a single one of memory stand its two parts.
 *
 * Strings and arrays in a struct plot belong to the caller, also what plot_pick returns. Nothing
 * here reads files or prints. Single-threaded.
 */
#ifndef MPROF_PLOT_H
#define MPROF_PLOT_H

#include "summary.h"

struct plot_line {
    const char *name; /* of the recording as the user knows it, or of the process */
    const struct image *image;
    enum series series;
    struct line_of line; /* of process 0, or of the window */
    /* How much of a line of memory is mapped memory; the rest is heap. Count 0: it is no such line,
     * nothing was mapped, or its parts are not known. */
    struct line_of mapped;
};

struct plot_function {
    char *label; /* clean; a row has room for it and what the function held */
    uint64_t own_peak_bytes;
    /* In a plot of memory with two parts: the own peak of each, which need not be of one moment; 0
     * where the function holds none of it. In other plots both are 0. */
    uint64_t heap_bytes, mapped_bytes;
    uint64_t activations; /* of which the span is one; 0 unknown */
    struct span span;
};

/* Lines of one tree that a legend has room for. */
#define PLOT_LEGEND_LINES 20

struct plot {
    const char *title; /* NULL: the command line of a single line */
    const char *note;  /* what the recording does not know; NULL for nothing */
    const struct plot_line *lines;
    size_t line_count;
    size_t summed;  /* processes whose memory the first line sums; 0: it is one process's */
    int is_family;  /* the lines are the processes of one tree: one start, one command */
    int is_several; /* there are more lines than those in the window, or there would be */
    uint64_t begin_ns, end_ns;  /* of the time axis */
    int windowed;               /* the user chose the range: no margins beside it */
    int slope;                  /* add a least-squares line */
    const char *const *skipped; /* names of functions that get no bracket (function_names.h) */
    size_t skipped_count;
    const struct plot_function *functions;
    size_t function_count;
};

/* Is it of one line, with all that belongs to it? */
static inline int plot_is_single(const struct plot *plot)
{
    return plot->line_count == 1 && !plot->is_several;
}

struct plot_point {
    double seconds, bytes;
};

/* ---- plot_pick.c: which functions ---- */

#define PLOT_FUNCTIONS_MAX 8
#define PLOT_FUNCTIONS_MIN 6
/* Rows of a legend that there are for them; and that one takes: its name and peak, its activation,
 * and the parts of what has two. */
#define PLOT_FUNCTION_ROWS 16
static inline size_t plot_function_rows(const struct plot_function *f)
{
    return f->heap_bytes && f->mapped_bytes ? 3 : 2;
}

struct plot_room { /* of a row of the legend */
    size_t width;
    size_t (*width_of)(const char *text);
};

/*
 * The functions with the highest own inclusive peaks, at most PLOT_FUNCTIONS_MAX entries and
 * PLOT_FUNCTION_ROWS rows. Start
 * frames, and whatever else only ever stood further out than main, are left out, and so are
 * wrappers (function_names.h), plot->skipped, and what holds less than a hundredth of the program's
 * peak. If there are more functions than entries, callers that do nothing but pass through (same
 * thread, brackets at the same places, own peaks within 5 %) share one entry, "outer > inner", so
 * that the picture shows different things; if fewer than PLOT_FUNCTIONS_MIN entries would be left,
 * the fullest give some back. All are in the order of their own peaks. If enough functions have
 * names, those without are left out unless they hold much more. With plot->windowed only functions
 * with a bracket in the window count. Uses plot's first line and its range. Free with
 * plot_functions_free.
 */
struct plot_function *plot_pick(const struct plot *plot, const struct plot_room *room,
                                size_t *count);
void plot_functions_free(struct plot_function *functions, size_t count);

/* ---- plot_line.c: the line ---- */

/* The points of a line of steps through all changes that its buckets have kept, from begin_ns,
 * where it is 0 until the first of them, to end_ns: new memory, free() it. None where there is no
 * change.
 */
struct plot_point *plot_line_points(struct line_of line, uint64_t begin_ns, uint64_t end_ns,
                                    size_t *count);

/* Highest bucket, NULL where there are none. */
const struct bucket *plot_highest(struct line_of line);

/* Where the line begins and ends: with its process, or with the range. */
uint64_t plot_line_begin(const struct plot *plot, const struct plot_line *line);
uint64_t plot_line_end(const struct plot *plot, const struct plot_line *line);

/* Has it anything in the range? */
int plot_line_is_shown(const struct plot *plot, const struct plot_line *line);

/* What the lines reach. */
uint64_t plot_top(const struct plot *plot);

/* The level at a time, 0 before the first change. */
uint64_t plot_level_at(struct line_of line, uint64_t ns);

/* The same of points: the last one at or before it. */
double plot_line_at(const struct plot_point *points, size_t count, double seconds);

struct plot_slope {
    double bytes_per_second, bytes_at_zero;
};

/* Least squares through the line, with every moment weighing the same. */
struct plot_slope plot_line_slope(const struct plot_point *points, size_t count);

#endif
