/* mapped.c - see mapped.h. */
#include "mapped.h"
#include "heap.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* Its path is empty; there must be a step outside of all functions. */
static void open_figures(struct figures *f)
{
    f->steps = xgrow(f->steps, &f->step_capacity, 1, sizeof *f->steps);
}

struct mapped *mapped_new(const struct heap *heap)
{
    struct mapped *m = xcalloc(1, sizeof *m);

    open_figures(&m->figures);
    open_figures(&m->then);
    figures_copy(&m->both, &heap->figures);
    timeline_copy(&m->both_line, &heap->timeline);
    return m;
}

void mapped_free(struct mapped *m)
{
    if (!m)
        return;
    figures_clear(&m->figures);
    figures_clear(&m->both);
    figures_clear(&m->then);
    timeline_clear(&m->line);
    timeline_clear(&m->both_line);
    free(m);
}

void mapped_settle_both(struct heap *heap, uint64_t ns)
{
    struct totals *totals = &heap->totals;
    uint64_t level = heap->live_bytes + heap->mapped_bytes;

    if (level > totals->memory_peak_bytes) {
        totals->memory_peak_bytes = level;
        totals->memory_peak_ns = ns;
        totals->mapped_then_bytes = heap->mapped_bytes;
        figures_new_peak(&heap->mapped->both);
        figures_new_peak(&heap->mapped->then);
    }
    timeline_add_parts(&heap->mapped->both_line, ns, level, heap->mapped_bytes);
}

/* ---- the end ---- */

static void add_up_both(struct function_usage *usage)
{
    usage_add_up(&usage->memory.self, &usage->heap.self, &usage->mapped.self);
    usage_add_up(&usage->memory.inclusive, &usage->heap.inclusive, &usage->mapped.inclusive);
}

void mapped_fill_functions(struct mapped *m, struct tree *tree, int kept_live, struct pages *usages)
{
    if (m) {
        figures_fill(&m->figures, tree, SERIES_MAPPED, kept_live, usages);
        figures_fill(&m->both, tree, SERIES_MEMORY, kept_live, usages);
        figures_fill_then(&m->then, tree, usages);
    }
    for (uint32_t i = pages_next(usages, 0); i < pages_end(usages); i = pages_next(usages, i + 1)) {
        struct function_usage *usage = pages_place(usages, i, sizeof *usage);
        if (m)
            add_up_both(usage);
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
