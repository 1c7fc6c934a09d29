/* gnuplot_words.c - see gnuplot_words.h, and gnuplot_text_legend in gnuplot.h. */
#include "gnuplot_words.h"
#include "gnuplot.h"
#include "quality.h"
#include "text.h"
#include "totals_view.h"
#include "units.h"
#include "xalloc.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EVENT_TICK_NS 1000000u /* as captures round the times of events down */

/* Single quotes will not do: gnuplot goes wrong on one at the beginning and on two in a row. An
 * octal escape whose first digit is not 0 has three digits, whatever follows. gnuplot's SVG leaves
 * '>' as it is, and XML forbids "]]>" in a text: that gets a blank. */
char *gnuplot_quote(const char *text)
{
    char *clean = text_clean(text);
    char *quoted = xmalloc(strlen(clean) * 4 + 3), *out = quoted;
    *out++ = '"';
    for (const char *p = clean; *p; p++) {
        if (*p == '`' || *p == '@')
            out += sprintf(out, "\\%o", (unsigned)*p);
        else if (*p == '"' || *p == '\\')
            out += sprintf(out, "\\%c", *p);
        else if (*p == '>' && p - clean >= 2 && p[-1] == ']' && p[-2] == ']')
            out = stpcpy(out, " >");
        else
            *out++ = *p;
    }
    strcpy(out, "\"");
    free(clean);
    return quoted;
}

void gnuplot_put_quoted(FILE *out, const char *text)
{
    char *quoted = gnuplot_quote(text);
    fputs(quoted, out);
    free(quoted);
}

const char *gnuplot_series_name(enum series series)
{
    return series == SERIES_HEAP ? "heap" : series == SERIES_MAPPED ? "mapped memory" : "memory";
}

int gnuplot_has_parts(const struct plot *plot)
{
    return plot->line_count == 1 && plot->lines[0].line.count && plot->lines[0].mapped.count;
}

uint64_t gnuplot_part_of_peak(const struct plot_line *line)
{
    return line->series == SERIES_MEMORY ? line->image->processes[0].totals.mapped_then_bytes : 0;
}

void gnuplot_start_text(char *text, size_t bytes, uint64_t epoch_ns)
{
    time_t seconds = (time_t)(epoch_ns / 1000000000u);
    struct tm local;
    char date[64] = "";
    if (localtime_r(&seconds, &local))
        strftime(date, sizeof date, "%d / %m / %Y - start at %H:%M:%S", &local);
    snprintf(text, bytes, "%s.%03" PRIu64, date, epoch_ns / 1000000u % 1000u);
}

void gnuplot_highest_text(const struct plot *plot, const struct plot_line *line,
                          const struct bucket *highest, char *text, size_t bytes)
{
    const struct process *p = &line->image->processes[0];
    struct peak_of peak = process_peak(p, line->series);
    int is_before = plot->windowed && highest->max_ns <= plot->begin_ns; /* it came to that */
    int is_peak = highest->max_bytes >= peak.bytes && !is_before;
    /* As high as the peak it may be another time. A line drawn from events has their ticks. */
    int is_then =
        is_peak && peak.ns >= highest->max_ns && peak.ns - highest->max_ns < EVENT_TICK_NS;
    char size[UNITS_TEXT], time[UNITS_TEXT];
    units_bytes(size, highest->max_bytes);
    units_time(time, is_then ? peak.ns : highest->max_ns);
    snprintf(text, bytes, "%s %s at %s%s", is_peak ? "peak" : "highest here", size,
             is_before ? "the window's begin" : time, quality_bound(&p->quality, highest->max_ns));
}

void gnuplot_activation_text(const struct plot_function *f, char *text, size_t bytes)
{
    char time[UNITS_TEXT], count[UNITS_TEXT];
    uint64_t duration = f->span.end_ns - f->span.begin_ns;
    const char *length = duration ? units_time(time, duration) : "one moment";
    if (f->activations > 1)
        snprintf(text, bytes, "%s, one of %s activations", length,
                 units_count(count, f->activations));
    else
        snprintf(text, bytes, "%s%s", length, f->activations ? ", the only activation" : "");
}

size_t gnuplot_unsampled(const struct plot *plot)
{
    return plot->lines[0].image->processes[0].unsampled;
}

const char *gnuplot_bound(const struct plot *plot)
{
    return quality_bound(&plot->lines[0].image->processes[0].quality, UINT64_MAX);
}

void gnuplot_held_text(const struct plot_function *f, char text[GNUPLOT_PARTS_TEXT])
{
    char bytes[UNITS_TEXT];
    int is_one = !f->heap_bytes != !f->mapped_bytes;
    const char *part = !is_one ? "" : f->heap_bytes ? " heap" : " mapped";
    snprintf(text, GNUPLOT_PARTS_TEXT, "%s%s", units_bytes(bytes, f->own_peak_bytes), part);
}

void gnuplot_both_text(const struct plot_function *f, char text[GNUPLOT_PARTS_TEXT])
{
    char heap[UNITS_TEXT], mapped[UNITS_TEXT];
    text[0] = '\0';
    if (f->heap_bytes && f->mapped_bytes)
        snprintf(text, GNUPLOT_PARTS_TEXT, "up to %s heap, %s mapped",
                 units_bytes(heap, f->heap_bytes), units_bytes(mapped, f->mapped_bytes));
}

uint64_t gnuplot_high_water(const struct plot *plot)
{
    if (plot->line_count != 1 || plot->summed || plot->windowed)
        return 0;
    return plot->lines[0].image->processes[0].totals.rss_mark_bytes;
}

void gnuplot_slope_text(struct plot_slope slope, char *text, size_t bytes)
{
    snprintf(text, bytes, "slope  %.5g MiB/s", slope.bytes_per_second / (1024.0 * 1024));
}

static void put_slope(const struct plot *plot, const struct plot_line *line, FILE *out)
{
    uint64_t end = line->image->processes[0].end_ns;
    size_t count;
    struct plot_point *points =
        plot_line_points(line->line, end < plot->end_ns ? end : plot->end_ns, &count);
    char text[64];
    gnuplot_slope_text(plot_line_slope(points, count), text, sizeof text);
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
    size_t named = plot->is_family && plot->line_count > PLOT_LEGEND_LINES ? PLOT_LEGEND_LINES
                                                                           : plot->line_count;
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
    char bytes[UNITS_TEXT];
    put_lines(plot, (size_t)picture->columns, out);
    uint64_t mark = gnuplot_high_water(plot);
    if (mark)
        fprintf(out, "     RSS high-water mark %s\n", units_bytes(bytes, mark));
    if (plot->function_count && gnuplot_bound(plot)[0])
        fprintf(out, "     own peaks of functions%s:\n", gnuplot_bound(plot));
    for (size_t i = 0; i < plot->function_count; i++)
        put_function(&plot->functions[i], (int)('a' + i), (size_t)picture->columns, out);
    if (plot->note)
        fprintf(out, "     %s\n", plot->note);
}
