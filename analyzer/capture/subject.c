/* subject.c - a process while it is being collected: beginning, lanes, closing. */
#include "subject.h"
#include "live_at_end.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

struct subject *subject_new(uint32_t serial)
{
    struct subject *s = xcalloc(1, sizeof *s);
    s->serial = serial;
    return s;
}

/* Blocks between a REALLOC_BEGIN and its end are in no table, but are in the parent's memory. The
 * child goes on with those of the thread that forks (interrupted.h). */
static void inherit_pending(struct subject *s, const struct subject *parent)
{
    for (size_t i = 0; i < parent->lane_count; i++) {
        const struct lane *lane = parent->lanes[i];
        if (!lane->realloc_open || !lane->realloc_block || interrupted_is_forker(s, lane) ||
            live_find(s->live, lane->realloc_address))
            continue;
        live_insert(s->live, lane->realloc_address,
                    subject_block_in_child(parent, lane->realloc_block));
    }
}

void subject_begin(struct subject *s, struct subject *parent, uint64_t ns, int with_blocks)
{
    s->begun = 1;
    s->begin_ns = s->last_ns = ns;
    if (parent && parent->begun) {
        s->parent = parent->serial;
        uint64_t still_inherited = parent->quality.inherited - parent->inherited_freed;
        s->quality.inherited = parent->heap.live_blocks + still_inherited;
        s->quality.inherited_bytes = parent->heap.live_bytes + parent->quality.inherited_bytes;
    }
    if (with_blocks && parent && parent->live) {
        s->live = live_fork(parent->live, &s->blocks);
        inherit_pending(s, parent);
        ranges_inherit(&s->mapped, &parent->mapped);
        ranges_inherit(&s->known, &parent->known);
        interrupted_inherit(s, parent);
    }
    if (!s->live)
        s->live = live_new(&s->blocks);
    timeline_add(&s->heap.timeline, ns, 0);
}

void subject_forget_inherited(struct subject *s)
{
    live_free(s->live);
    s->live = NULL;
}

struct lane *subject_lane(struct subject *s, uint32_t stream, uint32_t who)
{
    struct lane *lane = xcalloc(1, sizeof *lane);

    lane->subject = s;
    lane->stream = stream;
    lane->path.who = who;
    s->lanes = xgrow(s->lanes, &s->lane_capacity, s->lane_count + 1, sizeof *s->lanes);
    s->lanes[s->lane_count++] = lane;
    return lane;
}

/* Its first events may come before its storage is ready: then it has a second serial. */
static int is_initial(const struct subject *s, const struct thread_facts *facts)
{
    return facts->serial == 0 || (facts->tid > 0 && facts->tid == s->entry.pid);
}

static void change_thread(struct lane *lane, struct tree *tree, const struct thread_facts *facts)
{
    struct subject *s = lane->subject;
    uint32_t serial = facts->serial;

    if (lane->has_thread)
        threads_seen(&s->heap.threads, threads_account(lane->thread), lane->last.ns);
    lane_put_back_block(lane);
    path_close(&lane->path, tree, &s->heap, lane->shown, lane->last);
    uint64_t *number = intmap_place(&s->thread_numbers, serial);
    if (!*number) {
        s->threads =
            xgrow(s->threads, &s->thread_capacity, s->thread_count + 1, sizeof *s->threads);
        *number = ++s->thread_count;
    }
    lane->thread = *number - 1;
    lane->path.thread = serial;
    lane->is_initial = is_initial(s, facts);
    lane->has_thread = 1;
}

void lane_thread(struct lane *lane, struct tree *tree, const struct thread_facts *facts,
                 uint64_t ns)
{
    if (!lane->has_thread || lane->path.thread != facts->serial)
        change_thread(lane, tree, facts);
    threads_meet(&lane->subject->heap, lane->thread, facts, ns);
}

void subject_thread_name(struct subject *s, const struct thread_facts *facts, uint64_t ns)
{
    uint64_t number = intmap_get(&s->thread_numbers, facts->serial);

    if (number)
        threads_meet(&s->heap, number - 1, facts, ns);
}

void lane_put_back_block(struct lane *lane)
{
    if (lane->realloc_open && !lane->realloc_block)
        early_realloc_ends(&lane->subject->early, lane, 1);
    if (lane->realloc_open && lane->realloc_block &&
        !live_find(lane->subject->live, lane->realloc_address))
        live_insert(lane->subject->live, lane->realloc_address, lane->realloc_block);
    lane->realloc_open = 0;
}

/* ---- the end ---- */

/* main is on the initial thread's stack until the process is over. Nobody sees when the function
 * that another thread runs in returns: of that its own last event is known. */
static struct heap_moment end_of(const struct lane *lane)
{
    const struct subject *s = lane->subject;

    if (!lane->is_initial)
        return lane->last;
    return (struct heap_moment){s->last_ns, s->heap.live_bytes, s->heap.mapped_bytes};
}

static void close_lanes(struct subject *s, struct tree *tree)
{
    for (size_t i = 0; i < s->lane_count; i++) {
        lane_put_back_block(s->lanes[i]);
        if (s->lanes[i]->has_thread)
            threads_seen(&s->heap.threads, threads_account(s->lanes[i]->thread),
                         s->lanes[i]->last.ns);
        if (!s->lanes[i]->path.closed)
            path_close(&s->lanes[i]->path, tree, &s->heap, s->lanes[i]->shown, end_of(s->lanes[i]));
    }
}

static uint64_t count_on_stacks(const struct figures *f, struct tree *tree)
{
    uint64_t unresolved = 0;

    for (uint32_t stack = figures_next_stack(f, 0); stack != UINT32_MAX;
         stack = figures_next_stack(f, stack + 1))
        unresolved += tree_count_unresolved(tree, stack);
    return unresolved;
}

static uint64_t count_unresolved(const struct subject *s, struct tree *tree)
{
    tree_start_count(tree);
    uint64_t unresolved = count_on_stacks(&s->heap.figures, tree);
    return s->heap.mapped ? unresolved + count_on_stacks(&s->heap.mapped->figures, tree)
                          : unresolved;
}

static void copy_samples(struct subject *s, struct arena *memory, struct process *process)
{
    samples_sort(&s->samples);
    process->samples = arena_take(memory, (s->samples.count + 1) * sizeof *process->samples);
    process->sample_count = s->samples.count;
    for (size_t i = 0; i < s->samples.count; i++)
        process->samples[i] = s->samples.list[i];
    process->totals.rss_peak_bytes = s->samples.highest;
    process->totals.rss_mark_bytes = s->rss_mark;
}

struct own_blocks {
    const struct subject *subject;
    void (*block)(void *context, uint32_t process, uint64_t address, const struct block *block);
    void *context;
};

static void give_own(void *context, uint64_t address, uint32_t block)
{
    const struct own_blocks *own = context;
    if (!(block & LIVE_INHERITED))
        own->block(own->context, own->subject->serial, address, &own->subject->blocks.list[block]);
}

/* Sums the figures of stacks up from those of classes. */
static void count_stacks(struct subject *s, const struct classes *classes)
{
    for (uint32_t i = pages_next(&s->blocks.classes, 0); i < pages_end(&s->blocks.classes);
         i = pages_next(&s->blocks.classes, i + 1)) {
        const struct block_class *c = blocks_class(&s->blocks, i);
        if (c->allocations)
            figures_count(&s->heap.figures, classes->list[i].stack,
                          &(struct stack_figures){
                              .live_bytes = c->live * c->size,
                              .live_blocks = c->live,
                              .allocations = c->allocations,
                              .allocated_bytes = c->allocations * c->size,
                              .temporary = c->temporary,
                          });
    }
}

/* Counts the pieces of mapped memory that are left; unmaps have cut them. */
static void count_pieces(struct subject *s)
{
    const struct range *range = ranges_above(&s->mapped, 0);

    for (; range; range = ranges_above(&s->mapped, range->end)) {
        if (range->kind == RANGE_MEMORY && !range->is_inherited)
            heap_live_piece(&s->heap, range->stack, range->account);
    }
}

static void release_all(struct subject *s)
{
    for (size_t i = 0; i < s->lane_count; i++) {
        path_clear(&s->lanes[i]->path);
        free(s->lanes[i]->nodes);
        drops_clear(&s->lanes[i]->drops);
        free(s->lanes[i]);
    }
    free(s->lanes);
    s->lanes = NULL;
    s->lane_count = s->lane_capacity = 0;
    live_free(s->live);
    s->live = NULL;
    blocks_clear(&s->blocks);
    early_clear(&s->early);
    birth_clear(s);
    interrupted_clear(&s->interrupted);
    free(s->told);
    s->told = NULL;
    s->told_count = s->told_capacity = 0;
    heap_clear(&s->heap);
    failures_clear(&s->failures);
    ranges_clear(&s->mapped);
    ranges_clear(&s->known);
    samples_clear(&s->samples);
    intmap_clear(&s->thread_numbers);
    free(s->threads);
    s->threads = NULL;
}

void subject_close(struct subject *s, struct tree *tree, const struct classes *classes,
                   struct process *process,
                   void (*block)(void *context, uint32_t process, uint64_t address,
                                 const struct block *block),
                   void *context)
{
    /* What is live when a process execs is neither a leak nor live at its end: the memory goes with
     * the image, not by the program's neglect. */
    int kept_live = s->entry.end_kind != SPOOL_END_EXEC;

    if (s->begun && !s->closed) {
        close_lanes(s, tree);
        count_stacks(s, classes);
        count_pieces(s);
        heap_fill(&s->heap, tree, process, kept_live);
        failures_fill(&s->failures, tree->image->memory, process);
        process->begin_ns = s->begin_ns;
        process->end_ns = s->last_ns;
        process->thread_count = (uint32_t)s->thread_count;
        process->quality = s->quality;
        process->quality.unresolved_frames = count_unresolved(s, tree);
        copy_samples(s, tree->image->memory, process);
        if (kept_live) {
            leaks_fill(s, tree->image, classes, process);
            mapped_leaks_fill(s, tree->image, process);
            if (block)
                live_walk(s->live, give_own, &(struct own_blocks){s, block, context});
        }
    }
    release_all(s);
    s->closed = 1;
}

void subject_free(struct subject *s)
{
    if (!s)
        return;
    release_all(s);
    free(s);
}
