/*
 * gnuplot_drawing.h - what the parts of a script share: gnuplot.c prepares and writes the data,
 * gnuplot_page.c writes the page, gnuplot_legend.c draws the data of a single line, entry by
 * entry of the legend, gnuplot_several.c that of several; gnuplot_characters.c does both for a plot
 * in characters.
 *
 * The data: "$line0" and so on, "$marks0" (crosses along that line), "$mapped" (the mapped part of
 * a single line of memory), "$rss" and the "$samples" on that line, "$function0" and so on.
 */
#ifndef MPROF_GNUPLOT_DRAWING_H
#define MPROF_GNUPLOT_DRAWING_H

#include "gnuplot.h"
#include "gnuplot_resident.h"
#include "gnuplot_words.h"
#include "units.h"

#define RSS_COLOUR "#9a86c8"

struct drawing {
    const struct plot *plot;
    const struct picture *picture;
    FILE *out;
    struct unit unit;           /* of the y axis */
    struct plot_point **points; /* of each line */
    size_t *point_counts;
    struct resident rss;
    struct unit rss_unit; /* of its axis */
    double x0, x1, y0, y1;
    size_t room;        /* that a row of the legend has (gnuplot_room) */
    size_t rows;        /* of the legend */
    struct parts parts; /* of a single line */
    /* Of several lines: */
    size_t named;      /* lines with an entry in the legend */
    int starts_shown;  /* each has its start in a row of its own */
    int details_below; /* and what else there is to say of it */
};

/* Columns that a plot in characters keeps for its axis, and lines for its title, its axis and what
 * that is called. */
#define BESIDE_TEXT 12
#define BELOW_TEXT  8

void gnuplot_put_terminal(const struct drawing *d);
void gnuplot_put_title(const struct drawing *d);
void gnuplot_put_page(
    const struct drawing *d); /* all that, and what else stands around a picture */
void gnuplot_put_data(const struct drawing *d);
void gnuplot_draw_characters(const struct drawing *d); /* the whole script */

/* Set what of the legend is shown, and its rows. */
void gnuplot_fit_single(struct drawing *d);
void gnuplot_fit_several(struct drawing *d);

/* The script's plot command, and the part of it that draws several lines. */
void gnuplot_draw_entries(const struct drawing *d);
void gnuplot_draw_several(const struct drawing *d);

/* A row's text, behind its style; what is too long for the page is cut. And a row of words alone.
 */
void gnuplot_put_row(const struct drawing *d, const char *title);
void gnuplot_put_words(const struct drawing *d, const char *title);

/* ", [from:to] line", without a style: the least-squares line, over the time that the line has. */
void gnuplot_draw_slope(const struct drawing *d, size_t line);

#endif
