/* gnuplot_characters.c - a plot in characters and its legend: see gnuplot_drawing.h and
 * gnuplot.h. */
#include "gnuplot_drawing.h"
#include "gnuplot_marks.h"
#include "gnuplot_words.h"
#include "text.h"
#include "totals_view.h"
#include <stdlib.h>
#include <string.h>

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

static void put_text_line(const struct drawing *d, size_t i)
{
    fprintf(d->out, "%s$line%zu with lines linetype %zu", i ? ", " : "plot ", i, i + 1);
    if (!d->plot->slope || d->point_counts[i] < 2)
        return;
    gnuplot_draw_slope(d, i);
    fprintf(d->out, " linetype %zu", i + 1);
}

void gnuplot_draw_characters(const struct drawing *d)
{
    gnuplot_put_terminal(d);
    gnuplot_put_axis_names(d);
    fprintf(d->out, "set xrange [%.9g:%.9g]\nset yrange [0:%.9g]\nset tics nomirror\nunset key\n",
            (double)d->plot->begin_ns / 1e9, (double)d->plot->end_ns / 1e9, d->y1 / d->unit.bytes);
    gnuplot_put_title(d);
    if (plot_is_single(d->plot))
        put_letters(d);
    gnuplot_put_data(d);
    for (size_t i = 0; i < d->plot->line_count; i++)
        put_text_line(d, i);
    if (gnuplot_has_parts(d->plot))
        fputs(", $mapped with lines linetype 2", d->out);
    fputc('\n', d->out);
}

/* ---- its legend ---- */

static void put_slope(const struct plot *plot, const struct plot_line *line, FILE *out)
{
    uint64_t end = line->image->processes[0].end_ns;
    size_t count;
    struct plot_point *points =
        plot_line_points(line->line, end < plot->end_ns ? end : plot->end_ns, &count);
    char text[GNUPLOT_SLOPE_TEXT];
    gnuplot_slope_text(plot_line_slope(points, count), text);
    if (count > 1)
        fprintf(out, "     %s\n", text);
    free(points);
}

/* The parts of what is highest in a line of memory. */
static void put_parts(const struct bucket *highest, FILE *out)
{
    char parts[TOTALS_PARTS];
    totals_parts(parts, highest->max_bytes, highest->max_mapped_bytes);
    fprintf(out, "     = %s\n", parts);
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

/* In characters, lines are told apart by what they are made of. */
static void put_line(const struct plot *plot, size_t i, size_t columns, FILE *out)
{
    static const char marks[] = "*#$%@&=";
    const struct plot_line *line = &plot->lines[i];
    char start[128], *name = text_fit(line->name, columns / 2, 1);
    gnuplot_start_text(start, sizeof start, line->image->epoch_ns);
    fprintf(out, "  %c  %s, %s\n", marks[i % (sizeof marks - 1)], start, name);
    put_highest(plot, line, out);
    if (gnuplot_has_parts(plot))
        fprintf(out, "  %c  mapped memory\n", marks[1]);
    if (plot->slope)
        put_slope(plot, line, out);
    free(name);
}

static void put_lines(const struct plot *plot, size_t columns, FILE *out)
{
    size_t named = plot->line_count > PLOT_LEGEND_LINES ? PLOT_LEGEND_LINES : plot->line_count;
    for (size_t i = 0; i < named; i++)
        put_line(plot, i, columns, out);
    if (named < plot->line_count)
        fprintf(out, "     and %zu more\n", plot->line_count - named);
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
    char mark[64];
    struct resident rss = resident_of(plot);
    put_lines(plot, (size_t)picture->columns, out);
    gnuplot_high_water_text(plot, &rss, mark, sizeof mark);
    if (mark[0])
        fprintf(out, "     %s\n", mark);
    resident_release(&rss);
    for (size_t i = 0; i < plot->function_count; i++)
        put_function(&plot->functions[i], (int)('a' + i), (size_t)picture->columns, out);
    if (plot->note)
        fprintf(out, "     %s\n", plot->note);
}
