/*
 * gnuplot_marks.h - where the brackets of functions stand, and their lines in a script.
 *
 * A bracket belongs to a moment and to the level of that moment. The moment is always where it is.
 * Where brackets would lie over each other, those of the function with the lower own peak move up
 * or down until each can be seen; all become smaller where there is no room. None leaves the axes.
 * The two of one function stay together where they meet; where they are at one place on the page,
 * a single mark stands for both, as two brackets in each other say nothing. Sizes are in the units
 * of the axes. Any thread.
 */
#ifndef MPROF_GNUPLOT_MARKS_H
#define MPROF_GNUPLOT_MARKS_H

#include "plot.h"

#include <stdio.h>

struct bracket_area {
    double x0, x1, y0, y1;      /* of the axes */
    double arm, half;           /* of a bracket: the length of its arms, and half of its height */
    double beside, gap;         /* that stays between two of them: in width, and in height */
    double mark_arm, mark_half; /* of a mark: half of its width and of its height */
};

struct bracket {
    int is_shown; /* its moment lies within the axes */
    int is_mark;  /* for the begin and the end, between which it stands */
    double seconds, bytes;
    double left, right; /* seconds is one of them, but at an edge of the axes or of a mark */
    double half;
};

/* brackets[2 * i]: where the activation of plot->functions[i] begins, or a mark; [2 * i + 1]: where
 * it ends, not shown where there is a mark. */
#define BRACKETS_MAX (2 * PLOT_FUNCTIONS_MAX)
void brackets_place(const struct plot *plot, const struct bracket_area *area,
                    struct bracket brackets[BRACKETS_MAX]);

/* A block of data for each function, "$function0" and so on; unit: bytes in one of the y axis. */
void brackets_data(const struct bracket *brackets, size_t functions, double unit, FILE *out);

/* In characters: "[a" where the first function's activation begins, "a]" where it ends,
 * "[a]" for a mark. */
void brackets_letters(const struct bracket *brackets, size_t functions, double unit, FILE *out);

#endif
