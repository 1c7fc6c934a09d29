/* match.c - which block is freed by what: the events of the heap, and the stack. */
#include "match.h"
#include "mappings.h"
#include "spool_decode.h"
#include "xalloc.h"

#include <string.h>

#define TELL_EVENTS 256 /* gathered before they go to the writer */

static const struct block_name no_name = {BLOCK_YOUNGEST, 0};

void match_make_room(struct subject *s)
{
    s->told = xgrow(s->told, &s->told_capacity, TELL_EVENTS + s->told_count, sizeof *s->told);
}

/* ---- the heap ---- */

static uint64_t *last_of(struct lane *lane)
{
    return lane->has_thread ? &lane->subject->threads[lane->thread] : NULL;
}

static void forget_last(struct lane *lane)
{
    if (last_of(lane))
        *last_of(lane) = 0;
}

/* Was this block's allocation the freeing thread's previous heap event? */
static int is_temporary(struct lane *lane, uint32_t block)
{
    const uint64_t *last = last_of(lane);
    return last && !(block & LIVE_INHERITED) && *last == lane->subject->blocks.list[block].number;
}

static void inherited_gone(struct matcher *m, struct lane *lane, uint32_t class, uint64_t ns)
{
    struct subject *s = lane->subject;
    uint64_t size = m->classes->list[class].size;

    match_emit(m, lane, EVENT_FREE_INHERITED, class, ns, size, no_name);
    s->inherited_freed++;
    s->quality.inherited_bytes -= size;
}

/* Accounts for a block that has left the live table. kind: the event's, if the block is the
 * process's own. */
static void block_gone(struct matcher *m, struct lane *lane, uint32_t block, enum event_kind kind,
                       uint64_t ns)
{
    struct subject *s = lane->subject;

    if (block & LIVE_INHERITED) {
        inherited_gone(m, lane, block & ~LIVE_INHERITED, ns);
        return;
    }
    uint32_t class = s->blocks.list[block].class;
    struct block_class *c = blocks_class(&s->blocks, class);
    struct block_name name = no_name;
    if (m->tell)
        name = blocks_name(&s->blocks, c, block);
    match_emit(m, lane, kind, class, ns, c->size, name);
    uint32_t owner = blocks_owner(&s->blocks, block);
    blocks_remove(&s->blocks, c, block);
    heap_release(&s->heap, m->tree, c->charge, c->size, owner);
    if (kind == EVENT_FREE_TEMPORARY) {
        heap_temporary(&s->heap, owner);
        c->temporary++;
    }
}

static void unmatched(struct matcher *m, struct lane *lane, uint64_t ns)
{
    match_emit(m, lane, EVENT_FREE_UNMATCHED, 0, ns, 0, no_name);
    lane->subject->quality.unmatched_frees++;
}

static void implied(struct matcher *m, struct lane *lane, uint32_t block, uint64_t ns)
{
    lane->subject->quality.implied_frees++;
    block_gone(m, lane, block, EVENT_FREE_IMPLIED, ns);
}

/* May the block, another thread's, have been allocated later than its time says? */
static int is_early(const struct lane *lane, uint32_t block, uint64_t ns)
{
    const struct blocks *blocks = &lane->subject->blocks;

    return !(block & LIVE_INHERITED) && ns - blocks->list[block].ns <= EARLY_NS &&
           blocks_owner(blocks, block) != threads_account(lane->thread);
}

/* Makes room at an address that is about to become live. Returns 0 where the event waits for it. */
static int make_room(struct matcher *m, struct lane *lane, uint64_t address, uint64_t ns)
{
    struct subject *s = lane->subject;

    if (__builtin_expect(!live_find(s->live, address), 1))
        return 1;
    if (order_wait(m->order, address))
        return 0;
    uint32_t block = live_remove(s->live, address);
    if (is_early(lane, block, ns))
        early_put_aside(&s->early, address, block, ns);
    else
        implied(m, lane, block, ns);
    return 1;
}

/* The process's record of a class, filled in at its first use. */
static struct block_class *class_of(struct matcher *m, struct subject *s, uint32_t class)
{
    struct block_class *c = blocks_class(&s->blocks, class);

    if (__builtin_expect(!c->is_known, 0)) {
        c->size = m->classes->list[class].size;
        c->charge = tree_charge(m->tree, m->classes->list[class].stack);
        c->is_known = 1;
    }
    return c;
}

/* Gives the block that has come to the address to the earlier release that waits for it, if any. */
static void settle_owed(struct matcher *m, struct lane *lane, uint64_t address, uint64_t ns)
{
    struct subject *s = lane->subject;
    struct owed owed;

    if (!early_settle(&s->early, address, lane, &owed))
        return;
    uint32_t block = live_remove(s->live, address);
    if (owed.is_open) {
        owed.lane->realloc_block = block;
        return;
    }
    block_gone(m, owed.lane, block, owed.is_realloc ? EVENT_REALLOC_FREE : EVENT_FREE, ns);
    heap_settle(&s->heap, ns);
}

static void allocate(struct matcher *m, struct lane *lane, uint64_t address, uint64_t size,
                     uint64_t ns)
{
    struct subject *s = lane->subject;
    uint32_t stack = path_leaf(&lane->path);
    uint32_t class = classes_find(m->classes, stack, size);
    struct block_class *c = class_of(m, s, class);

    size = c->size; /* rounded beyond the bound of classes */
    match_emit(m, lane, EVENT_ALLOC, class, ns, size, no_name);
    uint32_t block = blocks_add(&s->blocks, class, c, ns), owner = threads_account(lane->thread);
    blocks_own(&s->blocks, block, owner);
    live_insert(s->live, address, block);
    heap_allocate(&s->heap, m->tree, c->charge, size, (struct instant){ns, lane->path.who}, owner);
    heap_settle(&s->heap, ns);
    s->quality.truncated_stacks += stack == 0 || m->tree->nodes[stack].truncated;
    if (last_of(lane))
        *last_of(lane) = s->blocks.allocations;
    if (__builtin_expect(s->early.owed_count > 0, 0))
        settle_owed(m, lane, address, ns);
}

/* An allocation has failed: it changes no block, and is no heap event of its thread. */
static void fail(struct lane *lane, uint64_t size, uint64_t ns)
{
    struct failure failure = {path_leaf(&lane->path), 1, size, size, ns, ns};

    lane->subject->heap.totals.failed++;
    failures_add(&lane->subject->failures, &failure);
}

/* Chooses which of two blocks at an address to release: the lane's own, else the one that was there
 * first. Returns it; the other stays in the table. */
static uint32_t choose_released(struct lane *lane, uint64_t address, uint32_t block)
{
    struct subject *s = lane->subject;
    uint32_t aside = early_take_aside(&s->early, address);

    if (!aside)
        return block;
    int own = blocks_owner(&s->blocks, block) == threads_account(lane->thread);
    live_insert(s->live, address, own ? aside : block);
    return own ? block : aside;
}

/* Takes the block that another lane's open realloc holds at the address: that realloc began later
 * than its time says, and is owed the next block there. */
static uint32_t take_held(struct subject *s, uint64_t address, uint64_t ns)
{
    for (size_t i = 0; i < s->lane_count; i++) {
        struct lane *lane = s->lanes[i];
        uint32_t block = lane->realloc_block;
        if (!lane->realloc_open || !block || lane->realloc_address != address)
            continue;
        lane->realloc_block = 0;
        early_owe(&s->early, (struct owed){address, 0, lane, 1, 1, 1}, ns);
        return block;
    }
    return interrupted_take_block(&s->interrupted, address);
}

/* Takes the block to be freed or reallocated out of the table. Returns 0 if there is none. */
static uint32_t take_block(struct matcher *m, struct lane *lane, uint64_t address, uint64_t ns)
{
    struct subject *s = lane->subject;
    uint32_t block = live_remove(s->live, address);

    if (__builtin_expect(block == 0, 0))
        block = take_held(s, address, ns);
    else if (__builtin_expect(s->early.aside_count > 0, 0))
        block = choose_released(lane, address, block);
    if (block && s->has_streams)
        early_note(&s->early, address, ns, lane);
    order_wake(m->order, s->serial, address);
    return block;
}

static void match_free(struct matcher *m, struct lane *lane, uint64_t address, uint64_t ns)
{
    struct subject *s = lane->subject;
    uint32_t block = take_block(m, lane, address, ns);

    s->heap.totals.frees++;
    if (block) {
        int temporary = is_temporary(lane, block);
        block_gone(m, lane, block, temporary ? EVENT_FREE_TEMPORARY : EVENT_FREE, ns);
        heap_settle(&s->heap, ns);
    } else {
        early_owe(&s->early, (struct owed){.address = address, .lane = lane}, ns);
    }
    forget_last(lane);
}

static void realloc_begin(struct matcher *m, struct lane *lane, uint64_t address, uint64_t ns)
{
    struct subject *s = lane->subject;

    lane_put_back_block(lane); /* of a realloc that never ended */
    lane->realloc_block = take_block(m, lane, address, ns);
    lane->realloc_open = 1;
    lane->realloc_address = address;
    if (!lane->realloc_block)
        early_owe(&s->early,
                  (struct owed){.address = address, .lane = lane, .is_realloc = 1, .is_open = 1},
                  ns);
}

/* The releasing half of a realloc that succeeded. */
static void realloc_release(struct matcher *m, struct lane *lane, uint64_t ns)
{
    struct subject *s = lane->subject;

    s->heap.totals.frees++;
    if (lane->realloc_open && lane->realloc_block)
        block_gone(m, lane, lane->realloc_block, EVENT_REALLOC_FREE, ns);
    else if (!lane->realloc_open || !early_realloc_ends(&s->early, lane, 0))
        unmatched(m, lane, ns);
    lane->realloc_open = 0;
}

static int match_heap(struct matcher *m, struct lane *lane, const struct spool_event *e,
                      uint64_t ns)
{
    switch (e->kind) {
    case SPOOL_ALLOC:
        if (__builtin_expect(e->address == 0, 0)) {
            fail(lane, e->size, ns);
            break;
        }
        if (!make_room(m, lane, e->address, ns))
            return 0;
        allocate(m, lane, e->address, e->size, ns);
        break;
    case SPOOL_FREE:
        match_free(m, lane, e->address, ns);
        break;
    case SPOOL_REALLOC_BEGIN:
        realloc_begin(m, lane, e->address, ns);
        break;
    case SPOOL_REALLOC_MOVED:
        if (!make_room(m, lane, e->address, ns))
            return 0;
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
    return 1;
}

/* Gives up on what has waited too long. */
static void expire(struct matcher *m, struct lane *lane, uint64_t ns, uint64_t now)
{
    struct early *early = &lane->subject->early;
    uint32_t block;

    while (early_expired_owed(early, now))
        unmatched(m, lane, ns);
    while ((block = early_expired_aside(early, now)) != 0)
        implied(m, lane, block, ns);
}

void match_end(struct matcher *m, struct lane *lane)
{
    struct subject *s = lane->subject;

    expire(m, lane, s->last_ns, UINT64_MAX);
}

void match_thread(struct matcher *m, struct lane *lane, const struct thread_facts *facts,
                  uint64_t ns)
{
    if (lane->has_thread && lane->path.thread != facts->serial)
        drops_forget(&lane->drops); /* its thread ended within a call */
    lane_thread(lane, m->tree, facts, ns);
}

/* ---- the stack ---- */

static void change_path(struct matcher *m, struct lane *lane, const struct spool_event *e,
                        uint64_t ns)
{
    struct heap *heap = &lane->subject->heap;
    struct heap_moment now = {ns, heap->live_bytes, heap->mapped_bytes};
    const uint8_t *p = e->frames;

    if (lane->restarts)
        lane->node_count = 0;
    if (e->from_node) /* a node that the chunk does not have is the empty stack */
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
    path_end(&lane->path, m->tree, heap, now, lane->shown);
}

/* Flattened: each call of a function on the way costs more than what it does. */
__attribute__((flatten)) int match_event(struct matcher *m, struct lane *lane,
                                         const struct spool_event *e, uint64_t ns)
{
    struct subject *s = lane->subject;

    if (ns < s->last_ns)
        ns = s->last_ns;
    s->last_ns = ns;
    if (__builtin_expect(early_is_busy(&s->early), 0))
        expire(m, lane, ns, ns);
    if (e->has_stack && !lane->resumes)
        change_path(m, lane, e, ns);
    lane->resumes = 0;
    if (__builtin_expect(s->interrupted.count > 0, 0))
        interrupted_resume(lane, e);
    if (e->kind >= SPOOL_ALLOC && e->kind <= SPOOL_REALLOC_FREED)
        lane->resumes = !match_heap(m, lane, e, ns);
    else if (e->kind >= SPOOL_RANGE_BEGIN && e->kind <= SPOOL_RANGE_FAILED)
        mappings_event(m, lane, e, ns);
    else
        return 1;
    if (lane->resumes)
        return 0;
    if (__builtin_expect(s->unborn_count > 0, 0))
        birth_note(lane, e);
    lane->last = (struct heap_moment){s->last_ns, s->heap.live_bytes, s->heap.mapped_bytes};
    if (e->has_stack)
        lane->shown = lane->last;
    if (s->told_count >= TELL_EVENTS)
        m->tell(m->context, s);
    return 1;
}
