/* threads.c - meeting threads, and their figures at the end. */
#include "threads.h"
#include "heap.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* What came before is in `both`. */
static void begin_first_mapped(struct thread_account *t, const struct heap *heap,
                               const struct mapped *m)
{
    const struct totals *totals = &heap->totals;

    t->maps = m->allocations;
    t->mapped_bytes = m->allocated_bytes;
    t->mapped =
        (struct holding){.live = heap->mapped_bytes,
                         .peak = {totals->mapped_peak_bytes, {.ns = totals->mapped_peak_ns}},
                         .at = {totals->mapped_peak_bytes},
                         .epoch = m->figures.epoch};
    t->both = (struct both){.mapped = heap->mapped_bytes,
                            .heap = t->held.peak,
                            .memory = {totals->memory_peak_bytes, {.ns = totals->memory_peak_ns}},
                            .mapped_then = totals->mapped_then_bytes,
                            .epoch = heap->figures.epoch};
    t->held.at[MEMORY_PEAK] = totals->memory_peak_bytes - totals->mapped_then_bytes;
    t->held.peak = (struct peak){.bytes = heap->live_bytes};
}

/* All that happened so far was the first thread's. */
static void begin_first(struct thread_account *t, const struct heap *heap)
{
    const struct totals *totals = &heap->totals;

    t->allocations = totals->allocations;
    t->allocated_bytes = totals->allocated_bytes;
    t->temporary = totals->temporary;
    t->live_blocks = heap->live_blocks;
    t->held = (struct holding){.live = heap->live_bytes,
                               .peak = {totals->peak_bytes, {.ns = totals->peak_ns}},
                               .at = {totals->peak_bytes, totals->peak_bytes},
                               .epoch = heap->figures.epoch};
    if (heap->mapped)
        begin_first_mapped(t, heap, heap->mapped);
}

static void describe(struct thread_account *t, const struct thread_facts *facts)
{
    size_t bytes = facts->name_bytes < sizeof t->name ? facts->name_bytes : sizeof t->name - 1;

    t->serial = facts->serial;
    if (facts->tid)
        t->tid = facts->tid;
    if (bytes) {
        memcpy(t->name, facts->name, bytes);
        t->name[bytes] = 0;
    }
}

static struct thread_account *add(struct thread_accounts *a, uint64_t ns)
{
    a->list = xgrow(a->list, &a->capacity, a->count + 1, sizeof *a->list);
    struct thread_account *t = &a->list[a->count++];

    t->begin_ns = ns;
    return t;
}

void threads_meet(struct heap *heap, size_t index, const struct thread_facts *facts, uint64_t ns)
{
    struct thread_accounts *a = &heap->threads;
    uint32_t account = threads_account(index);

    if (account == a->count) {
        add(a, ns);
        if (a->count == 2) {
            begin_first(&a->list[0], heap);
            a->several = 1;
        }
    }
    struct thread_account *t = &a->list[account];
    if (index == a->met) {
        a->met++;
        t->threads++;
    }
    if (account < THREADS_KEPT)
        describe(t, facts);
    else if (t->threads == 1) /* of many threads, only the first one's number makes sense */
        t->serial = facts->serial;
    threads_seen(a, account, ns);
}

/* ---- mapped memory ---- */

void threads_map(struct heap *heap, uint32_t account, uint64_t bytes, struct instant at)
{
    struct thread_account *t = &heap->threads.list[account];

    t->maps++;
    t->mapped_bytes += bytes;
    holding_add(&t->mapped, bytes, at, &heap->mapped->figures);
    both_change(&t->both, &t->held, bytes, at, &heap->figures);
}

void threads_unmap(struct heap *heap, uint32_t account, uint64_t bytes)
{
    struct thread_account *t = &heap->threads.list[account];

    holding_take(&t->mapped, bytes, &heap->mapped->figures);
    both_change(&t->both, &t->held, 0 - bytes, (struct instant){0}, &heap->figures);
}

/* ---- the end ---- */

static struct usage mapped_usage(const struct thread_account *t, const struct figures *f,
                                 int kept_live)
{
    return (struct usage){.allocations = t->maps,
                          .allocated_bytes = t->mapped_bytes,
                          .own_peak_bytes = t->mapped.peak.bytes,
                          .own_peak_ns = t->mapped.peak.at.ns,
                          .at_peak_bytes = holding_at(&t->mapped, OWN_PEAK, f),
                          .live_at_end_bytes = kept_live ? t->mapped.live : 0,
                          .live_at_end_blocks = kept_live ? t->pieces : 0};
}

static void fill_mapped(struct thread_usage *usage, const struct thread_account *t,
                        const struct heap *heap, int kept_live)
{
    usage->memory = usage->heap;
    if (!heap->mapped)
        return;
    usage->mapped = mapped_usage(t, &heap->mapped->figures, kept_live);
    usage->mapped_then_bytes =
        both_fill(&usage->memory, &usage->heap, &usage->mapped, &heap->figures, &t->both, &t->held);
}

static struct thread_usage usage_of(const struct thread_account *t, const struct figures *f,
                                    struct arena *memory, int kept_live)
{
    const struct holding *held = &t->held;

    return (struct thread_usage){
        .serial = t->serial,
        .threads = t->threads,
        .tid = t->tid,
        .name = arena_string(memory, t->name),
        .begin_ns = t->begin_ns,
        .end_ns = t->end_ns,
        .heap = {.allocations = t->allocations,
                 .allocated_bytes = t->allocated_bytes,
                 .own_peak_bytes = held->peak.bytes,
                 .own_peak_ns = held->peak.at.ns,
                 .at_peak_bytes = holding_at(held, OWN_PEAK, f),
                 .live_at_end_bytes = kept_live ? held->live : 0,
                 .live_at_end_blocks = kept_live ? t->live_blocks : 0,
                 .temporary = t->temporary},
    };
}

void threads_fill(struct heap *heap, struct arena *memory, struct process *process, int kept_live)
{
    struct thread_accounts *a = &heap->threads;

    if (a->count && !a->several)
        begin_first(&a->list[0], heap);
    process->threads = arena_take(memory, (a->count + 1) * sizeof *process->threads);
    process->thread_usage_count = a->count;
    for (size_t i = 0; i < a->count; i++)
        process->threads[i] = usage_of(&a->list[i], &heap->figures, memory, kept_live);
    for (size_t i = 0; i < a->count; i++)
        fill_mapped(&process->threads[i], &a->list[i], heap, kept_live);
}

void threads_clear(struct thread_accounts *a)
{
    free(a->list);
    memset(a, 0, sizeof *a);
}
