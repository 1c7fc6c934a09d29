/* gnuplot_words.c - see gnuplot_words.h. */
#include "gnuplot_words.h"
#include "gnuplot.h"
#include "quality.h"
#include "text.h"
#include "together.h"
#include "totals_view.h"
#include "units.h"
#include "xalloc.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SHORT         10       /* columns of each of two figures in a row */
#define SLOPE_LEAST   1e-6     /* what is flatter has none */
#define DIGITS        4        /* of a slope, that count */
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

struct unit gnuplot_unit(const struct plot *plot)
{
    return unit_of(plot_top(plot));
}

struct unit gnuplot_resident_unit(const struct plot *plot, const struct resident *rss)
{
    return rss->own_axis ? unit_of(rss->highest) : gnuplot_unit(plot);
}

/* A size in the unit of its axis. */
static char *bytes_of_axis(char text[UNITS_TEXT], uint64_t bytes, struct unit unit)
{
    snprintf(text, UNITS_TEXT, "%.*f %s", unit.bytes > 1 ? 2 : 0, (double)bytes / unit.bytes,
             unit.name);
    return text;
}

const char *gnuplot_series_name(enum series series)
{
    return series == SERIES_HEAP ? "heap" : series == SERIES_MAPPED ? "mapped memory" : "memory";
}

int gnuplot_has_parts(const struct plot *plot)
{
    const struct plot_line *line = &plot->lines[0];
    const struct bucket *highest = plot_highest(line->mapped);
    return plot_is_single(plot) && line->line.count && highest && highest->max_bytes;
}

/* In a window no figure says it. */
static uint64_t highest_heap(const struct plot_line *line)
{
    struct steps steps = {.buckets = line->line.buckets, .count = line->line.count};
    uint64_t ns, level, highest = 0;
    steps.mapped = line->mapped;
    while (steps_next(&steps, &ns, &level))
        if (level - steps.mapped_bytes > highest)
            highest = level - steps.mapped_bytes;
    return highest;
}

struct parts gnuplot_parts(const struct plot *plot)
{
    const struct plot_line *line = &plot->lines[0];
    if (!gnuplot_has_parts(plot))
        return (struct parts){0, 0};
    uint64_t whole = line->image->processes[0].totals.peak_bytes;
    return (struct parts){plot->windowed ? highest_heap(line) : whole,
                          plot_highest(line->mapped)->max_bytes};
}

void gnuplot_part_text(const struct plot *plot, enum series series, uint64_t highest,
                       char text[GNUPLOT_PART_TEXT])
{
    const struct bucket *top = plot_highest(plot->lines[0].line);
    uint64_t mapped = top->max_mapped_bytes;
    uint64_t bytes = series == SERIES_MAPPED ? mapped : top->max_bytes - mapped;
    const char *name = gnuplot_series_name(series);
    char size[UNITS_TEXT];
    units_bytes(size, bytes ? bytes : highest);
    if (bytes)
        snprintf(text, GNUPLOT_PART_TEXT, "%s, %s of the %s", name, size,
                 plot->windowed ? "highest" : "peak");
    else
        snprintf(text, GNUPLOT_PART_TEXT, "%s, up to %s%s", name, size,
                 plot->windowed ? " here" : "");
}

struct reached gnuplot_reached(const struct plot *plot, const struct plot_line *line)
{
    const struct process *p = &line->image->processes[0];
    struct peak_of peak = process_peak(p, line->series);
    struct reached reached = {peak.bytes, p->totals.mapped_then_bytes, peak.ns};
    if (plot->windowed) {
        const struct bucket *highest = plot_highest(line->line);
        reached.bytes = highest ? highest->max_bytes : 0;
        reached.mapped_bytes = highest ? highest->max_mapped_bytes : 0;
        reached.ns = highest ? highest->max_ns : 0;
    }
    if (line->series != SERIES_MEMORY)
        reached.mapped_bytes = 0;
    return reached;
}

void gnuplot_reached_text(const struct plot *plot, const struct plot_line *line, int with_word,
                          char text[GNUPLOT_REACHED_TEXT])
{
    char bytes[UNITS_TEXT];
    const char *word = !with_word ? "" : plot->windowed ? "up to " : "peak ";
    struct reached reached = gnuplot_reached(plot, line);
    units_bytes(bytes, reached.bytes);
    snprintf(text, GNUPLOT_REACHED_TEXT, "%s%s%s%s", word, bytes,
             with_word && plot->windowed ? " here" : "",
             quality_peak_bound(&line->image->processes[0], reached.ns));
}

static char *command_of(const struct plot_line *line)
{
    return text_command(line->image->argv, line->image->argc);
}

/* The last part of its path; "?" where nobody knows. */
static const char *program_of(const struct plot_line *line)
{
    const char *program = line->image->argc ? line->image->argv[0] : "?";
    const char *slash = strrchr(program, '/');
    return slash && slash[1] ? slash + 1 : program;
}

static int is_new(const struct plot *plot, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(program_of(&plot->lines[k]), program_of(&plot->lines[i])) == 0)
            return 0;
    return 1;
}

static int have_one_command(const struct plot *plot)
{
    char *first = command_of(&plot->lines[0]);
    int same = 1;
    for (size_t i = 1; i < plot->line_count && same; i++) {
        char *command = command_of(&plot->lines[i]);
        same = strcmp(command, first) == 0;
        free(command);
    }
    free(first);
    return same;
}

char *gnuplot_programs(const struct plot *plot)
{
    char *list = NULL;
    size_t bytes;
    if (have_one_command(plot))
        return command_of(&plot->lines[0]);
    FILE *out = open_memstream(&list, &bytes);
    if (!out)
        return NULL;
    for (size_t i = 0; i < plot->line_count; i++)
        if (is_new(plot, i))
            fprintf(out, "%s%s", i ? ", " : "", program_of(&plot->lines[i]));
    fclose(out);
    return list;
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
             is_before ? "the window's begin" : time, quality_peak_bound(p, highest->max_ns));
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
                 units_bytes_in(heap, f->heap_bytes, SHORT),
                 units_bytes_in(mapped, f->mapped_bytes, SHORT));
}

uint64_t gnuplot_high_water(const struct plot *plot)
{
    const struct totals *t = &plot->lines[0].image->processes[0].totals;
    if (!plot_is_single(plot) || plot->windowed || (plot->summed && !totals_largest_exceeds(t)))
        return 0;
    if (plot->summed)
        return t->rss_mark_bytes;
    return totals_mark_holds(t) ? totals_mark(t) : 0;
}

void gnuplot_resident_text(const struct plot *plot, const struct resident *rss, const char *where,
                           char *text, size_t bytes)
{
    char highest[UNITS_TEXT];
    bytes_of_axis(highest, rss->highest, gnuplot_resident_unit(plot, rss));
    /* What a window shows may lie between two samples. */
    snprintf(text, bytes, "RSS%s, up to %s%s%s", plot->windowed ? "" : " samples", highest,
             plot->windowed ? " here" : "", where);
}

void gnuplot_high_water_text(const struct plot *plot, const struct resident *rss, char *text,
                             size_t bytes)
{
    char mark[UNITS_TEXT];
    uint64_t high_water = gnuplot_high_water(plot);
    text[0] = '\0';
    if (high_water)
        snprintf(text, bytes, "%s %s",
                 plot->summed ? "RSS of the largest alone" : "RSS high-water mark",
                 bytes_of_axis(mark, high_water, gnuplot_resident_unit(plot, rss)));
}

void gnuplot_slope_text(struct plot_slope slope, struct unit unit, char text[GNUPLOT_SLOPE_TEXT])
{
    double value = slope.bytes_per_second / unit.bytes, size = fabs(value);
    if (size < SLOPE_LEAST)
        value = size = 0;
    int before = size > 0 ? (int)floor(log10(size)) + 1 : DIGITS; /* digits before the point */
    snprintf(text, GNUPLOT_SLOPE_TEXT, "slope %.*f %s/s", before < DIGITS ? DIGITS - before : 0,
             value, unit.name);
}
