/* threads_view.c - the threads of a process: a table, or JSON. */
#include "threads_view.h"
#include "report_view.h"
#include "text.h"
#include "units.h"
#include "xalloc.h"

#include <inttypes.h>
#include <stdlib.h>

#define THREADS_SHOWN 20
#define NAME_WIDTH    15

static int by_peak(const void *a, const void *b)
{
    const struct thread_usage *s = *(const struct thread_usage *const *)a;
    const struct thread_usage *t = *(const struct thread_usage *const *)b;
    if (s->memory.own_peak_bytes != t->memory.own_peak_bytes)
        return s->memory.own_peak_bytes < t->memory.own_peak_bytes ? 1 : -1;
    return (s->serial > t->serial) - (s->serial < t->serial);
}

/* Of a thread with mapped memory a second line shows that. */
static void print_mapped(const struct thread_usage *t, FILE *out)
{
    const struct usage *u = &t->mapped;
    char peak[UNITS_TEXT], at_peak[UNITS_TEXT], count[UNITS_TEXT], bytes[UNITS_TEXT],
        live[UNITS_TEXT];
    if (u->allocations)
        fprintf(out, " %-*s%9s%11s%11s%10s%11s%11s\n", NAME_WIDTH, "", "mapped",
                units_bytes(peak, u->own_peak_bytes), units_bytes(at_peak, t->mapped_then_bytes),
                units_count_in(count, u->allocations, 9), units_bytes(bytes, u->allocated_bytes),
                units_bytes(live, u->live_at_end_bytes));
}

static void print_thread(const struct thread_usage *t, enum series series, FILE *out)
{
    struct usage heap = t->heap, *u = &heap;
    if (series == SERIES_MEMORY)
        heap.at_peak_bytes = t->memory.at_peak_bytes - t->mapped_then_bytes;
    char tid[16] = "", many[UNITS_TEXT], peak[UNITS_TEXT], at_peak[UNITS_TEXT], count[UNITS_TEXT],
         bytes[UNITS_TEXT], live[UNITS_TEXT];
    if (t->threads > 1)
        snprintf(many, sizeof many, "%" PRIu32 " later ones", t->threads);
    else
        snprintf(tid, sizeof tid, "%" PRId32, t->tid);
    char *name = text_fit(t->threads > 1 ? many : t->name, NAME_WIDTH, 0);
    fprintf(out, " %s%*s%9s%11s%11s%10s%11s%11s\n", name, (int)(NAME_WIDTH - text_width(name)), "",
            tid, units_bytes(peak, u->own_peak_bytes), units_bytes(at_peak, u->at_peak_bytes),
            units_count_in(count, u->allocations, 9), units_bytes(bytes, u->allocated_bytes),
            units_bytes(live, u->live_at_end_bytes));
    free(name);
    if (series == SERIES_MEMORY)
        print_mapped(t, out);
}

void threads_text(const struct process *process, enum series series, FILE *out)
{
    size_t count = process->thread_usage_count;
    if (count < 2)
        return;
    const struct thread_usage **order = xcalloc(count, sizeof *order);
    for (size_t i = 0; i < count; i++)
        order[i] = &process->threads[i];
    qsort(order, count, sizeof *order, by_peak);
    fputs("\nthreads, by the own peak of what they allocated\n", out);
    fprintf(out, " %-*s%9s%11s%11s%10s%11s%11s\n", NAME_WIDTH, "", "tid", "own peak", "at peak",
            "allocs", "allocated", "live end");
    for (size_t i = 0; i < count && i < THREADS_SHOWN; i++)
        print_thread(order[i], series, out);
    if (count > THREADS_SHOWN)
        fprintf(out, "and %zu more: --json has all\n", count - THREADS_SHOWN);
    free(order);
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
