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
    char heap[UNITS_TEXT], mapped[UNITS_TEXT];
    units_bytes(heap, memory_bytes - mapped_bytes);
    units_bytes(mapped, mapped_bytes);
    if (mapped_bytes == 0)
        text[0] = '\0';
    else if (mapped_bytes == memory_bytes)
        snprintf(text, TOTALS_PARTS, "%s mapped", mapped);
    else
        snprintf(text, TOTALS_PARTS, "%s heap + %s mapped", heap, mapped);
    return text;
}

/* ---- peaks ---- */

static void print_peak(const char *what, const struct process *p, enum series series, FILE *out)
{
    struct peak_of peak = process_peak(p, series);
    char a[UNITS_TEXT], b[UNITS_TEXT];
    fprintf(out, "  %-13s %14s at %s%s\n", what, units_bytes(a, peak.bytes), units_time(b, peak.ns),
            quality_peak_bound(p, peak.ns));
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
    if (totals_parts(parts, t->memory_peak_bytes, t->mapped_then_bytes)[0])
        fprintf(out, "  %-13s %14s %s\n", "", "=", parts);
    print_peak("heap peak", p, SERIES_HEAP, out);
    print_peak("mapped peak", p, SERIES_MAPPED, out);
}

/* ---- what was left ---- */

/* What is shown of blocks, or of pieces. */
struct left {
    const char *what, *unit;
    uint64_t bytes, count;
};

static void print_live(const struct left *left, const struct process *p, int together, FILE *out)
{
    char a[UNITS_TEXT], b[UNITS_TEXT], head[64], count[128];
    snprintf(head, sizeof head, "  %-13s %14s in ", left->what, units_bytes(a, left->bytes));
    snprintf(count, sizeof count, "%s %s%s%s%s", units_count(b, left->count), left->unit,
             plural(left->count), quality_bound(&p->quality, UINT64_MAX),
             together ? TOTALS_OWN_ENDS : "");
    text_list(head, count, WIDTH, out);
}

static uint64_t count_pieces(const struct process *p)
{
    uint64_t pieces = 0;
    for (size_t i = 0; i < p->mapped_leak_count; i++)
        pieces += p->mapped_leaks[i].blocks;
    return pieces;
}

static void print_left(const struct process *p, enum series series, int together, FILE *out)
{
    const struct totals *t = &p->totals;
    struct left heap = {"live at end", "block", t->live_at_end_bytes, t->live_at_end_blocks};
    struct left mapped = {"mapped at end", "piece", t->mapped_at_end_bytes, count_pieces(p)};
    if (series != SERIES_MAPPED)
        print_live(&heap, p, together, out);
    if (series == SERIES_MAPPED ||
        (series == SERIES_MEMORY && process_has_parts(p) && t->mapped_at_end_bytes))
        print_live(&mapped, p, together, out);
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
    print_left(p, series, together, out);
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
