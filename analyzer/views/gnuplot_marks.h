/*
 * gnuplot_marks.h - how large the brackets of functions are, and which is drawn first.
 *
 * Brackets that would hide each other grow outwards, the shortest activation innermost, so that
 * each of them stays visible. Sizes are in the units of the axes. Any thread.
 */
#ifndef MPROF_GNUPLOT_MARKS_H
#define MPROF_GNUPLOT_MARKS_H

#include "plot.h"

struct bracket_box {
    double arm;  /* length of the arms, in seconds */
    double half; /* half of the height, in bytes */
    int level;   /* 0 innermost; draw the highest level first */
};

/* boxes[i] for plot->functions[i]; width and height are the axes' ranges in seconds and bytes. */
void bracket_boxes(const struct plot *plot, double width, double height, struct bracket_box *boxes);

#endif
