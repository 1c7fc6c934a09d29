/* gnuplot_words.c - see gnuplot_words.h, and gnuplot_text_legend in gnuplot.h. */
#include "gnuplot_words.h"
#include "gnuplot.h"
#include "text.h"
#include "units.h"
#include "xalloc.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

void gnuplot_start_text(char *text, size_t bytes, uint64_t epoch_ns)
{
    time_t seconds = (time_t)(epoch_ns / 1000000000u);
    struct tm local;
    char date[64] = "";
    if (localtime_r(&seconds, &local))
        strftime(date, sizeof date, "%d / %m / %Y - start at %H:%M:%S", &local);
    snprintf(text, bytes, "%s.%03" PRIu64, date, epoch_ns / 1000000u % 1000u);
}

void gnuplot_highest_text(const struct plot *plot, const struct plot_series *series,
                          const struct bucket *highest, char *text, size_t bytes)
{
    const struct totals *t = &series->image->processes[0].totals;
    int is_before = plot->windowed && highest->max_ns <= plot->begin_ns; /* it came to that */
    int is_peak = highest->max_bytes >= t->peak_bytes && !is_before;
    char size[UNITS_TEXT], time[UNITS_TEXT];
    units_bytes(size, highest->max_bytes);
    units_time(time, is_peak ? t->peak_ns : highest->max_ns);
    snprintf(text, bytes, "%s %s at %s", is_peak ? "peak" : "highest here", size,
             is_before ? "the window's begin" : time);
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

uint64_t gnuplot_high_water(const struct plot *plot)
{
    if (plot->series_count != 1 || plot->summed || plot->windowed)
        return 0;
    return plot->series[0].image->processes[0].totals.rss_mark_bytes;
}

void gnuplot_slope_text(struct plot_slope slope, char *text, size_t bytes)
{
    snprintf(text, bytes, "slope  %.5g MiB/s", slope.bytes_per_second / (1024.0 * 1024));
}

/* The slope of a series, from the points of its line. */
static void put_slope(const struct plot *plot, const struct plot_series *s, FILE *out)
{
    struct plot_point *points = xcalloc(PLOT_LINE_POINTS(s->heap_count), sizeof *points);
    uint64_t end = s->image->processes[0].end_ns;
    size_t count = plot_line(s, end < plot->end_ns ? end : plot->end_ns, points);
    char text[64];
    gnuplot_slope_text(plot_line_slope(points, count), text, sizeof text);
    if (count > 1)
        fprintf(out, "     %s\n", text);
    free(points);
}

/* In one line, if it has room. */
static void put_function(const struct plot_function *f, int letter, size_t columns, FILE *out)
{
    char bytes[UNITS_TEXT], activation[128];
    units_bytes(bytes, f->own_peak_bytes);
    gnuplot_activation_text(f, activation, sizeof activation);
    size_t used = text_width(f->label) + strlen(bytes) + strlen(activation) + 9;
    fprintf(out, " [%c] %s  %s%s%s\n", letter, f->label, bytes, used > columns ? "\n     " : ", ",
            activation);
}

void gnuplot_text_legend(const struct plot *plot, const struct picture *picture, FILE *out)
{
    static const char marks[] = "*#$%@&=";
    char start[128], text[128], bytes[UNITS_TEXT];
    for (size_t i = 0; i < plot->series_count; i++) {
        if (plot->is_family && i == PLOT_LEGEND_LINES) {
            fprintf(out, "     and %zu more\n", plot->series_count - i);
            break;
        }
        const struct plot_series *s = &plot->series[i];
        const struct bucket *highest = plot_highest(s);
        char *name = text_fit(s->name, (size_t)picture->columns / 2, 1);
        gnuplot_start_text(start, sizeof start, s->image->epoch_ns);
        fprintf(out, "  %c  %s, %s\n", marks[i % (sizeof marks - 1)], start, name);
        if (highest) {
            gnuplot_highest_text(plot, s, highest, text, sizeof text);
            fprintf(out, "     %s\n", text);
        }
        if (plot->slope)
            put_slope(plot, s, out);
        free(name);
    }
    uint64_t mark = gnuplot_high_water(plot);
    if (mark)
        fprintf(out, "     RSS high-water mark %s\n", units_bytes(bytes, mark));
    for (size_t i = 0; i < plot->function_count; i++)
        put_function(&plot->functions[i], (int)('a' + i), (size_t)picture->columns, out);
    if (plot->note)
        fprintf(out, "     %s\n", plot->note);
}
