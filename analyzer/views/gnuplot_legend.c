/* gnuplot_legend.c - see gnuplot_drawing.h. */
#include "gnuplot_drawing.h"
#include "gnuplot_width.h"
#include "gnuplot_words.h"
#include "text.h"
#include "xalloc.h"
#include <stdlib.h>
#include <string.h>

#define RSS_FEW 30

/* As in mprof: black, blue, red, green, cyan, magenta, yellow; then as many as a legend has lines.
 */
static const char *const line_colours[PLOT_LEGEND_LINES] = {
    "#000000", "#1f3fff", "#e00000", "#008000", "#00a8b8", "#c000c0", "#c0a000",
    "#ff7f0e", "#8c564b", "#7ac143", "#9467bd", "#ff9fb0", "#7f7f7f"};
static const char *const function_colours[PLOT_FUNCTIONS_MAX] = {
    "#17a8c4", "#c4a000", "#008000", "#ff7f0e", "#1f4fd0", "#d63aaf", "#8c564b", "#7ac143"};
#define SLOPE_COLOUR "#00b8c8"
#define HEAP_AREA    "#dce6f4"
#define MAPPED_AREA  "#f6e3c5"
#define WHITE        "#ffffff" /* of an entry that is only words */

static const char *colour_of(size_t i)
{
    return line_colours[i % PLOT_LEGEND_LINES];
}

/* A row's text; what is too long for the page is cut. */
static void put_text(const struct drawing *d, const char *title)
{
    char *fit = gnuplot_fit(title, d->room, 0);
    fputs(" title ", d->out);
    gnuplot_put_quoted(d->out, fit);
    free(fit);
}

static void put_entry(const struct drawing *d, const char *style, const char *colour,
                      const char *title)
{
    fprintf(d->out, ", NaN with %s linecolor rgb '%s'", style, colour);
    put_text(d, title);
}

/* One of several: its name and peak, with what of that was mapped, which has a row of its own where
 * the page has that many. */
static void put_name_entry(const struct drawing *d, size_t i, const char *style)
{
    const struct plot_line *line = &d->plot->lines[i];
    uint64_t part = gnuplot_part_of_peak(line);
    int short_of_room = part && !d->parts_below;
    char peak[UNITS_TEXT], mapped[UNITS_TEXT], title[512];
    char behind[2 * UNITS_TEXT + 32], below[UNITS_TEXT + 32];
    units_bytes(peak, process_peak(&line->image->processes[0], line->series).bytes);
    units_bytes(mapped, part);
    if (short_of_room)
        snprintf(behind, sizeof behind, ", %s (%s mapped)", peak, mapped);
    else
        snprintf(behind, sizeof behind, ", peak %s", peak);
    char *name = gnuplot_fit(line->name, d->room - gnuplot_width(behind), 1);
    snprintf(title, sizeof title, "%s%s", name, behind);
    put_entry(d, style, colour_of(i), title);
    snprintf(below, sizeof below, "  %s of it mapped", mapped);
    if (part && d->parts_below)
        put_entry(d, "lines", WHITE, below);
    free(name);
}

static void put_more_entry(const struct drawing *d)
{
    char title[64];
    snprintf(title, sizeof title, "and %zu more", d->plot->line_count - d->named);
    put_entry(d, "lines", WHITE, title);
}

/* One of several, and its start where there is room. */
static void put_line_title(const struct drawing *d, size_t i, const char *style)
{
    char start[128];
    gnuplot_start_text(start, sizeof start, d->plot->lines[i].image->epoch_ns);
    if (i == 0 && d->plot->is_family)
        put_entry(d, "lines", WHITE, start);
    if (i == d->named)
        put_more_entry(d);
    if (i >= d->named)
        return;
    put_name_entry(d, i, style);
    if (d->starts_shown)
        put_entry(d, "lines", WHITE, start);
}

/* The title of the only one. */
static void put_single_title(const struct drawing *d, const char *style)
{
    char text[128];
    gnuplot_start_text(text, sizeof text, d->plot->lines[0].image->epoch_ns);
    put_entry(d, style, colour_of(0), text);
    if (!d->plot->summed)
        return;
    snprintf(text, sizeof text, "%zu process%s together", d->plot->summed,
             d->plot->summed == 1 ? "" : "es");
    put_entry(d, "lines", WHITE, text);
}

static void put_line_entry(const struct drawing *d, size_t i)
{
    const char *style = "linespoints linewidth 1.5 pointtype 1 pointsize 0.9";
    fprintf(d->out, "$line%zu with lines linewidth 1.5 linecolor rgb '%s', ", i, colour_of(i));
    fprintf(d->out, "$marks%zu with points pointtype 1 pointsize 0.9 linecolor rgb '%s'", i,
            colour_of(i));
    if (d->plot->line_count > 1)
        put_line_title(d, i, style);
    else
        put_single_title(d, style);
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

static void put_part_entry(const struct drawing *d, const char *name, const char *colour,
                           uint64_t bytes)
{
    char size[UNITS_TEXT], title[128];
    snprintf(title, sizeof title, "%s, %s of the %s", name, units_bytes(size, bytes),
             d->plot->windowed ? "highest" : "peak");
    fputs(", NaN with boxes fillstyle solid noborder fillcolor rgb '", d->out);
    fprintf(d->out, "%s'", colour);
    put_text(d, title);
}

static void put_part_entries(const struct drawing *d)
{
    const struct plot_line *line = &d->plot->lines[0];
    const struct bucket *highest = plot_highest(line->line);
    uint64_t mapped = highest->max_mapped_bytes;
    put_part_entry(d, "heap", HEAP_AREA, highest->max_bytes - mapped);
    put_part_entry(d, "mapped memory", MAPPED_AREA, mapped);
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

static void put_rss_entry(const struct drawing *d)
{
    char title[128];
    int few = d->rss.sample_count && d->rss.sample_count < RSS_FEW;
    gnuplot_resident_text(d->plot, &d->rss, title, sizeof title);
    draw_resident(d);
    put_entry(d,
              few ? "linespoints pointtype 7 pointsize 0.4 linewidth 1.3" : "lines linewidth 1.3",
              RSS_COLOUR, title);
}

static void put_mark_entry(const struct drawing *d)
{
    char title[64];
    gnuplot_high_water_text(d->plot, &d->rss, title, sizeof title);
    if (title[0])
        put_entry(d, "lines", WHITE, title);
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

static void put_slope_entry(const struct drawing *d, size_t i)
{
    char title[64];
    gnuplot_draw_slope(d, i);
    fprintf(d->out, " linewidth 1.6 dashtype (3,2) linecolor rgb '%s'",
            d->plot->line_count == 1 ? SLOPE_COLOUR : colour_of(i));
    if (!d->slopes_shown)
        return;
    gnuplot_slope_text(plot_line_slope(d->points[i], d->point_counts[i]), title, sizeof title);
    put_text(d, title);
}

/* ---- functions ---- */

static void draw_brackets(const struct drawing *d)
{
    for (size_t i = 0; i < d->plot->function_count; i++)
        fprintf(d->out, ", $function%zu with lines linewidth 2.4 linecolor rgb '%s'", i,
                function_colours[i]);
}

static void put_function_entries(const struct drawing *d)
{
    char bytes[GNUPLOT_PARTS_TEXT], below[128] = "  "; /* a little further in */
    if (d->plot->function_count)
        fputs(", NaN with lines linecolor rgb '" WHITE "' title 'own peaks of functions:'", d->out);
    for (size_t i = 0; i < d->plot->function_count; i++) {
        const struct plot_function *f = &d->plot->functions[i];
        char *title = xmalloc(strlen(f->label) + GNUPLOT_PARTS_TEXT + 3);
        gnuplot_held_text(f, bytes);
        sprintf(title, "%s  %s", f->label, bytes);
        put_entry(d, "lines linewidth 2.4", function_colours[i], title);
        free(title);
        gnuplot_both_text(f, below + 2);
        if (below[2])
            put_entry(d, "lines", WHITE, below);
        gnuplot_activation_text(f, below + 2, sizeof below - 2);
        put_entry(d, "lines", WHITE, below);
    }
}

/* ---- all of it ---- */

static void draw_lines(const struct drawing *d)
{
    for (size_t i = 0; i < d->plot->line_count; i++) {
        fputs(i ? ", " : "", d->out);
        put_line_entry(d, i);
        if (d->plot->slope && d->point_counts[i] > 1)
            put_slope_entry(d, i);
    }
}

void gnuplot_draw_entries(const struct drawing *d)
{
    fputs("plot ", d->out);
    if (gnuplot_has_parts(d->plot))
        draw_parts(d);
    draw_lines(d);
    if (gnuplot_has_parts(d->plot))
        put_part_entries(d);
    if (d->rss.count)
        put_rss_entry(d);
    put_mark_entry(d);
    draw_brackets(d);
    put_function_entries(d);
    fputc('\n', d->out);
}
