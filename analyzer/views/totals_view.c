/* totals_view.c - see totals_view.h. */
#include "totals_view.h"
#include "quality.h"
#include "rss_words.h"
#include "text.h"
#include "units.h"

#define WIDTH 79

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

char *totals_parts(char text[TOTALS_PARTS], uint64_t memory_bytes, uint64_t mapped_bytes)
{
    char a[UNITS_TEXT], b[UNITS_TEXT];
    snprintf(text, TOTALS_PARTS, "%s heap + %s mapped", units_bytes(a, memory_bytes - mapped_bytes),
             units_bytes(b, mapped_bytes));
    return text;
}

/* ---- peaks ---- */

static void print_peak(const char *what, const struct process *p, enum series series, FILE *out)
{
    struct peak_of peak = process_peak(p, series);
    char a[UNITS_TEXT], b[UNITS_TEXT];
    fprintf(out, "  %-13s %14s at %s%s\n", what, units_bytes(a, peak.bytes), units_time(b, peak.ns),
            quality_bound(&p->quality, peak.ns));
}

static void print_peaks(const struct process *p, enum series series, FILE *out)
{
    const struct totals *t = &p->totals;
    char parts[TOTALS_PARTS];
    print_peak("peak", p, series, out);
    if (series != SERIES_MEMORY || t->mapped_peak_bytes == 0)
        return;
    if (!process_has_parts(p)) {
        print_peak("mapped peak", p, SERIES_MAPPED, out);
        return;
    }
    fprintf(out, "  %-13s %14s %s\n", "", "=",
            totals_parts(parts, t->memory_peak_bytes, t->mapped_then_bytes));
    print_peak("heap peak", p, SERIES_HEAP, out);
    print_peak("mapped peak", p, SERIES_MAPPED, out);
}

/* ---- what was left ---- */

static void print_live(const char *what, uint64_t bytes, uint64_t count, const char *unit,
                       const struct process *p, FILE *out)
{
    char a[UNITS_TEXT], b[UNITS_TEXT];
    fprintf(out, "  %-13s %14s in %s %s%s%s\n", what, units_bytes(a, bytes), units_count(b, count),
            unit, plural(count), quality_bound(&p->quality, UINT64_MAX));
}

static uint64_t count_pieces(const struct process *p)
{
    uint64_t pieces = 0;
    for (size_t i = 0; i < p->mapped_leak_count; i++)
        pieces += p->mapped_leaks[i].blocks;
    return pieces;
}

static void print_left(const struct process *p, enum series series, FILE *out)
{
    const struct totals *t = &p->totals;
    if (series != SERIES_MAPPED)
        print_live("live at end", t->live_at_end_bytes, t->live_at_end_blocks, "block", p, out);
    if (series == SERIES_MAPPED || (series == SERIES_MEMORY && process_has_parts(p)))
        print_live("mapped at end", t->mapped_at_end_bytes, count_pieces(p), "piece", p, out);
}

/* ---- what was done ---- */

static void print_allocated(const struct totals *t, FILE *out)
{
    char a[UNITS_TEXT], b[UNITS_TEXT], head[2 * UNITS_TEXT], counts[3 * UNITS_TEXT];
    snprintf(head, sizeof head, "  allocated     %14s in ", units_bytes(a, t->allocated_bytes));
    snprintf(counts, sizeof counts, "%s allocation%s, %s free%s", units_count(a, t->allocations),
             plural(t->allocations), units_count(b, t->frees), plural(t->frees));
    text_list(head, counts, WIDTH, out);
    fprintf(out, "  temporary     %14s allocation%s", units_count(a, t->temporary),
            plural(t->temporary));
    if (t->allocations)
        fprintf(out, " (%.1f %%)", 100.0 * (double)t->temporary / (double)t->allocations);
    fputc('\n', out);
}

/* Address space that is no memory: it may be much, and holds nothing. What several processes had at
 * once is not known. */
static void print_space(const char *what, uint64_t peak, uint64_t at_end, int together, FILE *out)
{
    char a[UNITS_TEXT], b[UNITS_TEXT];
    if (peak)
        fprintf(out, "  %-13s %14s%s %s at the end\n", what, units_bytes(a, peak),
                together ? ", sum of each one's highest;" : " at most,",
                units_bytes_in(b, at_end, 10));
}

static void print_mapped(const struct totals *t, int together, FILE *out)
{
    char a[UNITS_TEXT];
    if (t->maps == 0)
        return;
    fprintf(out, "  mappings      %14s", units_count(a, t->maps));
    fprintf(out, ", %s unmapping%s\n", units_count(a, t->unmaps), t->unmaps == 1 ? "" : "s");
    print_space("reserved", t->reserved_peak_bytes, t->reserved_at_end_bytes, together, out);
    print_space("mapped files", t->file_peak_bytes, t->file_at_end_bytes, together, out);
}

static void print_figures(const struct process *p, enum series series, int together, FILE *out)
{
    const struct totals *t = &p->totals;
    print_peaks(p, series, out);
    print_left(p, series, out);
    if (series != SERIES_MAPPED)
        print_allocated(t, out);
    if (series != SERIES_HEAP)
        print_mapped(t, together, out);
}

const char *totals_left(const struct process *p, char text[TOTALS_LEFT])
{
    char time[UNITS_TEXT];
    if (p->left == FIGURES_NONE)
        return "missing: the file ends before them, and before the first event";
    if (p->left == FIGURES_WHOLE)
        return NULL;
    snprintf(text, TOTALS_LEFT, "of the events up to %s, with which the file ends",
             units_time(time, p->end_ns));
    return text;
}

void totals_text(const struct process *p, enum series series, int together, FILE *out)
{
    const struct totals *t = &p->totals;
    char a[UNITS_TEXT], words[RSS_WORDS], left[TOTALS_LEFT];
    if (totals_left(p, left))
        fprintf(out, "  figures       %s\n", totals_left(p, left));
    if (p->left != FIGURES_NONE)
        print_figures(p, series, together, out);
    uint64_t rss = rss_peak(t, together ? p : NULL, words);
    if (rss)
        fprintf(out, "  RSS peak      %14s (%s)\n", units_bytes(a, rss), words);
    if (p->thread_count > 1)
        fprintf(out, "  threads       %14s\n", units_count(a, p->thread_count));
}
