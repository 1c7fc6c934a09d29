/* mapped.c - see mapped.h. */
#include "mapped.h"
#include "heap.h"
#include "xalloc.h"

#include <stdlib.h>

/* ---- both together ---- */

struct peak both_heap_peak(const struct both *b, const struct holding *held)
{
    return held->peak.bytes > b->heap.bytes ? held->peak : b->heap;
}

struct peak both_memory_peak(const struct both *b, const struct holding *held)
{
    uint64_t bytes = b->mapped + held->peak.bytes;
    return bytes > b->memory.bytes ? (struct peak){bytes, held->peak.at} : b->memory;
}

uint64_t both_mapped_then(const struct both *b, const struct figures *f)
{
    return f->newest[MEMORY_PEAK] > b->epoch ? b->mapped : b->mapped_then;
}

void both_change(struct both *b, struct holding *held, uint64_t bytes, struct instant at,
                 const struct figures *f)
{
    b->heap = both_heap_peak(b, held);
    b->memory = both_memory_peak(b, held);
    b->mapped_then = both_mapped_then(b, f);
    b->epoch = f->newest[MEMORY_PEAK];
    b->mapped += bytes;
    held->peak = (struct peak){held->live, at};
}

static struct both *place_both(struct pages *all, uint32_t function)
{
    return pages_place(all, function, sizeof(struct both));
}

static const struct both *find_both(const struct pages *all, uint32_t function)
{
    static const struct both none;
    const struct both *b = pages_find(all, function, sizeof *b);
    return b ? b : &none;
}

/* ---- the accounts ---- */

struct mapped *mapped_new(struct heap *heap)
{
    struct mapped *m = xcalloc(1, sizeof *m);

    figures_open(&heap->figures);
    figures_open(&m->figures);
    pages_copy(&m->spans, &heap->figures.spans, sizeof(struct span));
    timeline_copy(&m->both_line, &heap->timeline);
    return m;
}

void mapped_free(struct mapped *m)
{
    if (!m)
        return;
    figures_clear(&m->figures);
    pages_clear(&m->inclusive);
    pages_clear(&m->self);
    pages_clear(&m->spans);
    timeline_clear(&m->line);
    timeline_clear(&m->both_line);
    free(m);
}

static void change(struct pages *all, struct pages *holdings, uint32_t function, uint64_t bytes,
                   struct instant at, const struct figures *f)
{
    both_change(place_both(all, function), pages_place(holdings, function, sizeof(struct holding)),
                bytes, at, f);
}

void mapped_change(struct heap *heap, const struct tree *tree, struct charge charge, uint64_t bytes,
                   struct instant at)
{
    struct figures *f = &heap->figures;
    struct mapped *m = heap->mapped;

    figures_settle(f, tree, 0);
    figures_settle(&m->figures, tree, 0);
    for (uint32_t call = charge.calls; call; call = tree->calls[call].parent)
        change(&m->inclusive, &f->inclusive, tree->calls[call].function, bytes, at, f);
    change(&m->self, &f->self, charge.self, bytes, at, f);
}

/* ---- the end ---- */

static void set_own_peak(struct usage *usage, struct peak peak)
{
    usage->own_peak_bytes = peak.bytes;
    usage->own_peak_ns = peak.at.ns;
}

uint64_t both_fill(struct usage *memory, struct usage *heap, const struct usage *mapped,
                   const struct figures *f, const struct both *b, const struct holding *held)
{
    uint64_t then = both_mapped_then(b, f);

    usage_add_up(memory, heap, mapped);
    set_own_peak(heap, both_heap_peak(b, held));
    set_own_peak(memory, both_memory_peak(b, held));
    memory->at_peak_bytes = holding_at(held, MEMORY_PEAK, f) + then;
    return then;
}

static const struct holding *find_held(const struct pages *holdings, uint32_t function)
{
    static const struct holding none;
    const struct holding *held = pages_find(holdings, function, sizeof *held);
    return held ? held : &none;
}

static void fill_function(struct function_usage *u, const struct mapped *m, const struct figures *f)
{
    uint32_t i = u->function;

    u->mapped_then.self_bytes = both_fill(&u->memory.self, &u->heap.self, &u->mapped.self, f,
                                          find_both(&m->self, i), find_held(&f->self, i));
    u->mapped_then.inclusive_bytes =
        both_fill(&u->memory.inclusive, &u->heap.inclusive, &u->mapped.inclusive, f,
                  find_both(&m->inclusive, i), find_held(&f->inclusive, i));
}

static void fill_mapped(struct mapped *m, struct tree *tree, int kept_live, struct pages *usages)
{
    if (!m)
        return;
    figures_fill(&m->figures, tree, SERIES_MAPPED, kept_live, usages);
    figures_fill_spans(&m->spans, SERIES_MEMORY, usages);
}

void mapped_fill_functions(struct heap *heap, struct tree *tree, int kept_live,
                           struct pages *usages)
{
    fill_mapped(heap->mapped, tree, kept_live, usages);
    for (uint32_t i = pages_next(usages, 0); i < pages_end(usages); i = pages_next(usages, i + 1)) {
        struct function_usage *usage = pages_place(usages, i, sizeof *usage);
        if (heap->mapped)
            fill_function(usage, heap->mapped, &heap->figures);
        else
            usage->memory = usage->heap;
    }
}

void mapped_fill_lines(const struct mapped *m, struct arena *memory, struct process *process)
{
    process->memory = process->heap;
    process->memory_count = process->heap_count;
    if (!m)
        return;
    process->mapped = timeline_take(&m->line, memory);
    process->mapped_count = m->line.count;
    process->memory = timeline_take(&m->both_line, memory);
    process->memory_count = m->both_line.count;
}
