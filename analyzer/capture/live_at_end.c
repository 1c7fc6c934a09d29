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

static void add_block(void *context, uint64_t address, uint32_t block_number)
{
    struct grouping *g = context;

    (void)address;
    if (block_number & LIVE_INHERITED)
        return;
    const struct block *block = &g->subject->blocks.list[block_number];
    const struct event_class *class = &g->classes->list[block->class];
    uint64_t *number = intmap_place(&g->numbers, class->stack);
    if (!*number) {
        g->leaks = xgrow(g->leaks, &g->capacity, g->count + 1, sizeof *g->leaks);
        g->leaks[g->count] = (struct leak){.stack = class->stack, .first_ns = block->ns};
        *number = ++g->count;
    }
    struct leak *leak = &g->leaks[*number - 1];
    leak->blocks++;
    leak->bytes += class->size;
    if (block->ns < leak->first_ns)
        leak->first_ns = block->ns;
    if (block->ns > leak->last_ns)
        leak->last_ns = block->ns;
}

void leaks_fill(const struct subject *s, struct image *image, const struct classes *classes,
                struct process *process)
{
    struct grouping g = {.subject = s, .classes = classes};

    live_walk(s->live, add_block, &g);
    process->leaks = arena_take(image->memory, (g.count + 1) * sizeof *process->leaks);
    process->leak_count = g.count;
    if (g.count) {
        qsort(g.leaks, g.count, sizeof *g.leaks, leaks_biggest_first);
        memcpy(process->leaks, g.leaks, g.count * sizeof *g.leaks);
    }
    free(g.leaks);
    intmap_clear(&g.numbers);
}
