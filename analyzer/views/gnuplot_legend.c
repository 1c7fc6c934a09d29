/* gnuplot_legend.c - the only line and all that belongs to it: see gnuplot_drawing.h. */
#include "gnuplot_drawing.h"
#include "gnuplot_width.h"
#include "gnuplot_words.h"
#include "text.h"
#include "xalloc.h"
#include <stdlib.h>
#include <string.h>

#define RSS_FEW 30

static const char *const function_colours[PLOT_FUNCTIONS_MAX] = {
    "#17a8c4", "#c4a000", "#008000", "#ff7f0e", "#1f4fd0", "#d63aaf", "#8c564b", "#7ac143"};
#define LINE_COLOUR  "#000000"
#define SLOPE_COLOUR "#00b8c8"
#define HEAP_AREA    "#dce6f4"
#define MAPPED_AREA  "#f6e3c5"

void gnuplot_put_row(const struct drawing *d, const char *title)
{
    char *fit = gnuplot_fit(title, d->room, 0);
    fputs(" title ", d->out);
    gnuplot_put_quoted(d->out, fit);
    free(fit);
}

void gnuplot_put_words(const struct drawing *d, const char *title)
{
    fputs(", NaN with lines linecolor rgb '#ffffff'", d->out);
    gnuplot_put_row(d, title);
}

static void put_entry(const struct drawing *d, const char *style, const char *colour,
                      const char *title)
{
    fprintf(d->out, ", NaN with %s linecolor rgb '%s'", style, colour);
    gnuplot_put_row(d, title);
}

/* ---- the only line ---- */

static void put_title(const struct drawing *d)
{
    char text[128];
    gnuplot_start_text(text, sizeof text, d->plot->lines[0].image->epoch_ns);
    put_entry(d, "linespoints linewidth 1.5 pointtype 1 pointsize 0.9", LINE_COLOUR, text);
    if (!d->plot->summed)
        return;
    if (d->plot->summed == 1)
        strcpy(text, "one process alone");
    else
        snprintf(text, sizeof text, "%zu processes together", d->plot->summed);
    gnuplot_put_words(d, text);
}

/* ---- the two parts of memory ---- */

/* Below the line: the heap upon mapped memory. */
static void draw_parts(const struct drawing *d)
{
    fputs("$line0 with filledcurves y1=0 fillstyle solid noborder fillcolor rgb '" HEAP_AREA "', "
          "$mapped with filledcurves y1=0 fillstyle solid noborder fillcolor rgb '" MAPPED_AREA
          "', ",
          d->out);
}

/* A part that is nothing in all of the picture has no entry. */
static void put_part_entry(const struct drawing *d, enum series series, const char *colour,
                           uint64_t highest)
{
    char title[GNUPLOT_PART_TEXT];
    if (highest == 0)
        return;
    gnuplot_part_text(d->plot, series, highest, title);
    fputs(", NaN with boxes fillstyle solid noborder fillcolor rgb '", d->out);
    fprintf(d->out, "%s'", colour);
    gnuplot_put_row(d, title);
}

static void put_part_entries(const struct drawing *d)
{
    put_part_entry(d, SERIES_HEAP, HEAP_AREA, d->parts.heap);
    put_part_entry(d, SERIES_MAPPED, MAPPED_AREA, d->parts.mapped);
}

/* ---- the resident set ---- */

/* Few samples are marked: a single one would not be seen. */
static void draw_resident(const struct drawing *d)
{
    const char *axes = d->rss.own_axis ? "axes x1y2 " : "";
    fprintf(d->out, ", $rss %swith lines linewidth 1.3 linecolor rgb '" RSS_COLOUR "'", axes);
    if (d->rss.sample_count && d->rss.sample_count < RSS_FEW)
        fprintf(d->out,
                ", $samples %swith points pointtype 7 pointsize 0.4 linecolor rgb '" RSS_COLOUR "'",
                axes);
}

/* Of a sum: the line has nothing of those processes. */
static void put_unsampled_entry(const struct drawing *d)
{
    char text[64];
    size_t unsampled = gnuplot_unsampled(d->plot);
    snprintf(text, sizeof text, "  without %zu process%s", unsampled, unsampled == 1 ? "" : "es");
    if (unsampled)
        gnuplot_put_words(d, text);
}

static void put_rss_entry(const struct drawing *d)
{
    char title[128];
    int few = d->rss.sample_count && d->rss.sample_count < RSS_FEW;
    gnuplot_resident_text(d->plot, &d->rss, d->rss.own_axis ? " (right axis)" : "", title,
                          sizeof title);
    draw_resident(d);
    put_entry(d,
              few ? "linespoints pointtype 7 pointsize 0.4 linewidth 1.3" : "lines linewidth 1.3",
              RSS_COLOUR, title);
    put_unsampled_entry(d);
}

static void put_mark_entry(const struct drawing *d)
{
    char title[64];
    gnuplot_high_water_text(d->plot, &d->rss, title, sizeof title);
    if (title[0])
        gnuplot_put_words(d, title);
}

/* ---- slopes ---- */

void gnuplot_draw_slope(const struct drawing *d, size_t i)
{
    const struct plot_point *points = d->points[i];
    size_t count = d->point_counts[i];
    struct plot_slope slope = plot_line_slope(points, count);
    fprintf(d->out, ", [%.9g:%.9g] %.12g + x * %.12g with lines", points[0].seconds,
            points[count - 1].seconds, slope.bytes_at_zero / d->unit.bytes,
            slope.bytes_per_second / d->unit.bytes);
}

static void put_slope_entry(const struct drawing *d)
{
    char title[GNUPLOT_SLOPE_TEXT];
    gnuplot_slope_text(plot_line_slope(d->points[0], d->point_counts[0]), d->unit, title);
    gnuplot_draw_slope(d, 0);
    fputs(" linewidth 1.6 dashtype (3,2) linecolor rgb '" SLOPE_COLOUR "'", d->out);
    gnuplot_put_row(d, title);
}

/* ---- functions ---- */

static void draw_brackets(const struct drawing *d)
{
    for (size_t i = 0; i < d->plot->function_count; i++)
        fprintf(d->out, ", $function%zu with lines linewidth 2.4 linecolor rgb '%s'", i,
                function_colours[i]);
}

static void put_functions_title(const struct drawing *d)
{
    char title[64];
    snprintf(title, sizeof title, "own peaks of functions%s:", gnuplot_bound(d->plot));
    if (d->plot->function_count)
        gnuplot_put_words(d, title);
}

static void put_function_entry(const struct drawing *d, size_t i)
{
    const struct plot_function *f = &d->plot->functions[i];
    char bytes[GNUPLOT_PARTS_TEXT], below[128] = "  "; /* a little further in */
    char *title = xmalloc(strlen(f->label) + GNUPLOT_PARTS_TEXT + 3);
    gnuplot_held_text(f, bytes);
    sprintf(title, "%s  %s", f->label, bytes);
    put_entry(d, "lines linewidth 2.4", function_colours[i], title);
    free(title);
    gnuplot_both_text(f, below + 2);
    if (below[2])
        gnuplot_put_words(d, below);
    gnuplot_activation_text(f, below + 2, sizeof below - 2);
    gnuplot_put_words(d, below);
}

static void put_function_entries(const struct drawing *d)
{
    put_functions_title(d);
    for (size_t i = 0; i < d->plot->function_count; i++)
        put_function_entry(d, i);
}

/* ---- all of it ---- */

static void draw_single(const struct drawing *d)
{
    if (gnuplot_has_parts(d->plot))
        draw_parts(d);
    fputs("$line0 with lines linewidth 1.5 linecolor rgb '" LINE_COLOUR "', "
          "$marks0 with points pointtype 1 pointsize 0.9 linecolor rgb '" LINE_COLOUR "'",
          d->out);
    put_title(d);
    if (d->plot->slope && d->point_counts[0] > 1)
        put_slope_entry(d);
    put_part_entries(d);
    if (d->rss.count)
        put_rss_entry(d);
    put_mark_entry(d);
    draw_brackets(d);
    put_function_entries(d);
}

void gnuplot_fit_single(struct drawing *d)
{
    const struct plot *plot = d->plot;
    d->parts = gnuplot_parts(plot);
    d->rows = 1 + (plot->summed != 0) + (plot->slope != 0) + (d->rss.count != 0) +
              (d->rss.count && gnuplot_unsampled(plot)) + (gnuplot_high_water(plot) != 0) +
              (d->parts.heap != 0) + (d->parts.mapped != 0) + (plot->function_count != 0);
    for (size_t i = 0; i < plot->function_count; i++)
        d->rows += plot_function_rows(&plot->functions[i]);
}

void gnuplot_draw_entries(const struct drawing *d)
{
    fputs("plot ", d->out);
    if (plot_is_single(d->plot))
        draw_single(d);
    else
        gnuplot_draw_several(d);
    fputc('\n', d->out);
}
