/* gnuplot.c - see gnuplot.h. */
#include "gnuplot.h"
#include "gnuplot_drawing.h"
#include "gnuplot_marks.h"
#include "gnuplot_words.h"
#include "text.h"
#include "units.h"
#include "xalloc.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MARKS         30  /* small crosses along the line */
#define RSS_OWN_SCALE 2.5 /* a resident set this many times the line gets an axis of its own */
#define MARGIN        0.045
#define TITLE_WIDTH   90
#define LEGEND_ROWS   14 /* rows that a page has room for */
#define ROWS_WIDE     18 /* more rows of a legend stand closer */
#define ROW_SPACING   1.25
#define BESIDE_TEXT   16 /* columns that a plot in characters keeps for its axis */
#define BELOW_TEXT    8  /* lines that it keeps for the title, its axis and what it is called */
/* Of a bracket, and between two of them: shares of the axes' width and height. */
#define BRACKET_ARM    0.014
#define BRACKET_HALF   0.038
#define BRACKET_BESIDE 0.005
#define BRACKET_GAP    0.012

#define PEAK_COLOUR "#e00000"
#define GRID_COLOUR "#b8b8b8"

/* ---- preparation ---- */

static uint64_t top_of(const struct plot *plot)
{
    uint64_t top = 0;
    for (size_t i = 0; i < plot->line_count; i++) {
        const struct bucket *highest = plot_highest(plot->lines[i].line);
        if (highest && highest->max_bytes > top)
            top = highest->max_bytes;
    }
    return top;
}

struct shown_samples gnuplot_samples(const struct plot *plot)
{
    const struct process *p = &plot->lines[0].image->processes[0];
    size_t first = 0, end;
    if (plot->line_count != 1)
        return (struct shown_samples){NULL, 0};
    while (first + 1 < p->sample_count && p->samples[first + 1].ns <= plot->begin_ns)
        first++;
    for (end = first; end < p->sample_count && p->samples[end].ns < plot->end_ns;)
        end++;
    return (struct shown_samples){p->samples + first, end + (end < p->sample_count) - first};
}

static uint64_t highest_rss(const struct plot *plot)
{
    struct shown_samples s = gnuplot_samples(plot);
    uint64_t highest = 0;
    for (size_t i = 0; i < s.count; i++)
        highest = s.list[i].rss_bytes > highest ? s.list[i].rss_bytes : highest;
    return highest;
}

/* MiB as in mprof, unless that would leave hardly a tick, or thousands. */
static struct unit axis_unit(uint64_t top)
{
    if (top < 100u << 10)
        return unit_of(top < 1024 ? 1 : 1024);
    return unit_of(top >= (uint64_t)10 << 30 ? (uint64_t)1 << 30 : 1 << 20);
}

/* The legend never runs off the page: start times go first, then slopes, then the rows of what was
 * mapped, then names. */
static void fit_legend(struct drawing *d)
{
    size_t count = d->plot->line_count, slopes = d->plot->slope ? count : 0, parts = 0;
    size_t rows = LEGEND_ROWS - (size_t)(d->plot->is_family != 0); /* the start has one */
    for (size_t i = 0; i < count; i++)
        parts += gnuplot_part_of_peak(&d->plot->lines[i]) != 0;
    d->named = count <= rows ? count : rows - 1;
    d->parts_below = count + parts <= rows;
    count += d->parts_below ? parts : 0;
    d->slopes_shown = count + slopes <= LEGEND_ROWS;
    d->starts_shown = !d->plot->is_family && count + slopes + d->plot->line_count <= LEGEND_ROWS;
}

static uint64_t end_of(const struct plot *plot, const struct plot_line *line)
{
    uint64_t end = line->image->processes[0].end_ns;
    return end < plot->end_ns ? end : plot->end_ns;
}

static void set_points(struct drawing *d)
{
    const struct plot *plot = d->plot;
    d->points = xcalloc(plot->line_count, sizeof *d->points);
    d->point_counts = xcalloc(plot->line_count, sizeof *d->point_counts);
    for (size_t i = 0; i < plot->line_count; i++)
        d->points[i] = plot_line_points(plot->lines[i].line, end_of(plot, &plot->lines[i]),
                                        &d->point_counts[i]);
}

/* Returns the highest that shares the axis. */
static uint64_t set_units(struct drawing *d)
{
    uint64_t top = top_of(d->plot);
    d->unit = axis_unit(top);
    d->rss_bytes = highest_rss(d->plot);
    d->rss_axis = (double)d->rss_bytes > RSS_OWN_SCALE * (double)top;
    d->rss_unit = d->rss_axis ? unit_of(d->rss_bytes) : d->unit;
    if (!d->rss_axis && d->rss_bytes > top)
        top = d->rss_bytes;
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
    struct plot_point *points = plot_line_points(line->mapped, end_of(d->plot, line), &count);
    fputs("$mapped << EOD\n", d->out);
    for (size_t i = 0; i < count; i++)
        put_point(d, points[i].seconds, points[i].bytes);
    fputs("EOD\n", d->out);
    free(points);
}

static void put_data(const struct drawing *d)
{
    for (size_t i = 0; i < d->plot->line_count; i++)
        put_line_data(d, i);
    if (gnuplot_has_parts(d->plot))
        put_mapped_data(d);
}

static void put_samples(const struct drawing *d)
{
    struct shown_samples s = gnuplot_samples(d->plot);
    fputs("$rss << EOD\n", d->out);
    for (size_t i = 0; i < s.count; i++)
        fprintf(d->out, "%.9g %.9g\n", (double)s.list[i].ns / 1e9,
                (double)s.list[i].rss_bytes / d->rss_unit.bytes);
    fputs("EOD\n", d->out);
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
                                .gap = BRACKET_GAP * height};
    struct bracket brackets[BRACKETS_MAX];
    brackets_place(d->plot, &area, brackets);
    brackets_data(brackets, d->plot->function_count, d->unit.bytes, d->out);
}

/* ---- the page ---- */

static void put_terminal(const struct drawing *d)
{
    switch (d->picture->kind) {
    case PICTURE_PNG: /* builds without cairo have libgd's png */
        fputs("if (strstrt(GPVAL_TERMINALS, 'pngcairo')) set terminal pngcairo size 1260,540 "
              "noenhanced background '#ffffff' font 'Sans,10' linewidth 1.2; else set terminal png "
              "size 1260,540 noenhanced background '#ffffff'\n",
              d->out);
        break;
    case PICTURE_SVG:
        fputs("set terminal svg size 1260,540 noenhanced background '#ffffff' font 'Sans,13' "
              "linewidth 1.2\n",
              d->out);
        break;
    case PICTURE_PDF:
        fputs("set terminal pdfcairo size 12.6in,5.4in noenhanced background '#ffffff' font "
              "'Sans,10' fontscale 0.75 linewidth 1.2\n",
              d->out);
        break;
    case PICTURE_WINDOW:
        fprintf(d->out, "set terminal %s size 1260,540 noenhanced persist title ",
                d->picture->window);
        gnuplot_put_quoted(d->out, "mprof-c plot");
        fputc('\n', d->out);
        break;
    case PICTURE_TEXT:
        fprintf(d->out, "set terminal dumb noenhanced size %d,%d\n", d->picture->columns,
                d->picture->lines);
        break;
    }
}

/* Between the rows of the legend, so that all of them fit on the page: gnuplot leaves out those
 * that do not. */
static double row_spacing(const struct drawing *d)
{
    const struct plot *plot = d->plot;
    size_t rows = 1 + (plot->summed != 0) + (plot->slope != 0) + (d->rss_bytes != 0) +
                  (d->rss_bytes && gnuplot_unsampled(plot)) + (gnuplot_high_water(plot) != 0) +
                  2 * (size_t)gnuplot_has_parts(plot) + (plot->function_count != 0);
    for (size_t i = 0; i < plot->function_count; i++)
        rows += plot_function_rows(&plot->functions[i]);
    return rows > ROWS_WIDE ? ROW_SPACING * ROWS_WIDE / (double)rows : ROW_SPACING;
}

static void put_axis_names(const struct drawing *d)
{
    fprintf(d->out, "set xlabel 'time (in seconds)'\nset ylabel '%s used (in %s)'\n",
            gnuplot_series_name(d->plot->lines[0].series), d->unit.name);
}

static void put_axes(const struct drawing *d)
{
    FILE *out = d->out;
    double left = d->rss_axis ? 0.075 : 0.1; /* the axes are 60 % of the page's width */
    fprintf(out, "set lmargin at screen %g\nset rmargin at screen %g\n", left, left + 0.6);
    fputs("set tmargin at screen 0.88\nset bmargin at screen 0.13\n", out);
    /* An area would hide a grid behind it. */
    fprintf(out, "set grid %s linetype 1 linewidth 0.8 linecolor rgb '" GRID_COLOUR "'\n",
            gnuplot_has_parts(d->plot) ? "front" : "layerdefault");
    fputs("set border 31 linewidth 0.8\nset tics out nomirror\nset tics front\n", out);
    put_axis_names(d);
    fprintf(out, "set xrange [%.9g:%.9g]\nset yrange [%.9g:%.9g]\n", d->x0, d->x1,
            d->y0 / d->unit.bytes, d->y1 / d->unit.bytes);
    if (d->rss_axis) {
        double top = (double)d->rss_bytes * 1.35 / d->rss_unit.bytes;
        fprintf(out, "set y2tics out textcolor rgb '" RSS_COLOUR "'\nset format y2 '%%g %s'\n",
                d->rss_unit.name);
        fprintf(out, "set y2range [%.9g:%.9g]\n", top * d->y0 / d->y1, top);
    }
    fprintf(out,
            "set key at screen %s,0.5 left center Left reverse vertical maxcols 1 samplen 2.5 "
            "width 0 spacing %.4g nobox noautotitle\n",
            d->rss_axis ? "0.73" : "0.705", row_spacing(d));
}

static void put_title(const struct drawing *d)
{
    const struct image *image = d->plot->lines[0].image;
    char *command = NULL;
    if (!d->plot->title && (d->plot->line_count == 1 || d->plot->is_family))
        command = text_command(image->argv, image->argc);
    size_t width = TITLE_WIDTH;
    if (d->picture->kind == PICTURE_TEXT && d->picture->columns < TITLE_WIDTH + BESIDE_TEXT)
        width = (size_t)d->picture->columns - BESIDE_TEXT;
    char *title = d->plot->title ? text_fit(d->plot->title, width, 0)
                                 : text_fit_command(command ? command : "", width);
    fputs("set title ", d->out);
    gnuplot_put_quoted(d->out, title);
    fputs(" offset 0,1\n", d->out);
    free(title);
    free(command);
}

/* The highest of several lines, which is the sum where there is one. */
static const struct plot_line *highest_line(const struct plot *plot)
{
    const struct plot_line *line = plot->lines;
    for (size_t i = 1; i < plot->line_count; i++) {
        const struct bucket *a = plot_highest(line->line), *b = plot_highest(plot->lines[i].line);
        if (b && (!a || b->max_bytes > a->max_bytes))
            line = &plot->lines[i];
    }
    return line;
}

/* The red cross at the highest point shown, with its value and time. */
static void put_peak(const struct drawing *d)
{
    const struct plot_line *line = highest_line(d->plot);
    const struct bucket *highest = plot_highest(line->line);
    if (!highest)
        return;
    double x = (double)highest->max_ns / 1e9, y = (double)highest->max_bytes / d->unit.bytes;
    char text[128], label[256];
    int whose = d->plot->is_family && !d->plot->summed;
    gnuplot_highest_text(d->plot, line, highest, text, sizeof text);
    snprintf(label, sizeof label, "%.100s%s%s", whose ? line->name : "", whose ? ": " : "", text);
    const char *style = "nohead front dashtype (9,5) linewidth 1.5 linecolor rgb '" PEAK_COLOUR "'";
    fprintf(d->out, "set arrow from %.9g,graph 0 to %.9g,graph 1 %s\n", x, x, style);
    fprintf(d->out, "set arrow from graph 0,first %.9g to graph 1,first %.9g %s\n", y, y, style);
    /* Above the axes, where no line and no bracket can hide it. */
    double place = (x - d->x0) / (d->x1 - d->x0);
    fputs("set label ", d->out);
    gnuplot_put_quoted(d->out, label);
    fprintf(d->out, " at %.9g,graph 1.03 %s textcolor rgb '" PEAK_COLOUR "'\n", x,
            place < 0.12   ? "left"
            : place > 0.88 ? "right"
                           : "center");
}

static void put_note(const struct drawing *d)
{
    if (!d->plot->note)
        return;
    char *note = text_fit(d->plot->note, 150, 0);
    fputs("set label ", d->out);
    gnuplot_put_quoted(d->out, note);
    fputs(" at screen 0.1,0.018 left textcolor rgb '" PEAK_COLOUR "'\n", d->out);
    free(note);
}

/* ---- a picture ---- */

static void put_page(const struct drawing *d)
{
    put_terminal(d);
    put_axes(d);
    put_title(d);
    if (d->plot->line_count == 1 || d->plot->is_family)
        put_peak(d);
    put_note(d);
}

static void draw_picture(const struct drawing *d)
{
    put_page(d);
    put_data(d);
    if (d->rss_bytes)
        put_samples(d);
    put_brackets(d);
    gnuplot_draw_entries(d);
}

/* ---- a plot in characters ---- */

/* A bracket is two characters. */
static void put_letters(const struct drawing *d)
{
    double begin = (double)d->plot->begin_ns / 1e9, end = (double)d->plot->end_ns / 1e9;
    double column = (end - begin) / (d->picture->columns - BESIDE_TEXT);
    double line = d->y1 / (d->picture->lines - BELOW_TEXT);
    struct bracket_area area = {.x0 = begin,
                                .x1 = end,
                                .y0 = 0,
                                .y1 = d->y1,
                                .arm = 2 * column,
                                .half = line / 2,
                                .gap = line / 10};
    struct bracket brackets[BRACKETS_MAX];
    brackets_place(d->plot, &area, brackets);
    brackets_letters(brackets, d->plot->function_count, d->unit.bytes, d->out);
}

static void put_text_line(const struct drawing *d, size_t i)
{
    fprintf(d->out, "%s$line%zu with lines linetype %zu", i ? ", " : "plot ", i, i + 1);
    if (!d->plot->slope || d->point_counts[i] < 2)
        return;
    gnuplot_draw_slope(d, i);
    fprintf(d->out, " linetype %zu", i + 1);
}

static void draw_text(const struct drawing *d)
{
    put_terminal(d);
    put_axis_names(d);
    fprintf(d->out, "set xrange [%.9g:%.9g]\nset yrange [0:%.9g]\nset tics nomirror\nunset key\n",
            (double)d->plot->begin_ns / 1e9, (double)d->plot->end_ns / 1e9, d->y1 / d->unit.bytes);
    put_title(d);
    if (d->plot->line_count == 1)
        put_letters(d);
    put_data(d);
    for (size_t i = 0; i < d->plot->line_count; i++)
        put_text_line(d, i);
    if (gnuplot_has_parts(d->plot))
        fputs(", $mapped with lines linetype 2", d->out);
    fputc('\n', d->out);
}

void gnuplot_script(const struct plot *plot, const struct picture *picture, FILE *out)
{
    struct drawing d = {.plot = plot, .picture = picture, .out = out};
    prepare(&d);
    fit_legend(&d);
    fputs("set encoding utf8\nset decimalsign '.'\n", out);
    if (picture->kind == PICTURE_TEXT)
        draw_text(&d);
    else
        draw_picture(&d);
    release(&d);
}
