/* gnuplot.c - see gnuplot.h. */
#include "gnuplot.h"
#include "gnuplot_drawing.h"
#include "gnuplot_marks.h"
#include "gnuplot_words.h"
#include "units.h"
#include "xalloc.h"
#include <stdlib.h>

#define MARKS       30 /* small crosses along the line */
#define MARGIN      0.045
#define LEGEND_ROWS 14 /* rows that a page has room for */
/* Of a bracket, and between two of them: shares of the axes' width and height. */
#define BRACKET_ARM    0.014
#define BRACKET_HALF   0.038
#define BRACKET_BESIDE 0.005
#define BRACKET_GAP    0.012
#define MARK_ARM       0.006
#define MARK_HALF      0.015

/* ---- preparation ---- */

static void set_points(struct drawing *d)
{
    const struct plot *plot = d->plot;
    d->points = xcalloc(plot->line_count, sizeof *d->points);
    d->point_counts = xcalloc(plot->line_count, sizeof *d->point_counts);
    for (size_t i = 0; i < plot->line_count; i++) {
        const struct plot_line *line = &plot->lines[i];
        d->points[i] = plot_line_points(line->line, plot_line_begin(plot, line),
                                        plot_line_end(plot, line), &d->point_counts[i]);
    }
}

/* Returns the highest that shares the axis. */
static uint64_t set_units(struct drawing *d)
{
    uint64_t top = plot_top(d->plot);
    d->unit = gnuplot_unit(d->plot);
    d->rss = resident_of(d->plot);
    d->rss_unit = gnuplot_resident_unit(d->plot, &d->rss);
    if (!d->rss.own_axis && d->rss.highest > top)
        top = d->rss.highest;
    return top ? top : 1;
}

static void prepare(struct drawing *d)
{
    const struct plot *plot = d->plot;
    set_points(d);
    double top = (double)set_units(d);
    double begin = (double)plot->begin_ns / 1e9, end = (double)plot->end_ns / 1e9;
    double margin = plot->windowed ? 0 : MARGIN * (end - begin);
    d->x0 = begin - margin;
    d->x1 = end > begin ? end + margin : begin + 1e-6;
    d->y0 = -0.07 * top;
    d->y1 = 1.1 * top;
}

static void release(struct drawing *d)
{
    for (size_t i = 0; i < d->plot->line_count; i++)
        free(d->points[i]);
    free(d->points);
    free(d->point_counts);
    resident_release(&d->rss);
}

/* ---- data ---- */

static void put_point(const struct drawing *d, double seconds, double bytes)
{
    fprintf(d->out, "%.9g %.9g\n", seconds, bytes / d->unit.bytes);
}

static void put_line_data(const struct drawing *d, size_t i)
{
    const struct plot_point *points = d->points[i];
    size_t count = d->point_counts[i];
    fprintf(d->out, "$line%zu << EOD\n", i);
    for (size_t k = 0; k < count; k++)
        put_point(d, points[k].seconds, points[k].bytes);
    fprintf(d->out, "EOD\n$marks%zu << EOD\n", i);
    for (int k = 0; k <= MARKS; k++) {
        double t = d->x0 + (d->x1 - d->x0) * k / MARKS;
        if (count && t >= points[0].seconds && t <= points[count - 1].seconds)
            put_point(d, t, plot_line_at(points, count, t));
    }
    fputs("EOD\n", d->out);
}

/* The mapped part of a line of memory, "$mapped". */
static void put_mapped_data(const struct drawing *d)
{
    const struct plot_line *line = &d->plot->lines[0];
    size_t count;
    struct plot_point *points = plot_line_points(line->mapped, plot_line_begin(d->plot, line),
                                                 plot_line_end(d->plot, line), &count);
    fputs("$mapped << EOD\n", d->out);
    for (size_t i = 0; i < count; i++)
        put_point(d, points[i].seconds, points[i].bytes);
    fputs("EOD\n", d->out);
    free(points);
}

static void put_resident_data(const struct drawing *d)
{
    const struct resident *r = &d->rss;
    fputs("$rss << EOD\n", d->out);
    for (size_t i = 0; i < r->count; i++)
        fprintf(d->out, "%.9g %.9g\n", r->points[i].seconds,
                r->points[i].bytes / d->rss_unit.bytes);
    fputs("EOD\n$samples << EOD\n", d->out);
    for (size_t i = 0; i < r->sample_count; i++)
        fprintf(d->out, "%.9g %.9g\n", (double)r->samples[i].ns / 1e9,
                (double)r->samples[i].rss_bytes / d->rss_unit.bytes);
    fputs("EOD\n", d->out);
}

void gnuplot_put_data(const struct drawing *d)
{
    for (size_t i = 0; i < d->plot->line_count; i++)
        put_line_data(d, i);
    if (gnuplot_has_parts(d->plot))
        put_mapped_data(d);
    if (d->rss.count)
        put_resident_data(d);
}

static void put_brackets(const struct drawing *d)
{
    double width = d->x1 - d->x0, height = d->y1 - d->y0;
    struct bracket_area area = {.x0 = d->x0,
                                .x1 = d->x1,
                                .y0 = d->y0,
                                .y1 = d->y1,
                                .arm = BRACKET_ARM * width,
                                .half = BRACKET_HALF * height,
                                .beside = BRACKET_BESIDE * width,
                                .gap = BRACKET_GAP * height,
                                .mark_arm = MARK_ARM * width,
                                .mark_half = MARK_HALF * height};
    struct bracket brackets[BRACKETS_MAX];
    brackets_place(d->plot, &area, brackets);
    brackets_data(brackets, d->plot->function_count, d->unit.bytes, d->out);
}

/* ---- a picture ---- */

static void draw_picture(const struct drawing *d)
{
    gnuplot_put_page(d);
    gnuplot_put_data(d);
    put_brackets(d);
    gnuplot_draw_entries(d);
}

void gnuplot_script(const struct plot *plot, const struct picture *picture, FILE *out)
{
    struct drawing d = {.plot = plot, .picture = picture, .out = out};
    d.room = gnuplot_room(plot, picture).width;
    prepare(&d);
    if (plot_is_single(plot))
        gnuplot_fit_single(&d);
    else
        gnuplot_fit_several(&d);
    fputs("set encoding utf8\nset decimalsign '.'\n", out);
    if (picture->kind == PICTURE_TEXT)
        gnuplot_draw_characters(&d);
    else
        draw_picture(&d);
    release(&d);
}
