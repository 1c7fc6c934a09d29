/* live_at_end.c - grouping live blocks by stack. */
#include "live_at_end.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

struct grouping {
    const struct subject *subject;
    const struct classes *classes;
    struct intmap numbers; /* stack -> index in leaks + 1 */
    struct leak *leaks;
    size_t count, capacity;
};

static struct leak *leak_of(struct grouping *g, uint32_t stack, uint64_t ns)
{
    uint64_t *number = intmap_place(&g->numbers, stack);
    if (!*number) {
        g->leaks = xgrow(g->leaks, &g->capacity, g->count + 1, sizeof *g->leaks);
        g->leaks[g->count] = (struct leak){.stack = stack, .first_ns = ns};
        *number = ++g->count;
    }
    return &g->leaks[*number - 1];
}

static void add(struct grouping *g, uint32_t stack, uint64_t bytes, uint64_t ns)
{
    struct leak *leak = leak_of(g, stack, ns);

    leak->blocks++;
    leak->bytes += bytes;
    if (ns < leak->first_ns)
        leak->first_ns = ns;
    if (ns > leak->last_ns)
        leak->last_ns = ns;
}

static void add_block(void *context, uint64_t address, uint32_t block_number)
{
    struct grouping *g = context;

    (void)address;
    if (block_number & LIVE_INHERITED)
        return;
    const struct block *block = &g->subject->blocks.list[block_number];
    const struct event_class *class = &g->classes->list[block->class];
    add(g, class->stack, class->size, block->ns);
}

/* Takes the list, the biggest first, into the image's memory. */
static struct leak *finish(struct grouping *g, struct image *image)
{
    struct leak *leaks = arena_take(image->memory, (g->count + 1) * sizeof *leaks);

    if (g->count) {
        qsort(g->leaks, g->count, sizeof *g->leaks, leaks_biggest_first);
        memcpy(leaks, g->leaks, g->count * sizeof *leaks);
    }
    free(g->leaks);
    intmap_clear(&g->numbers);
    return leaks;
}

void leaks_fill(const struct subject *s, struct image *image, const struct classes *classes,
                struct process *process)
{
    struct grouping g = {.subject = s, .classes = classes};

    live_walk(s->live, add_block, &g);
    process->leaks = finish(&g, image);
    process->leak_count = g.count;
}

void mapped_leaks_fill(const struct subject *s, struct image *image, struct process *process)
{
    struct grouping g = {.subject = s};
    const struct range *range = ranges_above(&s->mapped, 0);

    for (; range; range = ranges_above(&s->mapped, range->end)) {
        if (range->kind == RANGE_MEMORY && !range->is_inherited)
            add(&g, range->stack, range->end - range->begin, range->ns);
    }
    process->mapped_leaks = finish(&g, image);
    process->mapped_leak_count = g.count;
}
