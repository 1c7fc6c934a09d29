/* match.c - which block is freed by what. */
#include "match.h"
#include "spool_decode.h"
#include "xalloc.h"

#include <string.h>

static void emit(struct matcher *m, const struct lane *lane, enum event_kind kind, uint32_t class,
                 uint64_t ns, uint64_t bytes)
{
    struct event e = {
        .kind = kind, .thread = lane->path.thread, .class = class, .ns = ns, .bytes = bytes};
    m->emit(m->context, lane->subject, &e);
}

/* ---- the heap ---- */

static struct last_allocation *last_of(struct lane *lane)
{
    return lane->has_thread ? &lane->subject->threads[lane->thread] : NULL;
}

static void forget_last(struct lane *lane)
{
    if (last_of(lane))
        last_of(lane)->valid = 0;
}

/* Was the allocation of this block the heap event before of the thread that frees it now? */
static int is_temporary(struct lane *lane, uint64_t address, const struct block *block)
{
    const struct last_allocation *last = last_of(lane);

    return last && last->valid && last->address == address && last->ns == block->ns &&
           block->thread == (uint16_t)lane->path.thread;
}

/* A block that has left the live table. kind: what to call it where it is the process's own. */
static void block_gone(struct matcher *m, struct lane *lane, const struct block *block,
                       enum event_kind kind, uint64_t ns)
{
    struct subject *s = lane->subject;
    struct event_class class = m->classes->list[block->class];

    if (is_inherited(s, block)) {
        emit(m, lane, EVENT_FREE_INHERITED, block->class, ns, class.size);
        s->inherited_freed++;
        s->quality.inherited_bytes -= class.size;
        return;
    }
    emit(m, lane, kind, block->class, ns, class.size);
    if (kind == EVENT_FREE_TEMPORARY) {
        s->heap.totals.temporary++;
        figures_temporary(&s->heap.figures, class.stack);
    }
    heap_release(&s->heap, m->tree, class.stack, class.size);
}

static void unmatched(struct matcher *m, struct lane *lane, uint64_t ns)
{
    emit(m, lane, EVENT_FREE_UNMATCHED, 0, ns, 0);
    lane->subject->quality.unmatched_frees++;
}

/* Takes in what only seems to come later. Time has gone on then. */
static void take_ahead(struct matcher *m, struct lane *lane, enum order_wanted wanted,
                       uint64_t address, uint64_t *ns)
{
    m->find(m->context, lane, wanted, address);
    if (*ns < lane->subject->last_ns)
        *ns = lane->subject->last_ns;
}

/* The address is about to become live: if it is already, the free was not seen. */
static void make_free(struct matcher *m, struct lane *lane, uint64_t address, uint64_t *ns)
{
    struct subject *s = lane->subject;
    struct block block;

    if (__builtin_expect(!live_find(s->live, address), 1))
        return;
    take_ahead(m, lane, ORDER_RELEASE, address, ns);
    if (!live_remove(s->live, address, &block))
        return;
    s->quality.implied_frees++;
    block_gone(m, lane, &block, EVENT_FREE_IMPLIED, *ns);
}

static void allocate(struct matcher *m, struct lane *lane, uint64_t address, uint64_t size,
                     uint64_t ns)
{
    struct subject *s = lane->subject;
    uint32_t stack = path_leaf(&lane->path);
    struct block block = {.ns = ns,
                          .class = classes_find(m->classes, stack, size),
                          .generation = s->generation,
                          .thread = (uint16_t)lane->path.thread};

    emit(m, lane, EVENT_ALLOC, block.class, ns, size);
    live_insert(s->live, address, block);
    heap_allocate(&s->heap, m->tree, stack, size, (struct instant){ns, lane->path.who});
    heap_settle(&s->heap, ns);
    s->quality.truncated_stacks += stack == 0 || m->tree->nodes[stack].truncated;
    if (last_of(lane))
        *last_of(lane) = (struct last_allocation){address, ns, 1};
}

/* A free of a block that another lane's unfinished realloc holds: that realloc never came back. */
static int take_pending(struct subject *s, uint64_t address, struct block *block)
{
    for (size_t i = 0; i < s->lane_count; i++) {
        struct lane *lane = s->lanes[i];
        if (lane->realloc_open && lane->realloc_block.class && lane->realloc_address == address) {
            *block = lane->realloc_block;
            lane->realloc_open = 0;
            return 1;
        }
    }
    return 0;
}

/* Takes the block that is to be freed or reallocated out of the table; 0: there is none. */
static int take_block(struct matcher *m, struct lane *lane, uint64_t address, struct block *block,
                      uint64_t *ns)
{
    struct subject *s = lane->subject;

    if (__builtin_expect(live_remove(s->live, address, block), 1))
        return 1;
    take_ahead(m, lane, ORDER_ACQUIRE, address, ns);
    return live_remove(s->live, address, block) || take_pending(s, address, block);
}

static void match_free(struct matcher *m, struct lane *lane, uint64_t address, uint64_t ns)
{
    struct subject *s = lane->subject;
    struct block block;

    s->heap.totals.frees++;
    if (take_block(m, lane, address, &block, &ns)) {
        int temporary = is_temporary(lane, address, &block);
        block_gone(m, lane, &block, temporary ? EVENT_FREE_TEMPORARY : EVENT_FREE, ns);
        heap_settle(&s->heap, ns);
    } else {
        unmatched(m, lane, ns);
    }
    forget_last(lane);
}

static void realloc_begin(struct matcher *m, struct lane *lane, uint64_t address, uint64_t ns)
{
    lane_put_back_block(lane); /* one that never ended */
    lane->realloc_block = (struct block){0};
    take_block(m, lane, address, &lane->realloc_block, &ns);
    lane->realloc_open = 1;
    lane->realloc_address = address;
}

/* The releasing half of a realloc that succeeded. */
static void realloc_release(struct matcher *m, struct lane *lane, uint64_t ns)
{
    lane->subject->heap.totals.frees++;
    if (lane->realloc_open && lane->realloc_block.class)
        block_gone(m, lane, &lane->realloc_block, EVENT_REALLOC_FREE, ns);
    else
        unmatched(m, lane, ns);
    lane->realloc_open = 0;
}

static void match_heap(struct matcher *m, struct lane *lane, const struct spool_event *e,
                       uint64_t ns)
{
    switch (e->kind) {
    case SPOOL_ALLOC:
        make_free(m, lane, e->address, &ns);
        allocate(m, lane, e->address, e->size, ns);
        break;
    case SPOOL_FREE:
        match_free(m, lane, e->address, ns);
        break;
    case SPOOL_REALLOC_BEGIN:
        realloc_begin(m, lane, e->address, ns);
        break;
    case SPOOL_REALLOC_MOVED:
        make_free(m, lane, e->address, &ns);
        realloc_release(m, lane, ns);
        allocate(m, lane, e->address, e->size, ns);
        break;
    case SPOOL_REALLOC_FAILED:
        lane_put_back_block(lane);
        break;
    default: /* SPOOL_REALLOC_FREED */
        realloc_release(m, lane, ns);
        heap_settle(&lane->subject->heap, ns);
        forget_last(lane);
        break;
    }
}

/* ---- ranges ---- */

/* Parts that are unmapped now. */
static void ranges_gone(struct matcher *m, struct lane *lane, const struct ranges *parts,
                        uint64_t ns)
{
    for (size_t i = 0; i < parts->count; i++) {
        uint64_t bytes = parts->list[i].end - parts->list[i].begin;
        emit(m, lane, EVENT_UNMAP, parts->list[i].class, ns, bytes);
        heap_unmap(&lane->subject->heap, bytes);
    }
}

static void range_begin(struct lane *lane, const struct spool_event *e)
{
    struct range range = range_of_pages(e->address, e->size);

    lane_put_back_ranges(lane); /* one that never ended */
    lane->range_open = 1;
    ranges_take(&lane->subject->mapped, range.begin, range.end, &lane->dropping);
}

static void range_dropped(struct matcher *m, struct lane *lane, uint64_t ns)
{
    ranges_gone(m, lane, &lane->dropping, ns);
    lane->dropping.count = 0;
    lane->range_open = 0;
}

static void range_map(struct matcher *m, struct lane *lane, const struct spool_event *e,
                      uint64_t ns)
{
    struct subject *s = lane->subject;
    struct range range = range_of_pages(e->address, e->size);
    struct ranges under = {0};
    uint64_t bytes = range.end - range.begin;

    s->heap.totals.unmaps += lane->range_open && lane->dropping.count > 0;
    range_dropped(m, lane, ns);
    ranges_take(&s->mapped, range.begin, range.end, &under); /* its unmap was not seen */
    ranges_gone(m, lane, &under, ns);
    ranges_clear(&under);
    range.class = classes_find(m->classes, path_leaf(&lane->path), bytes);
    emit(m, lane, EVENT_MAP, range.class, ns, bytes);
    ranges_add(&s->mapped, range);
    heap_map(&s->heap, bytes);
    s->heap.totals.maps++;
}

static void match_range(struct matcher *m, struct lane *lane, const struct spool_event *e,
                        uint64_t ns)
{
    struct heap *heap = &lane->subject->heap;

    switch (e->kind) {
    case SPOOL_RANGE_BEGIN:
        range_begin(lane, e);
        return;
    case SPOOL_RANGE_FAILED:
        lane_put_back_ranges(lane);
        return;
    case SPOOL_RANGE_MAP:
        range_map(m, lane, e, ns);
        break;
    default: /* SPOOL_RANGE_DROPPED */
        heap->totals.unmaps++;
        range_dropped(m, lane, ns);
        break;
    }
    heap_settle_mapped(heap, ns);
}

/* ---- the stack ---- */

static void change_path(struct matcher *m, struct lane *lane, const struct spool_event *e,
                        uint64_t ns)
{
    struct heap *heap = &lane->subject->heap;
    const uint8_t *p = e->frames;

    if (lane->restarts)
        lane->node_count = 0;
    if (e->from_node) /* one that the chunk does not have is the empty stack */
        path_rebase(&lane->path, m->tree, e->base < lane->node_count ? lane->nodes[e->base] : 0);
    else
        path_begin(&lane->path, e->base, lane->restarts);
    lane->restarts = 0;
    lane->nodes =
        xgrow(lane->nodes, &lane->node_capacity, lane->node_count + e->push, sizeof *lane->nodes);
    for (uint32_t i = 0; i < e->push; i++) {
        uint32_t id;
        uint64_t pc = 0;
        p = spool_next_frame(p, &id, &pc);
        path_push(&lane->path, m->tree, locations_find(m->locations, id, pc));
        lane->nodes[lane->node_count++] = path_leaf(&lane->path);
    }
    path_end(&lane->path, m->tree, &heap->figures, (struct heap_moment){ns, heap->live_bytes},
             lane->last);
}

void match_event(struct matcher *m, struct lane *lane, const struct spool_event *e, uint64_t ns)
{
    struct subject *s = lane->subject;

    if (ns < s->last_ns)
        ns = s->last_ns;
    s->last_ns = ns;
    if (e->has_stack)
        change_path(m, lane, e, ns);
    if (e->kind >= SPOOL_ALLOC && e->kind <= SPOOL_REALLOC_FREED)
        match_heap(m, lane, e, ns);
    else if (e->kind >= SPOOL_RANGE_BEGIN && e->kind <= SPOOL_RANGE_FAILED)
        match_range(m, lane, e, ns);
    else
        return;
    lane->last = (struct heap_moment){s->last_ns, s->heap.live_bytes};
}
