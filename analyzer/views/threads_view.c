/* threads_view.c - the threads of a process: a table, or JSON. */
#include "threads_view.h"
#include "quality.h"
#include "report_view.h"
#include "text.h"
#include "units.h"
#include "xalloc.h"

#include <inttypes.h>
#include <stdlib.h>

#define THREADS_SHOWN 20
#define NAME_WIDTH    15

struct row {
    const struct thread_usage *thread;
    uint64_t peak; /* of the series shown */
};

static const struct usage *thread_series(const struct thread_usage *t, enum series series)
{
    return series == SERIES_HEAP ? &t->heap : series == SERIES_MAPPED ? &t->mapped : &t->memory;
}

static int by_peak(const void *left, const void *right)
{
    const struct row *a = left, *b = right;
    if (a->peak != b->peak)
        return a->peak < b->peak ? 1 : -1;
    return (a->thread->serial > b->thread->serial) - (a->thread->serial < b->thread->serial);
}

/* Those that the table shows, sorted: of mapped memory those that have mapped some; of the heap,
 * and of memory, all that did anything. */
static struct row *make_rows(const struct process *process, enum series series, size_t *count)
{
    struct row *rows = xcalloc(process->thread_usage_count, sizeof *rows);
    *count = 0;
    for (size_t i = 0; i < process->thread_usage_count; i++) {
        const struct thread_usage *t = &process->threads[i];
        if (series != SERIES_MAPPED || t->mapped.allocations)
            rows[(*count)++] = (struct row){t, thread_series(t, series)->own_peak_bytes};
    }
    qsort(rows, *count, sizeof *rows, by_peak);
    return rows;
}

/* `label` stands where the thread's number does. Each figure leaves a blank of its column. */
static void print_row(const char *name, const char *label, const struct usage *u, FILE *out)
{
    char peak[UNITS_TEXT], at_peak[UNITS_TEXT], count[UNITS_TEXT], bytes[UNITS_TEXT],
        live[UNITS_TEXT];
    fprintf(out, " %s%*s%9s%11s%11s%10s%11s%11s\n", name, (int)(NAME_WIDTH - text_width(name)), "",
            label, units_bytes_in(peak, u->own_peak_bytes, 10),
            units_bytes_in(at_peak, u->at_peak_bytes, 10), units_count_in(count, u->allocations, 9),
            units_bytes_in(bytes, u->allocated_bytes, 10),
            units_bytes_in(live, u->live_at_end_bytes, 10));
}

/* Below what a thread with mapped memory held together, the parts of that which it has. */
static void print_parts(const struct thread_usage *t, FILE *out)
{
    struct usage heap = t->heap, mapped = t->mapped;
    heap.at_peak_bytes = t->memory.at_peak_bytes - t->mapped_then_bytes;
    mapped.at_peak_bytes = t->mapped_then_bytes;
    if (heap.allocations)
        print_row("", "heap", &heap, out);
    print_row("", "mapped", &mapped, out);
}

static void print_thread(const struct thread_usage *t, enum series series, FILE *out)
{
    char tid[16] = "", many[UNITS_TEXT];
    if (t->threads > 1)
        snprintf(many, sizeof many, "%" PRIu32 " later ones", t->threads);
    else
        snprintf(tid, sizeof tid, "%" PRId32, t->tid);
    char *name = text_fit(t->threads > 1 ? many : t->name, NAME_WIDTH, 0);
    print_row(name, tid, thread_series(t, series), out);
    free(name);
    if (series == SERIES_MEMORY && t->mapped.allocations)
        print_parts(t, out);
}

void threads_text(const struct process *process, enum series series, FILE *out)
{
    size_t count;
    char note[QUALITY_NOTE];
    if (process->thread_usage_count < 2)
        return;
    struct row *rows = make_rows(process, series, &count);
    if (count > 0) {
        fprintf(out, "\nthreads, by the own peak of what they %s\n",
                series == SERIES_MAPPED ? "mapped" : "allocated");
        fputs(quality_table_note(&process->quality, note), out);
        fprintf(out, " %-*s%9s%11s%11s%10s%11s%11s\n", NAME_WIDTH, "", "tid", "own peak", "at peak",
                "allocs", "allocated", "live end");
    }
    for (size_t i = 0; i < count && i < THREADS_SHOWN; i++)
        print_thread(rows[i].thread, series, out);
    if (count > THREADS_SHOWN)
        fprintf(out, "and %zu more: --json has all\n", count - THREADS_SHOWN);
    free(rows);
}

void threads_json(struct json *j, const struct process *process)
{
    json_array(j, "threads");
    for (size_t i = 0; i < process->thread_usage_count; i++) {
        const struct thread_usage *t = &process->threads[i];
        json_object(j, NULL);
        json_number(j, "serial", t->serial);
        json_integer(j, "tid", t->tid);
        json_string(j, "name", t->name);
        json_number(j, "threads", t->threads);
        json_seconds(j, "begin_s", t->begin_ns);
        json_seconds(j, "end_s", t->end_ns);
        report_json_usage(j, "self", &t->heap, 0);
        report_json_usage(j, "mapped_self", &t->mapped, 0);
        report_json_usage(j, "memory_self", &t->memory, 0);
        json_number(j, "mapped_at_memory_peak_bytes", t->mapped_then_bytes);
        json_end_object(j);
    }
    json_end_array(j);
}
