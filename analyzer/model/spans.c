/* spans.c - a stream's stack and its activations. */
#include "spans.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

void path_begin(struct path *path, uint32_t pop, int restart)
{
    path->old_depth = path->depth;
    path->depth = restart || pop > path->depth ? 0 : path->depth - pop;
    path->kept = path->depth;
    path->pivot = 0;
}

/* Goes from the leaf outwards until old and new stack meet: equal nodes have equal parents. */
void path_rebase(struct path *path, const struct tree *tree, uint32_t node)
{
    uint32_t depth = tree->nodes[node].depth, i = depth;

    path->old_depth = path->depth;
    path->pivot = 0;
    if (depth > path->step_capacity)
        path->steps = xgrow(path->steps, &path->step_capacity, depth, sizeof *path->steps);
    for (; i > 0; i--, node = tree->nodes[node].parent) {
        struct path_step *step = &path->steps[i - 1];
        if (i <= path->old_depth && step->node == node)
            break;
        path->pivot = i <= path->old_depth ? step->node : 0;
        step->node = node;
    }
    path->depth = depth;
    path->kept = i;
}

void path_push(struct path *path, struct tree *tree, uint32_t location)
{
    uint32_t i = path->depth;
    uint32_t node = tree_child(tree, path_leaf(path), location);

    if (i >= path->step_capacity)
        path->steps = xgrow(path->steps, &path->step_capacity, (size_t)i + 1, sizeof *path->steps);
    if (i == path->kept && i < path->old_depth) {
        if (path->steps[i].node == node)
            path->kept++;
        else
            path->pivot = path->steps[i].node;
    }
    path->steps[i].node = node;
    path->depth++;
}

static uint64_t level_at(struct heap_moment moment, enum series series)
{
    uint64_t heap = series == SERIES_MAPPED ? 0 : moment.heap_bytes;
    return heap + (series == SERIES_HEAP ? 0 : moment.mapped_bytes);
}

static inline int contains(const struct path *path, const struct activation *a,
                           const struct peak *peak)
{
    return peak->bytes && peak->at.who == path->who && peak->at.ns >= a->begin.ns;
}

/* The activation, which has ended, leaves its span if it contains its function's peak. */
static inline void leave_span(const struct path *path, struct pages *spans, enum series series,
                              struct peak peak, const struct activation *a, struct heap_moment last)
{
    if (!contains(path, a, &peak))
        return;
    struct span *span = pages_place(spans, a->function, sizeof *span);
    *span = (struct span){
        .begin_ns = a->begin.ns,
        .end_ns = last.ns > peak.at.ns ? last.ns : peak.at.ns,
        .begin_level = level_at(a->begin, series),
        .end_level = level_at(last, series),
        .thread = path->thread,
        .valid = 1,
    };
}

/* The same of a function that has, or had, mapped memory. */
static void leave_spans(const struct path *path, struct heap *heap, const struct holding *held,
                        const struct both *b, const struct activation *a, struct heap_moment last)
{
    struct mapped *m = heap->mapped;
    const struct holding *mapped = pages_find(&m->figures.inclusive, a->function, sizeof *mapped);

    leave_span(path, &heap->figures.spans, SERIES_HEAP, both_heap_peak(b, held), a, last);
    leave_span(path, &m->figures.spans, SERIES_MAPPED, mapped->peak, a, last);
    leave_span(path, &m->spans, SERIES_MEMORY, both_memory_peak(b, held), a, last);
}

/* What was due to the activation's function is settled already. */
static inline void end_activation(const struct path *path, struct heap *heap,
                                  const struct activation *a, struct heap_moment last)
{
    struct holding *held = pages_place(&heap->figures.inclusive, a->function, sizeof *held);
    const struct both *b = NULL;

    held->ended++;
    if (heap->mapped)
        b = pages_find(&heap->mapped->inclusive, a->function, sizeof *b);
    if (b && both_is_used(b)) {
        leave_spans(path, heap, held, b, a, last);
    } else if (contains(path, a, &held->peak)) {
        leave_span(path, &heap->figures.spans, SERIES_HEAP, held->peak, a, last);
        if (heap->mapped)
            leave_span(path, &heap->mapped->spans, SERIES_MEMORY, held->peak, a, last);
    }
}

/* Ends the activations from number `from` on. */
static void end_activations(struct path *path, struct heap *heap, uint32_t from,
                            struct heap_moment last)
{
    for (uint32_t i = from; i < path->activation_count; i++)
        if (path->activations[i].outermost)
            end_activation(path, heap, &path->activations[i], last);
    path->activation_count = from;
}

/* How many logical frames of two locations are of the same function, from the outermost inwards. */
static uint32_t common_frames(const struct tree *tree, uint32_t old_node, uint32_t new_node)
{
    const struct stack_node *a = &tree->nodes[old_node], *b = &tree->nodes[new_node];
    const struct frame *frames = tree->image->frames;
    uint32_t old_end = a->frame_first + a->frame_count, new_end = b->frame_first + b->frame_count;
    uint32_t common = 0;

    while (common < a->frame_count && common < b->frame_count &&
           frames[old_end - 1 - common].function == frames[new_end - 1 - common].function)
        common++;
    return common;
}

/* Adds the activations of one physical frame except its `present` outermost ones, which are already
 * there. There is room for them. */
static inline void begin_activations(struct path *path, const struct tree *tree,
                                     struct path_step *step, uint32_t present,
                                     struct heap_moment now)
{
    const struct stack_node *node = &tree->nodes[step->node];
    if (node->frame_count == present) { /* perhaps no frame is known at all */
        step->activations = path->activation_count;
        return;
    }
    const struct frame *frames = tree->image->frames + node->frame_first;
    struct activation *a = path->activations + path->activation_count;
    uint64_t fresh = node->fresh;

    for (uint32_t i = node->frame_count - present; i-- > 0; a++) {
        a->begin = now;
        a->function = frames[i].function;
        a->outermost = fresh >> i & 1;
    }
    step->activations = path->activation_count = (uint32_t)(a - path->activations);
}

static void make_room(struct path *path)
{
    size_t wanted =
        path->activation_count + (size_t)(path->depth - path->kept) * LOCATION_FRAMES_MAX;
    if (wanted > path->activation_capacity)
        path->activations =
            xgrow(path->activations, &path->activation_capacity, wanted, sizeof *path->activations);
}

void path_end(struct path *path, const struct tree *tree, struct heap *heap, struct heap_moment now,
              struct heap_moment shown)
{
    if (path->closed)
        path->kept = path->pivot = 0;
    else if (path->kept == path->depth && path->depth == path->old_depth)
        return;
    uint32_t below = path->kept ? path->steps[path->kept - 1].activations : 0;
    uint32_t common = 0;
    if (path->pivot)
        common = common_frames(tree, path->pivot, path->steps[path->kept].node);
    figures_settle(&heap->figures, tree,
                   path->kept ? tree->nodes[path->steps[path->kept - 1].node].calls : 0);
    end_activations(path, heap, below + common, shown);
    make_room(path);
    for (uint32_t i = path->kept; i < path->depth; i++, common = 0)
        begin_activations(path, tree, &path->steps[i], common, now);
    path->closed = 0;
}

/* How many activations are sure to last as long as the thread: the start frames, and the function
 * that they call. */
static uint32_t count_outermost(const struct path *path, const struct tree *tree)
{
    uint32_t i = 0;
    while (i < path->activation_count &&
           tree->image->functions[path->activations[i].function].flags & FUNCTION_START)
        i++;
    return i < path->activation_count ? i + 1 : i;
}

void path_close(struct path *path, const struct tree *tree, struct heap *heap,
                struct heap_moment shown, struct heap_moment last)
{
    figures_settle(&heap->figures, tree, 0);
    end_activations(path, heap, count_outermost(path, tree), shown);
    end_activations(path, heap, 0, last);
    path->closed = 1;
}

void path_clear(struct path *path)
{
    free(path->steps);
    free(path->activations);
    memset(path, 0, sizeof *path);
}
