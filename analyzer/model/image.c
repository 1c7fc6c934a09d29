/* image.c - an image's memory, and the walk along one of its stacks. */
#include "summary.h"
#include "xalloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_PIECE (256u << 10)
#define ALIGNMENT   16u

/* A piece of an arena; its bytes follow. Pieces are only ever added, so addresses stay. */
struct piece {
    struct piece *before;
    size_t bytes, used; /* used <= bytes, a multiple of ALIGNMENT */
    _Alignas(ALIGNMENT) unsigned char memory[];
};

struct arena {
    struct piece *newest;
};

struct arena *arena_new(void)
{
    return xcalloc(1, sizeof(struct arena));
}

static struct piece *piece_add(struct arena *arena, size_t bytes)
{
    struct piece *piece = xcalloc(1, sizeof *piece + bytes);
    piece->bytes = bytes;
    piece->before = arena->newest;
    arena->newest = piece;
    return piece;
}

void *arena_take(struct arena *arena, size_t bytes)
{
    struct piece *piece = arena->newest;
    size_t rounded;

    if (__builtin_add_overflow(bytes, ALIGNMENT - 1, &rounded))
        return xmalloc(bytes); /* ends the program */
    rounded &= ~(size_t)(ALIGNMENT - 1);
    if (!piece || piece->bytes - piece->used < rounded)
        piece = piece_add(arena, rounded > ARENA_PIECE ? rounded : ARENA_PIECE);
    void *memory = piece->memory + piece->used;
    piece->used += rounded;
    return memory;
}

char *arena_string(struct arena *arena, const char *text)
{
    size_t bytes = strlen(text) + 1;
    return memcpy(arena_take(arena, bytes), text, bytes);
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    for (struct piece *piece = arena->newest, *before; piece; piece = before) {
        before = piece->before;
        free(piece);
    }
    free(arena);
}

struct image *image_new(void)
{
    struct arena *arena = arena_new();
    struct image *image = arena_take(arena, sizeof *image);

    image->memory = arena;
    image->executable = image->folder = image->host = "";
    return image;
}

void image_free(struct image *image)
{
    if (image)
        arena_free(image->memory);
}

const struct process *image_process(const struct image *image, uint32_t serial)
{
    if (serial < image->process_count && image->processes[serial].serial == serial)
        return &image->processes[serial];
    for (size_t i = 0; i < image->process_count; i++)
        if (image->processes[i].serial == serial)
            return &image->processes[i];
    return NULL;
}

/* Set in *inner once a frame has been given: from then on none is left out. */
#define LEAF_PASSED 0x80000000u

const struct frame *stack_next_frame(const struct image *image, uint32_t *node, uint32_t *inner)
{
    while (*node != 0 && *node < image->stack_count) {
        const struct stack *stack = &image->stacks[*node];
        const struct location *location = &image->locations[stack->location];
        uint32_t passed = *inner & LEAF_PASSED, i = *inner & ~LEAF_PASSED;

        while (i < location->frame_count) {
            const struct frame *frame = &image->frames[location->frame_first + i++];
            if (!passed && image->functions[frame->function].flags & FUNCTION_ALLOCATOR)
                continue;
            *inner = i | LEAF_PASSED;
            return frame;
        }
        *node = stack->parent;
        *inner = passed;
    }
    return NULL;
}

void process_add_loss(struct process *process)
{
    const struct loss *loss = &process->quality.loss;
    process->totals.allocations += loss->allocations;
    process->totals.frees += loss->frees;
    process->totals.allocated_bytes += loss->bytes;
    process->totals.maps += loss->maps;
    process->quality.lost = loss->allocations + loss->frees + loss->others;
    process->quality.lost_bytes = loss->bytes;
}

void gaps_add(struct module_gap *gaps, size_t *count, struct module_gap gap)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(gaps[i].reason, gap.reason) == 0 && strcmp(gaps[i].module, gap.module) == 0)
            return;
    gaps[(*count)++] = gap;
}

void image_count_gaps(struct image *image)
{
    struct quality *quality = image->process_count ? &image->processes[0].quality : NULL;
    if (!quality)
        return;
    quality->nameless_modules = quality->undebugged_modules = 0;
    for (size_t i = 0; i < image->gap_count; i++)
        ++*(image->gaps[i].names ? &quality->nameless_modules : &quality->undebugged_modules);
}

int leaks_biggest_first(const void *a, const void *b)
{
    const struct leak *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    if (x->blocks != y->blocks)
        return x->blocks < y->blocks ? 1 : -1;
    return (x->stack > y->stack) - (x->stack < y->stack);
}

void process_memory_is_heap(struct process *p)
{
    p->totals.memory_peak_bytes = p->totals.peak_bytes;
    p->totals.memory_peak_ns = p->totals.peak_ns;
    for (size_t i = 0; i < p->function_count; i++)
        p->functions[i].memory = p->functions[i].heap;
    p->memory = p->heap;
    p->memory_count = p->heap_count;
}

/* Keeps the functions with allocations in the heap. */
static size_t forget_mapped_functions(struct function_usage *functions, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct function_usage f = functions[i];
        if (f.heap.inclusive.allocations == 0)
            continue;
        f.mapped = (struct series_usage){0};
        f.mapped_then.self_bytes = f.mapped_then.inclusive_bytes = 0;
        functions[kept++] = f;
    }
    return kept;
}

void process_forget_mapped(struct process *p)
{
    struct totals *t = &p->totals;
    t->mapped_then_bytes = 0;
    t->reserved_peak_bytes = t->reserved_at_end_bytes = 0;
    t->file_peak_bytes = t->file_at_end_bytes = 0;
    p->function_count = forget_mapped_functions(p->functions, p->function_count);
    for (size_t i = 0; i < p->thread_usage_count; i++) {
        p->threads[i].mapped = (struct usage){0};
        p->threads[i].mapped_then_bytes = 0;
        p->threads[i].memory = p->threads[i].heap;
    }
    p->mapped_leak_count = 0;
    process_memory_is_heap(p);
}

void image_settle_series(struct image *image)
{
    for (size_t i = 0; i < image->process_count; i++) {
        struct process *p = &image->processes[i];
        p->series_unknown |= image->kinds_untold;
        if (p->series_unknown)
            process_forget_mapped(p);
    }
}

int image_is_without_blocks(const struct image *image)
{
    if (image->cut || image->running || image->processes[0].ending.kind == END_EXEC)
        return 0;
    for (size_t i = 0; i < image->process_count; i++)
        if (totals_have_blocks(&image->processes[i].totals))
            return 0;
    return 1;
}

int image_has_only_mappings(const struct image *image)
{
    int maps = 0;
    for (size_t i = 0; i < image->process_count; i++)
        maps |= process_has_mappings(&image->processes[i]);
    return maps && image_is_without_blocks(image);
}

struct line_of process_line(const struct process *p, enum series series)
{
    if (series == SERIES_HEAP)
        return (struct line_of){p->heap, p->heap_count};
    if (series == SERIES_MAPPED)
        return (struct line_of){p->mapped, p->mapped_count};
    return (struct line_of){p->memory, p->memory_count};
}

struct peak_of totals_peak(const struct totals *t, enum series series)
{
    if (series == SERIES_HEAP)
        return (struct peak_of){t->peak_bytes, t->peak_ns};
    if (series == SERIES_MAPPED)
        return (struct peak_of){t->mapped_peak_bytes, t->mapped_peak_ns};
    return (struct peak_of){t->memory_peak_bytes, t->memory_peak_ns};
}

struct peak_of process_peak(const struct process *p, enum series series)
{
    return totals_peak(&p->totals, series);
}
