/*
 * gnuplot.h - a plot as a script for gnuplot, data included.
 *
 * The script writes the picture to gnuplot's standard output and reads no file. Text from a
 * recording stands in double quotes, with all that gnuplot would expand in them escaped and its
 * control characters replaced; enhanced text is off: a name is only ever shown. Needs gnuplot 5.
 * A failed write is left to the stream's error flag. Single-threaded.
 */
#ifndef MPROF_GNUPLOT_H
#define MPROF_GNUPLOT_H

#include "plot.h"
#include <stdio.h>

enum picture_kind {
    PICTURE_PNG,
    PICTURE_SVG,
    PICTURE_PDF,
    PICTURE_WINDOW,
    PICTURE_TEXT, /* characters on a terminal */
};

struct picture {
    enum picture_kind kind;
    const char *window; /* PICTURE_WINDOW: gnuplot's terminal, "qt" */
    int columns, lines; /* PICTURE_TEXT: the room there is */
};

/* What the picture has room for in a row of its legend. */
struct plot_room gnuplot_room(const struct plot *plot, const struct picture *picture);

void gnuplot_script(const struct plot *plot, const struct picture *picture, FILE *out);

/* The legend of a PICTURE_TEXT, which goes below what gnuplot wrote. */
void gnuplot_text_legend(const struct plot *plot, const struct picture *picture, FILE *out);

#endif
