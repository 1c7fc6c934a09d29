/* rebuild.c - see rebuild.h. */
#include "rebuild.h"

#include <stdlib.h>

#include "heap.h"
#include "intmap.h"
#include "reader_parts.h"
#include "spans.h"
#include "xalloc.h"

struct thread { /* of the process being rebuilt */
    size_t index;
    struct path path;
    struct heap_moment last;  /* its previous event */
    struct heap_moment shown; /* the same with a stack */
};

struct allocation_times {
    uint64_t first_ns, last_ns;
};

struct rebuild {
    const struct event_class *classes;
    int owners_told;     /* the file says which block a free takes, and so whose it was */
    struct image shadow; /* the image with a stack tree of our own, for the model */
    struct tree tree;
    uint32_t *nodes;  /* the tree's node of each stack of the file */
    uint32_t *stacks; /* and the other way round */
    struct heap heap;
    struct quality quality;
    struct allocation_times *times, *mapped_times; /* by node */
    struct thread **threads;
    size_t thread_count, thread_capacity;
    struct intmap thread_of; /* serial + 1 -> number in threads + 1 */
    struct intmap mapped_of; /* class << 32 | account -> its bytes of mapped memory + 1 */
    int unsettled;           /* the last event was the first part of a step */
    struct event unsettled_event;
    uint32_t *locations; /* scratch: those of one stack, innermost first */
    size_t location_capacity;
};

/* The model grows a tree of its own, so the file's stacks are planted anew. */
static void plant_tree(struct rebuild *b, const struct image *image)
{
    b->shadow = *image;
    b->shadow.stacks = NULL;
    b->shadow.stack_count = 0;
    tree_init(&b->tree, &b->shadow);
    b->nodes = xcalloc(image->stack_count + 1, sizeof *b->nodes);
    b->stacks = xcalloc(image->stack_count + 1, sizeof *b->stacks);
    b->times = xcalloc(image->stack_count + 1, sizeof *b->times);
    b->mapped_times = xcalloc(image->stack_count + 1, sizeof *b->mapped_times);
    for (uint32_t i = 1; i < image->stack_count; i++) {
        uint32_t node =
            tree_child(&b->tree, b->nodes[image->stacks[i].parent], image->stacks[i].location);
        b->nodes[i] = node;
        if (b->stacks[node] == 0)
            b->stacks[node] = i;
    }
}

static struct thread *thread_of(struct rebuild *b, uint32_t serial, uint64_t ns)
{
    uint64_t *number = intmap_place(&b->thread_of, (uint64_t)serial + 1);
    if (*number == 0) {
        b->threads =
            xgrow(b->threads, &b->thread_capacity, b->thread_count + 1, sizeof *b->threads);
        struct thread *new = xcalloc(1, sizeof *new);
        new->index = b->thread_count;
        new->path.thread = serial;
        new->path.who = (uint32_t)b->thread_count + 1;
        b->threads[b->thread_count++] = new;
        *number = b->thread_count;
        if (b->owners_told)
            threads_meet(&b->heap, new->index, &(struct thread_facts){.serial = serial}, ns);
    }
    return b->threads[*number - 1];
}

/* The thread now allocates at `node`. */
static void change_path(struct rebuild *b, struct thread *t, uint32_t node, uint64_t ns)
{
    size_t depth = 0;
    for (uint32_t n = node; n != 0; n = b->shadow.stacks[n].parent) {
        b->locations = xgrow(b->locations, &b->location_capacity, depth + 1, sizeof *b->locations);
        b->locations[depth++] = b->shadow.stacks[n].location;
    }
    path_begin(&t->path, 0, 1);
    while (depth-- > 0)
        path_push(&t->path, &b->tree, b->locations[depth]);
    struct heap_moment now = {ns, b->heap.live_bytes, b->heap.mapped_bytes};
    path_end(&t->path, &b->tree, &b->heap, now, t->shown);
}

static void apply_allocation(struct rebuild *b, const struct event *e, struct thread *t)
{
    uint32_t node = b->nodes[b->classes[e->class].stack];
    if (path_leaf(&t->path) != node)
        change_path(b, t, node, e->ns);
    heap_allocate(&b->heap, &b->tree, tree_charge(&b->tree, node), e->bytes,
                  (struct instant){e->ns, t->path.who}, threads_account(t->index));
    figures_count(&b->heap.figures, node,
                  &(struct stack_figures){.allocations = 1,
                                          .allocated_bytes = e->bytes,
                                          .live_blocks = 1,
                                          .live_bytes = e->bytes});
    heap_settle(&b->heap, e->ns);
    if (figures_stack(&b->heap.figures, node)->live_blocks == 1)
        b->times[node].first_ns = e->ns;
    b->times[node].last_ns = e->ns;
    b->quality.truncated_stacks += node == 0 || b->tree.nodes[node].truncated;
}

static void apply_free(struct rebuild *b, const struct event *e)
{
    uint32_t node = b->nodes[b->classes[e->class].stack];
    struct stack_figures less = {.live_blocks = -1ull, .live_bytes = 0 - e->bytes};
    uint32_t owner = threads_account(thread_of(b, e->owner, e->ns)->index);
    heap_release(&b->heap, &b->tree, tree_charge(&b->tree, node), e->bytes, owner);
    if (e->kind == EVENT_FREE_IMPLIED)
        b->quality.implied_frees++;
    else
        b->heap.totals.frees++;
    if (e->kind == EVENT_FREE_TEMPORARY) {
        heap_temporary(&b->heap, owner);
        less.temporary = 1;
    }
    figures_count(&b->heap.figures, node, &less);
    b->unsettled = e->kind == EVENT_REALLOC_FREE || e->kind == EVENT_FREE_IMPLIED;
    b->unsettled_event = *e;
    if (!b->unsettled)
        heap_settle(&b->heap, e->ns);
}

static void note_mapping(struct rebuild *b, uint32_t node, uint64_t ns)
{
    const struct figures *mapped = b->heap.mapped ? &b->heap.mapped->figures : NULL;
    if (!mapped || figures_stack(mapped, node)->live_bytes == 0)
        b->mapped_times[node].first_ns = ns;
    b->mapped_times[node].last_ns = ns;
}

static uint64_t mapped_key(uint32_t class, uint32_t account)
{
    return (uint64_t) class << 32 | account;
}

static void apply_map(struct rebuild *b, const struct event *e, struct thread *t)
{
    uint32_t node = b->nodes[b->classes[e->class].stack], account = threads_account(t->index);
    uint64_t *mapped = intmap_place(&b->mapped_of, mapped_key(e->class, account));
    *mapped += e->bytes + (*mapped == 0);
    if (path_leaf(&t->path) != node)
        change_path(b, t, node, e->ns);
    note_mapping(b, node, e->ns);
    heap_map(&b->heap, &b->tree, node, e->bytes, (struct instant){e->ns, t->path.who}, account);
}

/* Takes up to `bytes` of the class from the account; returns how many it had. */
static uint64_t unmap_of(struct rebuild *b, uint32_t class, uint32_t account, uint64_t bytes)
{
    uint64_t had = intmap_get(&b->mapped_of, mapped_key(class, account));
    uint64_t part = had > bytes ? bytes : had > 0 ? had - 1 : 0;
    if (part == 0)
        return 0;
    *intmap_place(&b->mapped_of, mapped_key(class, account)) -= part;
    heap_unmap(&b->heap, &b->tree, b->nodes[b->classes[class].stack], part, account);
    return part;
}

/* What goes is of who had mapped it, whoever unmaps it. Events do not tell who that was: it is
 * certain where one thread has memory of the class, else the one that unmaps comes first. */
static void apply_unmap(struct rebuild *b, const struct event *e, const struct thread *t)
{
    uint32_t last = threads_account(b->thread_count - 1);
    uint64_t left = e->bytes - unmap_of(b, e->class, threads_account(t->index), e->bytes);
    for (uint32_t i = 0; i <= last && left > 0; i++)
        left -= unmap_of(b, e->class, i, left);
}

static void apply_mapping(struct rebuild *b, const struct event *e, struct thread *t)
{
    if (e->kind == EVENT_MAP)
        apply_map(b, e, t);
    else
        apply_unmap(b, e, t);
    heap_settle_mapped(&b->heap, e->ns);
}

/* A realloc's halves are one step, and so are an allocation and the free that it implies: between
 * them nothing is settled. */
static void settle_before(struct rebuild *b, const struct event *next)
{
    int same_step = next != NULL && next->thread == b->unsettled_event.thread &&
                    (next->kind == EVENT_ALLOC || next->kind == EVENT_REALLOC_FREE);
    if (b->unsettled && !same_step)
        heap_settle(&b->heap, b->unsettled_event.ns);
    b->unsettled = 0;
}

static void apply(struct rebuild *b, const struct event *e)
{
    struct thread *t = thread_of(b, e->thread, e->ns);
    settle_before(b, e);
    switch (e->kind) {
    case EVENT_ALLOC:
        apply_allocation(b, e, t);
        break;
    case EVENT_FREE:
    case EVENT_FREE_TEMPORARY:
    case EVENT_REALLOC_FREE:
    case EVENT_FREE_IMPLIED:
        apply_free(b, e);
        break;
    case EVENT_FREE_INHERITED:
        b->heap.totals.frees++;
        b->quality.inherited++;
        break;
    case EVENT_FREE_UNMATCHED:
        b->heap.totals.frees++;
        b->quality.unmatched_frees++;
        break;
    case EVENT_MAP:
    case EVENT_UNMAP:
        apply_mapping(b, e, t);
        break;
    }
    t->last = (struct heap_moment){e->ns, b->heap.live_bytes, b->heap.mapped_bytes};
    if (e->kind == EVENT_ALLOC || e->kind == EVENT_MAP)
        t->shown = t->last;
    threads_seen(&b->heap.threads, threads_account(t->index), e->ns);
}

/* What is still live of mapped memory counts as one piece for each stack: the events do not tell
 * the pieces apart. */
static void count_pieces(struct rebuild *b)
{
    const struct figures *f = b->heap.mapped ? &b->heap.mapped->figures : NULL;
    for (uint32_t i = 0; f && i < pages_end(&f->stacks); i++)
        if (figures_stack(f, i)->live_bytes > 0)
            heap_live_piece(&b->heap, i, UINT32_MAX);
}

/* The stacks with something live, the biggest first. */
static struct leak *list_leaks(const struct rebuild *b, const struct figures *f,
                               const struct allocation_times *times, size_t *count)
{
    size_t most = 0;
    for (uint32_t i = 0; i < pages_end(&f->stacks); i++)
        most += figures_stack(f, i)->live_blocks > 0;
    struct leak *leaks = arena_take(b->shadow.memory, (most + 1) * sizeof *leaks);
    for (uint32_t i = 0; i < pages_end(&f->stacks); i++) {
        if (figures_stack(f, i)->live_blocks == 0)
            continue;
        leaks[(*count)++] = (struct leak){.stack = b->stacks[i],
                                          .blocks = figures_stack(f, i)->live_blocks,
                                          .bytes = figures_stack(f, i)->live_bytes,
                                          .first_ns = times[i].first_ns,
                                          .last_ns = times[i].last_ns};
    }
    qsort(leaks, *count, sizeof *leaks, leaks_biggest_first);
    return leaks;
}

static void fill_leaks(struct rebuild *b, struct process *process)
{
    process->leaks = list_leaks(b, &b->heap.figures, b->times, &process->leak_count);
    if (b->heap.mapped)
        process->mapped_leaks =
            list_leaks(b, &b->heap.mapped->figures, b->mapped_times, &process->mapped_leak_count);
}

static int has_allocated(const struct rebuild *b, uint32_t stack)
{
    return figures_stack(&b->heap.figures, stack)->allocations > 0 ||
           (b->heap.mapped && figures_stack(&b->heap.mapped->figures, stack)->allocations > 0);
}

/* Locations without a name on the stacks of allocations, each once. */
static uint64_t count_unresolved(const struct rebuild *b)
{
    const struct image *image = &b->shadow;
    uint8_t *seen_stack = xcalloc(image->stack_count + 1, 1);
    uint8_t *seen_location = xcalloc(image->location_count + 1, 1);
    uint64_t count = 0;
    for (uint32_t i = 0; i < image->stack_count; i++) {
        uint32_t node = has_allocated(b, i) ? i : 0;
        for (; node != 0 && !seen_stack[node]; node = image->stacks[node].parent) {
            uint32_t number = image->stacks[node].location;
            const struct location *l = &image->locations[number];
            seen_stack[node] = 1;
            if (seen_location[number] || l->frame_count == 0)
                continue;
            seen_location[number] = 1;
            uint32_t function = image->frames[l->frame_first].function;
            count += !(image->functions[function].flags & FUNCTION_RESOLVED);
        }
    }
    free(seen_stack);
    free(seen_location);
    return count;
}

static void fill_process(struct rebuild *b, struct process *process)
{
    count_pieces(b);
    heap_fill(&b->heap, &b->tree, process, 1);
    fill_leaks(b, process);
    b->quality.unresolved_frames = count_unresolved(b);
    process->quality = b->quality;
    process->thread_count = (uint32_t)b->thread_count;
}

static void clear(struct rebuild *b)
{
    for (size_t i = 0; i < b->thread_count; i++) {
        path_clear(&b->threads[i]->path);
        free(b->threads[i]);
    }
    free(b->threads);
    free(b->nodes);
    free(b->stacks);
    free(b->times);
    free(b->mapped_times);
    free(b->locations);
    intmap_clear(&b->thread_of);
    intmap_clear(&b->mapped_of);
    heap_clear(&b->heap);
    tree_clear(&b->tree);
}

/* The initial thread's outermost functions last as long as the process, as far as it is left. */
static void close_paths(struct rebuild *b, uint64_t end_ns)
{
    struct heap_moment end = {end_ns, b->heap.live_bytes, b->heap.mapped_bytes};

    for (size_t i = 0; i < b->thread_count; i++) {
        struct thread *t = b->threads[i];
        path_close(&t->path, &b->tree, &b->heap, t->shown, t->path.thread == 0 ? end : t->last);
    }
}

void rebuild_process(struct reader *r, struct process *process)
{
    struct rebuild b = {0};
    struct event e;
    size_t class_count;
    process->left = FIGURES_NONE;
    if (reader_seek(r, process->serial, 0) != 0)
        return;
    b.classes = reader_classes(r, &class_count);
    if (reader_next(r, &e) <= 0)
        return;
    process->left = FIGURES_OF_EVENTS;
    b.owners_told = reader_names_blocks(r);
    plant_tree(&b, reader_image(r));
    process->begin_ns = process->serial == 0 ? 0 : e.ns;
    timeline_add(&b.heap.timeline, process->begin_ns, 0);
    do {
        process->end_ns = e.ns;
        apply(&b, &e);
    } while (reader_next(r, &e) > 0);
    settle_before(&b, NULL);
    close_paths(&b, process->end_ns);
    fill_process(&b, process);
    clear(&b);
}
