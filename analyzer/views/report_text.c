/* report_text.c - see report_view.h. */
#include "addresses_view.h"
#include "failed_view.h"
#include "family_view.h"
#include "function_order.h"
#include "gaps_view.h"
#include "quality.h"
#include "report_view.h"
#include "rss_words.h"
#include "selfcheck_view.h"
#include "text.h"
#include "threads_view.h"
#include "totals_view.h"
#include "units.h"
#include "xalloc.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH      79
#define RANK_WIDTH 4 /* at least */

static void print_ending(const struct image *image, const struct ending *ending, FILE *out)
{
    char *path;
    if (image->running) {
        fputs("still running", out);
        return;
    }
    switch (ending->kind) {
    case END_CODE:
        fprintf(out, "exit status %d", ending->value);
        break;
    case END_SIGNAL:
        fprintf(out, "ended by signal %d (%s)", ending->value,
                strsignal(ending->value) ? strsignal(ending->value) : "unknown");
        break;
    case END_EXEC:
        path = text_fit(ending->exec, 24, 1);
        fprintf(out, "became %s", path);
        free(path);
        break;
    case END_EXITED:
        fputs("exited, status not seen", out);
        break;
    case END_UNKNOWN:
        fputs("end not seen", out);
        break;
    }
}

/* Pid, start, duration and ending: one line, or two where it would be too long. */
static void print_life(const struct image *image, FILE *out)
{
    const struct process *p = &image->processes[0];
    char date[UNITS_TEXT], time[UNITS_TEXT], begin[UNITS_TEXT], *life = NULL;
    size_t bytes;
    FILE *line = open_memstream(&life, &bytes);
    if (!line)
        return;
    fprintf(line, "pid %d, %s", p->pid, units_date(date, image->epoch_ns));
    if (p->left != FIGURES_NONE)
        fprintf(line, ", %s", units_time(time, p->end_ns - p->begin_ns));
    if (p->begin_ns) /* all times are the recording's */
        fprintf(line, " from %s on", units_time(begin, p->begin_ns));
    fputs(", ", line);
    print_ending(image, &p->ending, line);
    fclose(line);
    text_list("", life, WIDTH, out);
    free(life);
}

void report_text_head(const struct image *image, const char *note, FILE *out)
{
    char *command = text_command(image->argv, image->argc);
    char *fit = text_fit_command(command[0] ? command : "(command line unknown)", WIDTH);
    fprintf(out, "%s\n", fit);
    free(fit);
    free(command);
    print_life(image, out);
    fprintf(out, "%s%s\n", note ? note : "", note ? "\n" : "");
}

static void print_totals(const struct image *image, enum series series, int together, FILE *out)
{
    const struct process *p = &image->processes[0];
    totals_text(p, series, together, out);
    if (series != SERIES_MAPPED)
        failed_text_line(image, out);
    char *quality = quality_of_all(&p->quality);
    if (quality)
        text_list("  quality       ", quality, WIDTH, out);
    free(quality);
    gaps_text(image, out);
    selfcheck_text_line(image, out);
}

/* Each figure leaves a blank of its column. */
static void print_usage(const char *label, const struct usage *u, int together, FILE *out)
{
    char peak[UNITS_TEXT], time[UNITS_TEXT], at_peak[UNITS_TEXT], count[UNITS_TEXT],
        bytes[UNITS_TEXT], temporary[UNITS_TEXT], live[UNITS_TEXT];
    fprintf(out, " %-4s%11s%11s%11s%10s%11s%9s%11s\n", label,
            units_bytes_in(peak, u->own_peak_bytes, 10),
            u->own_peak_bytes ? units_time(time, u->own_peak_ns) : "-",
            together ? "-" : units_bytes_in(at_peak, u->at_peak_bytes, 10),
            units_count_in(count, u->allocations, 9), units_bytes_in(bytes, u->allocated_bytes, 10),
            units_count_in(temporary, u->temporary, 8),
            units_bytes_in(live, u->live_at_end_bytes, 10));
}

/* ---- the functions ---- */

struct row {
    const struct function_usage *usage;
    const struct function *function;
    size_t rank;
    char *name, *where; /* as they are printed */
    int is_twin;        /* another row looks the same */
};

static size_t rank_width(size_t rank)
{
    int digits = snprintf(NULL, 0, "%zu", rank);
    return digits + 2 > RANK_WIDTH ? (size_t)digits + 2 : RANK_WIDTH;
}

/* "where" stands at the line's right end; the name is shortened to the room that it leaves. */
static struct row make_row(const struct image *image, const struct function_usage *usage,
                           size_t rank)
{
    const struct function *f = &image->functions[usage->function];
    struct row row = {usage, f, rank, NULL, NULL, 0};
    char *where = function_place(f);
    row.where = text_fit(f->flags & FUNCTION_RESOLVED ? where : "", 32, 1);
    free(where);
    size_t room = WIDTH - rank_width(rank) - text_width(row.where) - 2;
    char *full = text_clean(f->name);
    row.name = text_width(full) <= room ? text_fit(full, room, 0) : text_short_name(full, room);
    free(full);
    return row;
}

static int by_print(const void *a, const void *b)
{
    const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;
    int order = strcmp(x->name, y->name);
    return order ? order : strcmp(x->where, y->where);
}

static void find_twins(struct row *rows, size_t count)
{
    struct row **sorted = xcalloc(count + 1, sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &rows[i];
    qsort(sorted, count, sizeof *sorted, by_print);
    for (size_t i = 1; i < count; i++)
        if (by_print(&sorted[i - 1], &sorted[i]) == 0)
            sorted[i - 1]->is_twin = sorted[i]->is_twin = 1;
    free(sorted);
}

/* Prints all that is known of which function it is. */
static void print_whole_name(const struct function *f, FILE *out)
{
    char *text = NULL, number[16] = "", *clean;
    if (f->line)
        snprintf(number, sizeof number, ":%" PRIu32, f->line);
    if (asprintf(&text, "%s, %s%s%s%s", f->name, f->file, number, f->file[0] ? ", " : "",
                 f->module) < 0)
        return;
    clean = text_clean(text);
    text_words("      ", clean, WIDTH, out);
    free(clean);
    free(text);
}

/* A function's figures of the heap are one line, those of mapped memory another; where it has both,
 * what they were together comes first. labels: of both, or of the heap alone; of mapped memory. */
static void print_parts(const char *const labels[2], const struct usage *heap,
                        const struct usage *mapped, const struct usage *memory, int together,
                        FILE *out)
{
    int has_both = heap->allocations && mapped->allocations;
    if (has_both)
        print_usage(labels[0], memory, together, out);
    if (heap->allocations || !mapped->allocations)
        print_usage(has_both ? "heap" : labels[0], heap, together, out);
    if (mapped->allocations)
        print_usage(has_both ? "map" : labels[1], mapped, together, out);
}

/* What the function held at memory's peak, in its two parts. */
static void split_at_peak(struct usage *heap, struct usage *mapped, const struct usage *memory,
                          uint64_t mapped_then)
{
    mapped->at_peak_bytes = mapped_then;
    heap->at_peak_bytes = memory->at_peak_bytes - mapped_then;
}

static void print_memory(const struct function_usage *f, int together, FILE *out)
{
    static const char *const inclusive[2] = {"incl", "imap"}, *const self[2] = {"self", "smap"};
    struct usage heap = f->heap.inclusive, mapped = f->mapped.inclusive;
    split_at_peak(&heap, &mapped, &f->memory.inclusive, f->mapped_then.inclusive_bytes);
    print_parts(inclusive, &heap, &mapped, &f->memory.inclusive, together, out);
    heap = f->heap.self;
    mapped = f->mapped.self;
    split_at_peak(&heap, &mapped, &f->memory.self, f->mapped_then.self_bytes);
    print_parts(self, &heap, &mapped, &f->memory.self, together, out);
}

static void print_figures(const struct function_usage *f, enum series series, int together,
                          FILE *out)
{
    if (series == SERIES_MEMORY) {
        print_memory(f, together, out);
        return;
    }
    const struct series_usage *u = series == SERIES_HEAP ? &f->heap : &f->mapped;
    print_usage(series == SERIES_HEAP ? "incl" : "imap", &u->inclusive, together, out);
    print_usage(series == SERIES_HEAP ? "self" : "smap", &u->self, together, out);
}

static void print_row(const struct row *row, enum series series, int together,
                      const struct addresses *addresses, FILE *out)
{
    int gap = (int)(WIDTH - rank_width(row->rank) - text_width(row->name) - text_width(row->where));
    fprintf(out, "%2zu  %s", row->rank, row->name);
    if (row->where[0])
        fprintf(out, "%*s%s", gap, "", row->where);
    fputc('\n', out);
    if (row->is_twin)
        print_whole_name(row->function, out);
    if (addresses->functions)
        addresses_line(addresses, addresses->functions[row->usage->function]);
    print_figures(row->usage, series, together, out);
}

static void print_rows(struct row *rows, size_t count, enum series series, int together,
                       const struct addresses *addresses, FILE *out)
{
    find_twins(rows, count);
    for (size_t i = 0; i < count; i++) {
        print_row(&rows[i], series, together, addresses, out);
        free(rows[i].name);
        free(rows[i].where);
    }
}

/* Without mapped memory there is nothing to tell apart. */
static void print_heading(const struct report *report, const struct process *p, FILE *out)
{
    char note[QUALITY_NOTE];
    fprintf(out, "\nfunctions, by %s%s\n", report->sort,
            report->series == SERIES_MAPPED ? " of mapped memory (imap, smap)" : "");
    fputs(quality_table_note(&p->quality, note), out);
    if (report->series == SERIES_MEMORY && process_has_parts(p))
        fputs("(imap, smap: of mapped memory; heap + map: of a function that has both)\n", out);
    fprintf(out, " %-4s%11s%11s%11s%10s%11s%9s%11s\n", "", "own peak", "at", "at peak", "allocs",
            "allocated", "tempor.", "live end");
}

/* The functions that a text shows, and how many it does not. */
struct rows {
    struct row *list;
    size_t count, left, starts;
};

static struct rows choose_rows(const struct report *report,
                               const struct function_usage *const *order, size_t count)
{
    size_t limit = report->count < 0 ? REPORT_FUNCTIONS : (size_t)report->count;
    struct rows rows = {.list = xcalloc(count + 1, sizeof *rows.list)};
    for (size_t i = 0; i < count; i++) {
        if (report->image->functions[order[i]->function].flags & FUNCTION_START)
            rows.starts++;
        else if (rows.count >= limit)
            rows.left++;
        else {
            rows.list[rows.count] = make_row(report->image, order[i], rows.count + 1);
            rows.count++;
        }
    }
    return rows;
}

static void print_omitted(const struct rows *rows, FILE *out)
{
    if (rows->left)
        fprintf(out, "and %zu more: -n %zu shows all\n", rows->left, rows->left + rows->count);
    if (rows->starts)
        fputs("start frames (below main) are left out; --json has them\n", out);
}

/* Nothing where no function has anything of the series. */
static void print_functions(const struct report *report, const struct process *p, FILE *out)
{
    size_t count;
    const struct function_usage **order =
        function_order(report->image, p, report->series, report->sort, &count);
    struct rows rows = choose_rows(report, order, count);
    struct addresses addresses;
    if (count > 0)
        print_heading(report, p, out);
    addresses_begin(&addresses, report->image, report->addresses, out);
    print_rows(rows.list, rows.count, report->series, report->source == NULL, &addresses, out);
    print_omitted(&rows, out);
    addresses_end(&addresses);
    free(rows.list);
    free(order);
}

/* The first process alone would say little of what was run. */
static void print_together(const struct report *report, FILE *out)
{
    char *note = family_sum_note(report->family, 0);
    report_text_head(report->together, note, out);
    free(note);
    print_totals(report->together, report->series, 1, out);
    fputs("\nfor all of them --tree, or plot -C and -M; for one --pid N. The biggest:\n\n", out);
}

void report_text(const struct report *report, FILE *out)
{
    const struct process *p = &report->image->processes[0];
    int together = report->source == NULL;
    if (report->together)
        print_together(report, out);
    char *note = together ? family_sum_note(report->family, 1)
                          : family_note(report->family, report->shown, report->series, 0);
    report_text_head(report->image, note, out);
    free(note);
    print_totals(report->image, report->series, together, out);
    if (report->count != 0)
        print_functions(report, p, out);
    if (report->series != SERIES_MAPPED)
        failed_text(report->image, out);
    threads_text(p, report->series, out);
    if (report->family->order_count > 1)
        family_text(report->family, report->series, out);
    selfcheck_text(report->image, out);
}
