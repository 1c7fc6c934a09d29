/* gnuplot_several.c - several lines and their legend: see gnuplot_drawing.h. */
#include "gnuplot_drawing.h"
#include "gnuplot_width.h"
#include "gnuplot_words.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

#define ROWS    22 /* that a page has room for */
#define COLOURS 13

/* As in mprof: black, blue, red, green, cyan, magenta, yellow; then others that differ from them.
 * Each comes a second time, in dashes. */
static const char *const colours[COLOURS] = {"#000000", "#1f3fff", "#e00000", "#008000", "#00a8b8",
                                             "#c000c0", "#c0a000", "#ff7f0e", "#8c564b", "#7ac143",
                                             "#9467bd", "#ff9fb0", "#4f6f8f"};
/* Lines without an entry of their own. */
#define BEYOND_COLOUR "#c4c4c4"

#define DETAILS (GNUPLOT_SLOPE_TEXT + UNITS_TEXT + 32)

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

/* What else there is to say of a line: how much of its highest was mapped, and its slope. */
static void details_of(const struct drawing *d, size_t i, char text[DETAILS])
{
    char mapped[UNITS_TEXT] = "", slope[GNUPLOT_SLOPE_TEXT] = "";
    uint64_t part = gnuplot_reached(d->plot, &d->plot->lines[i]).mapped_bytes;
    if (part)
        units_bytes(mapped, part);
    if (has_slope(d, i))
        gnuplot_slope_text(plot_line_slope(d->points[i], d->point_counts[i]), slope);
    snprintf(text, DETAILS, "%s%s%s%s", mapped, part ? " of it mapped" : "",
             part && slope[0] ? ", " : "", slope);
}

/* The legend never runs off the page: start times go first, then the rows of details, then names.
 */
void gnuplot_fit_several(struct drawing *d)
{
    size_t lines = d->plot->line_count, details = 0, room = ROWS;
    char text[DETAILS];
    room -= (size_t)(d->plot->is_family != 0); /* the start has a row */
    d->named = lines <= room ? lines : room - 1;
    for (size_t i = 0; i < d->named; i++) {
        details_of(d, i, text);
        details += text[0] != '\0';
    }
    d->rows = d->named + (d->named < lines);
    d->details_below = d->rows + details <= room;
    d->rows += d->details_below ? details : 0;
    d->starts_shown = !d->plot->is_family && d->rows + d->named <= room;
    d->rows += d->starts_shown ? d->named : ROWS - room;
}

/* ---- entries ---- */

/* What stands behind a name that has the only row: of the details the one that was asked for. */
static void put_short_details(const struct drawing *d, size_t i, char text[DETAILS])
{
    struct reached reached = gnuplot_reached(d->plot, &d->plot->lines[i]);
    char bytes[UNITS_TEXT], slope[GNUPLOT_SLOPE_TEXT];
    if (has_slope(d, i)) {
        gnuplot_slope_text(plot_line_slope(d->points[i], d->point_counts[i]), slope);
        snprintf(text, DETAILS, ", %s", slope + strlen("slope "));
    } else if (reached.mapped_bytes) {
        snprintf(text, DETAILS, " (%s mapped)", units_bytes(bytes, reached.mapped_bytes));
    }
}

static void put_name(const struct drawing *d, size_t i)
{
    const struct plot_line *line = &d->plot->lines[i];
    char reached[GNUPLOT_REACHED_TEXT], more[DETAILS] = "", style[96];
    char behind[GNUPLOT_REACHED_TEXT + DETAILS + 4], title[512];
    if (!d->details_below)
        put_short_details(d, i, more);
    gnuplot_reached_text(d->plot, line, more[0] == '\0', reached);
    snprintf(behind, sizeof behind, ", %s%s", reached, more);
    if (gnuplot_width(line->name) + gnuplot_width(behind) > d->room && !d->plot->slope) {
        gnuplot_reached_text(d->plot, line, 1, reached);
        snprintf(behind, sizeof behind, ", %s", reached);
    }
    char *name = gnuplot_fit(line->name, d->room - gnuplot_width(behind), 1);
    snprintf(title, sizeof title, "%s%s", name, behind);
    fprintf(d->out, ", NaN with linespoints %s pointtype 1 pointsize 0.9", style_of(i, style));
    gnuplot_put_row(d, title);
    free(name);
}

static void put_rows(const struct drawing *d, size_t i)
{
    char text[DETAILS + 2] = "  ", start[128];
    put_name(d, i);
    details_of(d, i, text + 2);
    if (d->details_below && text[2])
        gnuplot_put_words(d, text);
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
