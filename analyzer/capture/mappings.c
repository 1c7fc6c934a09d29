/* mappings.c - see mappings.h. */
#include "mappings.h"

#include <sys/mman.h>

/* ---- kinds ---- */

static enum range_kind kind_of_mmap(uint64_t what)
{
    if (!(spool_range_flags(what) & MAP_ANONYMOUS))
        return RANGE_FILE;
    return spool_range_protection(what) & PROT_WRITE ? RANGE_MEMORY : RANGE_RESERVED;
}

/* moved: of what mremap has moved. Older recorders did not say what a range is. */
static enum range_kind kind_of(uint64_t what, enum range_kind moved)
{
    switch (spool_range_call(what)) {
    case SPOOL_RANGE_MMAP:
        return kind_of_mmap(what);
    case SPOOL_RANGE_MOVED:
        return moved;
    case SPOOL_RANGE_VIEW:
        return RANGE_FILE;
    case SPOOL_RANGE_SEGMENT:
        return spool_range_protection(what) & PROT_WRITE ? RANGE_MEMORY : RANGE_FILE;
    default:
        return RANGE_MEMORY;
    }
}

/* ---- going ---- */

static void gone(struct matcher *m, struct lane *lane, const struct range *range, uint64_t ns)
{
    if (range->kind == RANGE_MEMORY && !range->is_inherited)
        match_emit(m, lane, EVENT_UNMAP, range->class, ns, range->end - range->begin,
                   (struct block_name){0});
    heap_drop_range(&lane->subject->heap, m->tree, range);
}

static void all_gone(struct matcher *m, struct lane *lane, const struct ranges *parts, uint64_t ns)
{
    for (size_t i = 0; i < parts->count; i++)
        gone(m, lane, &parts->list[i], ns);
}

void mappings_put_back(struct matcher *m, struct lane *lane)
{
    uint64_t ns = lane->subject->last_ns;
    struct ranges covered = {0};

    for (size_t i = 0; i < lane->dropping.count; i++)
        ranges_put_back(&lane->subject->mapped, lane->dropping.list[i], &covered);
    all_gone(m, lane, &covered, ns);
    if (covered.count)
        heap_settle_mapped(&lane->subject->heap, ns);
    ranges_clear(&covered);
    lane->dropping.count = 0;
    lane->range_open = 0;
}

static void begin(struct matcher *m, struct lane *lane, const struct spool_event *e)
{
    struct ranges *mapped = &lane->subject->mapped;
    struct range range = range_of_pages(e->address, e->size);

    /* What an earlier one took: it never ended, or is of the same mremap to a fixed place, whose
     * mapping takes it anew when it comes. */
    mappings_put_back(m, lane);
    lane->range_open = 1;
    if (e->size == 0)
        ranges_take_segment(mapped, e->address, &lane->dropping);
    else
        ranges_take(mapped, range.begin, range.end, &lane->dropping);
}

static void dropped(struct matcher *m, struct lane *lane, uint64_t ns)
{
    all_gone(m, lane, &lane->dropping, ns);
    lane->dropping.count = 0;
    lane->range_open = 0;
}

/* ---- coming ---- */

/* The range is what its kind says from now on, by the present call. */
static void come(struct matcher *m, struct lane *lane, struct range *range, uint64_t ns)
{
    uint64_t bytes = range->end - range->begin;

    range->stack = path_leaf(&lane->path);
    range->class = classes_find(m->classes, range->stack, bytes);
    range->account = threads_account(lane->thread);
    range->ns = ns;
    range->is_inherited = 0;
    if (range->kind == RANGE_MEMORY)
        match_emit(m, lane, EVENT_MAP, range->class, ns, bytes, (struct block_name){0});
    heap_add_range(&lane->subject->heap, m->tree, range, lane->path.who);
}

/* The kind of what mremap moves; what was mapped before we came is memory. */
static enum range_kind kind_moved(const struct lane *lane)
{
    return lane->dropping.count ? lane->dropping.list[0].kind : RANGE_MEMORY;
}

/* What lies under a new mapping: its unmap was not seen. */
static void clear_under(struct matcher *m, struct lane *lane, const struct range *range,
                        uint64_t ns)
{
    struct ranges under = {0};

    ranges_take(&lane->subject->mapped, range->begin, range->end, &under);
    all_gone(m, lane, &under, ns);
    ranges_clear(&under);
}

static void map(struct matcher *m, struct lane *lane, const struct spool_event *e, uint64_t ns)
{
    struct subject *s = lane->subject;
    struct range range = range_of_pages(e->address, e->size);
    enum spool_range call = spool_range_call(e->extra);

    range.kind = kind_of(e->extra, kind_moved(lane));
    if (call == SPOOL_RANGE_MOVED && spool_range_flags(e->extra) & MREMAP_DONTUNMAP)
        mappings_put_back(m, lane); /* it stays, without its pages */
    s->heap.totals.unmaps += lane->range_open && lane->dropping.count > 0;
    dropped(m, lane, ns);
    clear_under(m, lane, &range, ns);
    range.segment = call == SPOOL_RANGE_SEGMENT ? range.begin : 0;
    come(m, lane, &range, ns);
    ranges_add(&s->mapped, range);
    s->heap.totals.maps++;
}

/* ---- protection ---- */

/* What a range becomes. Once memory, it stays that while there is any access: its pages are kept.
 */
static enum range_kind kind_protected(const struct range *range, unsigned protection)
{
    if (range->kind == RANGE_RESERVED && protection & PROT_WRITE)
        return RANGE_MEMORY;
    if (range->kind == RANGE_MEMORY && protection == PROT_NONE)
        return RANGE_RESERVED;
    return range->kind;
}

/* Turns the part of it in [begin, end) into the other kind. What was memory before the fork counts
 * where it was made that; a reservation that becomes memory counts here. */
static void change(struct matcher *m, struct lane *lane, uint64_t begin, uint64_t end,
                   enum range_kind kind, uint64_t ns)
{
    struct ranges *mapped = &lane->subject->mapped, part = {0};

    if (ranges_take(mapped, begin, end, &part) == 1) {
        struct range range = part.list[0];
        int is_others = range.is_inherited && (range.kind == RANGE_MEMORY || range.lost_access);
        gone(m, lane, &range, ns);
        range.kind = kind;
        range.lost_access = is_others && kind == RANGE_RESERVED;
        if (is_others) {
            ranges_put_back(mapped, range, &part); /* it may be one again with what is around it */
        } else {
            come(m, lane, &range, ns);
            ranges_add(mapped, range);
        }
    }
    ranges_clear(&part);
}

static void protect(struct matcher *m, struct lane *lane, const struct spool_event *e, uint64_t ns)
{
    const struct ranges *mapped = &lane->subject->mapped;
    struct range wanted = range_of_pages(e->address, e->size);
    uint64_t at = wanted.begin;
    size_t i;

    while (at < wanted.end && (i = ranges_above(mapped, at)) < mapped->count &&
           mapped->list[i].begin < wanted.end) {
        struct range range = mapped->list[i];
        enum range_kind kind = kind_protected(&range, spool_range_protection(e->extra));
        at = range.end;
        if (kind != range.kind)
            change(m, lane, range.begin > wanted.begin ? range.begin : wanted.begin,
                   range.end < wanted.end ? range.end : wanted.end, kind, ns);
    }
}

void mappings_event(struct matcher *m, struct lane *lane, const struct spool_event *e, uint64_t ns)
{
    struct heap *heap = &lane->subject->heap;

    switch (e->kind) {
    case SPOOL_RANGE_BEGIN:
        begin(m, lane, e);
        return;
    case SPOOL_RANGE_FAILED:
        mappings_put_back(m, lane);
        return;
    case SPOOL_RANGE_MAP:
        if (spool_range_call(e->extra) == SPOOL_RANGE_PROTECT)
            protect(m, lane, e, ns);
        else
            map(m, lane, e, ns);
        break;
    default: /* SPOOL_RANGE_DROPPED */
        heap->totals.unmaps++;
        dropped(m, lane, ns);
        break;
    }
    heap_settle_mapped(heap, ns);
}
