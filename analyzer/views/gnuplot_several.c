/* gnuplot_several.c - several lines and their legend: see gnuplot_drawing.h. */
#include "gnuplot_drawing.h"
#include "gnuplot_width.h"
#include "gnuplot_words.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

#define ROWS    22 /* that a page has room for, and a heading */
#define HEADING 1
#define COLOURS 13

/* As in mprof: black, blue, red, green, cyan, magenta, yellow; then others that differ from them.
 * Each comes a second time, in dashes. */
static const char *const colours[COLOURS] = {"#000000", "#1f3fff", "#e00000", "#008000", "#00a8b8",
                                             "#c000c0", "#c0a000", "#ff7f0e", "#8c564b", "#7ac143",
                                             "#9467bd", "#ff9fb0", "#4f6f8f"};
/* Lines without an entry of their own. */
#define BEYOND_COLOUR "#c4c4c4"

/* The line's style, behind "with lines" or "with linespoints". */
static const char *style_of(size_t i, char style[96])
{
    snprintf(style, 96, "linewidth 1.5%s linecolor rgb '%s'", i < COLOURS ? "" : " dashtype (8,4)",
             colours[i % COLOURS]);
    return style;
}

static int has_slope(const struct drawing *d, size_t i)
{
    return d->plot->slope && d->point_counts[i] > 1;
}

static uint64_t mapped_of(const struct drawing *d, size_t i)
{
    return gnuplot_reached(d->plot, &d->plot->lines[i]).mapped_bytes;
}

static void slope_text(const struct drawing *d, size_t i, char text[GNUPLOT_SLOPE_TEXT])
{
    gnuplot_slope_text(plot_line_slope(d->points[i], d->point_counts[i]), d->unit, text);
}

/* What else there is to say of a line, a row each: how much of its highest was mapped, and its
 * slope. */
static size_t detail_rows(const struct drawing *d, size_t i)
{
    return (mapped_of(d, i) != 0) + (size_t)has_slope(d, i);
}

/* The legend never runs off the page: start times go first, then the rows of details, for which all
 * names have a short form and a heading that says what it is, then names. */
void gnuplot_fit_several(struct drawing *d)
{
    size_t lines = d->plot->line_count, details = 0, room = ROWS;
    room -= (size_t)(d->plot->is_family != 0); /* the start has a row */
    d->named = lines <= room ? lines : room - 1;
    for (size_t i = 0; i < d->named; i++)
        details += detail_rows(d, i);
    d->rows = d->named + (d->named < lines);
    d->details_below = d->rows + details <= room;
    d->rows += d->details_below ? details : HEADING;
    d->starts_shown = !d->plot->is_family && d->rows + d->named <= room;
    d->rows += d->starts_shown ? d->named : ROWS - room;
}

/* ---- entries ---- */

/* What the short form of all rows says of each line. */
static void put_heading(const struct drawing *d)
{
    char text[64];
    snprintf(text, sizeof text, "%s%s", d->plot->windowed ? "highest here" : "peak",
             d->plot->slope ? ", slope:" : " (how much of it was mapped):");
    if (!d->details_below)
        gnuplot_put_words(d, text);
}

/* The short form, behind what the line reaches. */
static void short_details(const struct drawing *d, size_t i, char text[GNUPLOT_SLOPE_TEXT])
{
    char bytes[UNITS_TEXT], slope[GNUPLOT_SLOPE_TEXT];
    text[0] = '\0';
    if (has_slope(d, i)) {
        slope_text(d, i, slope);
        snprintf(text, GNUPLOT_SLOPE_TEXT, ", %s", slope + strlen("slope "));
    } else if (!d->plot->slope && mapped_of(d, i)) {
        snprintf(text, GNUPLOT_SLOPE_TEXT, " (%s)", units_bytes(bytes, mapped_of(d, i)));
    }
}

static void put_name(const struct drawing *d, size_t i)
{
    const struct plot_line *line = &d->plot->lines[i];
    char reached[GNUPLOT_REACHED_TEXT], more[GNUPLOT_SLOPE_TEXT] = "", style[96];
    char behind[GNUPLOT_REACHED_TEXT + GNUPLOT_SLOPE_TEXT + 4], title[512];
    if (!d->details_below)
        short_details(d, i, more);
    gnuplot_reached_text(d->plot, line, d->details_below, reached);
    snprintf(behind, sizeof behind, ", %s%s", reached, more);
    /* Recordings differ in their ends; of a process, the pid at the front counts, too. */
    char *name = gnuplot_fit(line->name, d->room - gnuplot_width(behind), !d->plot->is_family);
    snprintf(title, sizeof title, "%s%s", name, behind);
    fprintf(d->out, ", NaN with linespoints %s pointtype 1 pointsize 0.9", style_of(i, style));
    gnuplot_put_row(d, title);
    free(name);
}

static void put_details(const struct drawing *d, size_t i)
{
    char bytes[UNITS_TEXT], text[GNUPLOT_SLOPE_TEXT + 2] = "  ";
    if (mapped_of(d, i)) {
        snprintf(text + 2, sizeof text - 2, "%s of it mapped", units_bytes(bytes, mapped_of(d, i)));
        gnuplot_put_words(d, text);
    }
    if (has_slope(d, i)) {
        slope_text(d, i, text + 2);
        gnuplot_put_words(d, text);
    }
}

static void put_rows(const struct drawing *d, size_t i)
{
    char start[128];
    put_name(d, i);
    if (d->details_below)
        put_details(d, i);
    gnuplot_start_text(start, sizeof start, d->plot->lines[i].image->epoch_ns);
    if (d->starts_shown)
        gnuplot_put_words(d, start);
}

static void put_entries(const struct drawing *d)
{
    char text[128];
    gnuplot_start_text(text, sizeof text, d->plot->lines[0].image->epoch_ns);
    if (d->plot->is_family)
        gnuplot_put_words(d, text);
    put_heading(d);
    for (size_t i = 0; i < d->named; i++)
        put_rows(d, i);
    if (d->named == d->plot->line_count)
        return;
    snprintf(text, sizeof text, "%zu more", d->plot->line_count - d->named);
    fputs(", NaN with lines linewidth 1 linecolor rgb '" BEYOND_COLOUR "'", d->out);
    gnuplot_put_row(d, text);
}

/* ---- lines ---- */

static void draw_named(const struct drawing *d, size_t i)
{
    char style[96];
    const char *colour = colours[i % COLOURS];
    fprintf(d->out, "$line%zu with lines %s", i, style_of(i, style));
    fprintf(d->out, ", $marks%zu with points pointtype 1 pointsize 0.9 linecolor rgb '%s'", i,
            colour);
    if (!has_slope(d, i))
        return;
    gnuplot_draw_slope(d, i);
    fprintf(d->out, " linewidth 1.6 dashtype (3,2) linecolor rgb '%s'", colour);
}

/* Those without an entry lie below the others. */
void gnuplot_draw_several(const struct drawing *d)
{
    for (size_t i = d->named; i < d->plot->line_count; i++)
        fprintf(d->out, "$line%zu with lines linewidth 1 linecolor rgb '" BEYOND_COLOUR "', ", i);
    for (size_t i = 0; i < d->named; i++) {
        fputs(i ? ", " : "", d->out);
        draw_named(d, i);
    }
    put_entries(d);
}
