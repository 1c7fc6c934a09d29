/* gnuplot_characters.c - a plot in characters and its legend: see gnuplot_drawing.h and
 * gnuplot.h. */
#include "gnuplot_drawing.h"
#include "gnuplot_marks.h"
#include "gnuplot_words.h"
#include "text.h"
#include "totals_view.h"
#include <stdlib.h>
#include <string.h>

/* In characters, lines are told apart by what they are made of: gnuplot's line types, no other one
 * can be drawn. No row of a legend begins with one of them but that of a line. */
static const char pens[] = "*#$%@&=";
#define PENS (sizeof pens - 1)

/* What belongs to a single line, which has the first pen. */
enum pen { PEN_LINE = 1, PEN_MAPPED, PEN_SLOPE, PEN_RSS };

/* Of one of several lines: those for which there is none left share the last. */
static enum pen pen_of(size_t i)
{
    return (enum pen)(i < PENS ? i + 1 : PENS);
}

static char character_of(enum pen pen)
{
    return pens[pen - 1];
}

/* ---- the plot ---- */

/* A bracket is two characters, a mark three. */
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
                                .gap = line / 10,
                                .mark_arm = 1.5 * column,
                                .mark_half = line / 2};
    struct bracket brackets[BRACKETS_MAX];
    brackets_place(d->plot, &area, brackets);
    brackets_letters(brackets, d->plot->function_count, d->unit.bytes, d->out);
}

/* The line's slope, drawn with a pen. */
static void put_slope_line(const struct drawing *d, size_t i, enum pen pen)
{
    if (!d->plot->slope || d->point_counts[i] < 2)
        return;
    gnuplot_draw_slope(d, i);
    fprintf(d->out, " linetype %d", pen);
}

/* What is drawn later lies above: the line above all that belongs to it. */
static void draw_single(const struct drawing *d)
{
    fputs("plot $line0 with lines linetype 1", d->out); /* gnuplot wants something first */
    if (d->rss.count && !d->rss.own_axis)
        fprintf(d->out, ", $rss with lines linetype %d", PEN_RSS);
    if (gnuplot_has_parts(d->plot))
        fprintf(d->out, ", $mapped with lines linetype %d", PEN_MAPPED);
    put_slope_line(d, 0, PEN_SLOPE);
    fputs(", $line0 with lines linetype 1\n", d->out);
}

/* Lines that share a pen lie below the others. */
static void draw_several(const struct drawing *d)
{
    const char *before = "plot ";
    for (size_t i = 0; i < d->plot->line_count; i++) {
        size_t shown = (i + PENS - 1) % d->plot->line_count;
        if (d->plot->line_count < PENS)
            shown = i;
        fprintf(d->out, "%s$line%zu with lines linetype %d", before, shown, pen_of(shown));
        put_slope_line(d, shown, pen_of(shown));
        before = ", ";
    }
    fputc('\n', d->out);
}

/* No axis has a name at its side: nothing is turned in characters. */
static void put_axes(const struct drawing *d)
{
    fprintf(d->out, "set xrange [%.9g:%.9g]\nset yrange [0:%.9g]\nset tics nomirror\nunset key\n",
            (double)d->plot->begin_ns / 1e9, (double)d->plot->end_ns / 1e9, d->y1 / d->unit.bytes);
    fprintf(d->out,
            "set xlabel 'time (in seconds)'\n"
            "set label '%s used (in %s)' at graph 0,graph 1 left offset 0,1\n",
            gnuplot_series_name(d->plot->lines[0].series), d->unit.name);
}

void gnuplot_draw_characters(const struct drawing *d)
{
    gnuplot_put_terminal(d);
    put_axes(d);
    gnuplot_put_title(d);
    gnuplot_put_data(d);
    if (plot_is_single(d->plot)) {
        put_letters(d);
        draw_single(d);
    } else {
        draw_several(d);
    }
}

/* ---- its legend ---- */

static void put_slope(const struct plot *plot, const struct plot_line *line, char pen, FILE *out)
{
    size_t count;
    struct plot_point *points = plot_line_points(line->line, plot_line_begin(plot, line),
                                                 plot_line_end(plot, line), &count);
    char text[GNUPLOT_SLOPE_TEXT];
    gnuplot_slope_text(plot_line_slope(points, count), gnuplot_unit(plot), text);
    if (count > 1)
        fprintf(out, "  %c  %s\n", pen, text);
    free(points);
}

/* The parts of what is highest in a line of memory. */
static void put_parts(const struct bucket *highest, FILE *out)
{
    char parts[TOTALS_PARTS];
    if (totals_parts(parts, highest->max_bytes, highest->max_mapped_bytes)[0])
        fprintf(out, "     %s\n", parts);
}

static void put_highest(const struct plot *plot, const struct plot_line *line, FILE *out)
{
    const struct bucket *highest = plot_highest(line->line);
    char text[128];
    if (!highest)
        return;
    gnuplot_highest_text(plot, line, highest, text, sizeof text);
    fprintf(out, "     %s\n", text);
    if (line->mapped.count)
        put_parts(highest, out);
}

/* A process of a tree began when it did, not when the tree did. */
static void put_name(const struct plot *plot, size_t i, size_t columns, FILE *out)
{
    const struct plot_line *line = &plot->lines[i];
    char start[128], begin[UNITS_TEXT], *name = text_fit(line->name, columns / 2, 1);
    uint64_t begin_ns = line->image->processes[0].begin_ns;
    char pen = character_of(pen_of(i));
    gnuplot_start_text(start, sizeof start, line->image->epoch_ns);
    if (!plot->is_family)
        fprintf(out, "  %c  %s, %s\n", pen, start, name);
    else if (begin_ns)
        fprintf(out, "  %c  %s, from %s on\n", pen, name, units_time(begin, begin_ns));
    else
        fprintf(out, "  %c  %s\n", pen, name);
    free(name);
}

static void put_resident(const struct plot *plot, FILE *out)
{
    char text[128];
    struct resident rss = resident_of(plot);
    gnuplot_resident_text(plot, &rss, rss.own_axis ? ", above what is drawn" : "", text,
                          sizeof text);
    if (rss.count)
        fprintf(out, "  %c  %s\n", rss.own_axis ? ' ' : character_of(PEN_RSS), text);
    gnuplot_high_water_text(plot, &rss, text, sizeof text);
    if (text[0])
        fprintf(out, "     %s\n", text);
    resident_release(&rss);
}

static void put_single(const struct plot *plot, size_t columns, FILE *out)
{
    put_name(plot, 0, columns, out);
    put_highest(plot, &plot->lines[0], out);
    if (gnuplot_has_parts(plot))
        fprintf(out, "  %c  mapped memory\n", character_of(PEN_MAPPED));
    if (plot->slope)
        put_slope(plot, &plot->lines[0], character_of(PEN_SLOPE), out);
    put_resident(plot, out);
}

static void put_several(const struct plot *plot, size_t columns, FILE *out)
{
    size_t named = plot->line_count > PLOT_LEGEND_LINES ? PLOT_LEGEND_LINES : plot->line_count;
    char start[128];
    gnuplot_start_text(start, sizeof start, plot->lines[0].image->epoch_ns);
    if (plot->is_family)
        fprintf(out, "     %s\n", start);
    for (size_t i = 0; i < named; i++) {
        put_name(plot, i, columns, out);
        put_highest(plot, &plot->lines[i], out);
        if (plot->slope)
            put_slope(plot, &plot->lines[i], ' ', out);
    }
    if (named < plot->line_count)
        fprintf(out, "  %c  %zu more\n", character_of(pen_of(named)), plot->line_count - named);
}

/* In one line, if it has room. */
static void put_function(const struct plot_function *f, int letter, size_t columns, FILE *out)
{
    char bytes[GNUPLOT_PARTS_TEXT], both[GNUPLOT_PARTS_TEXT], activation[128];
    gnuplot_held_text(f, bytes);
    gnuplot_both_text(f, both);
    gnuplot_activation_text(f, activation, sizeof activation);
    size_t used = text_width(f->label) + strlen(bytes) + strlen(activation) + 9;
    fprintf(out, " [%c] %s  %s%s%s\n", letter, f->label, bytes, used > columns ? "\n     " : ", ",
            activation);
    if (both[0])
        fprintf(out, "     %s\n", both);
}

void gnuplot_text_legend(const struct plot *plot, const struct picture *picture, FILE *out)
{
    size_t columns = (size_t)picture->columns;
    if (plot_is_single(plot))
        put_single(plot, columns, out);
    else
        put_several(plot, columns, out);
    if (plot->function_count && gnuplot_bound(plot)[0])
        fprintf(out, "     own peaks of functions%s:\n", gnuplot_bound(plot));
    for (size_t i = 0; i < plot->function_count; i++)
        put_function(&plot->functions[i], (int)('a' + i), columns, out);
    if (plot->note)
        fprintf(out, "     %s\n", plot->note);
}
