/* mappings.c - see mappings.h. */
#include "mappings.h"
#include "attached.h"
#include "pieces.h"

#include <errno.h>
#include <sys/mman.h>

/* ---- kinds ---- */

static enum range_kind kind_of_mmap(uint64_t what)
{
    if (!(spool_range_flags(what) & MAP_ANONYMOUS))
        return RANGE_FILE;
    return spool_range_protection(what) & PROT_WRITE ? RANGE_MEMORY : RANGE_RESERVED;
}

/* Of all but what mremap makes. Older recorders did not say what a range is. */
static enum range_kind kind_of(uint64_t what)
{
    switch (spool_range_call(what)) {
    case SPOOL_RANGE_MMAP:
        return kind_of_mmap(what);
    case SPOOL_RANGE_SEGMENT:
        return spool_range_protection(what) & PROT_WRITE ? RANGE_MEMORY : RANGE_FILE;
    default:
        return RANGE_MEMORY;
    }
}

#define HUGE_SHIFT 21 /* where the flags do not say */

static uint8_t huge_shift_of(uint64_t what)
{
    unsigned shift = spool_range_flags(what) >> MAP_HUGE_SHIFT & MAP_HUGE_MASK;

    if (spool_range_call(what) != SPOOL_RANGE_MMAP || !(spool_range_flags(what) & MAP_HUGETLB))
        return 0;
    return (uint8_t)(shift ? shift : HUGE_SHIFT);
}

/* Which shared memory a new range is of, if of any. */
static void name_shared(struct range *range, uint64_t what)
{
    uint32_t flags = spool_range_flags(what), is_nameless = MAP_ANONYMOUS | MAP_SHARED;

    if (spool_range_call(what) == SPOOL_RANGE_SEGMENT)
        range->segment_id = flags + 1;
    else if (spool_range_call(what) == SPOOL_RANGE_MMAP && (flags & is_nameless) == is_nameless)
        range->segment_id = ranges_anonymous_id(range->mapping);
    else
        return;
    range->segment = range->begin;
    range->segment_pages = (uint32_t)((range->end - range->begin) >> RANGES_PAGE_SHIFT);
}

/* ---- going ---- */

/* A range that has left the set goes out of the accounts. */
static void uncount(struct matcher *m, struct lane *lane, const struct range *range, uint64_t ns)
{
    if (range->kind == RANGE_MEMORY && !range->is_inherited)
        match_emit(m, lane, EVENT_UNMAP, range->class, ns, range->end - range->begin,
                   (struct block_name){0});
    heap_drop_range(&lane->subject->heap, m->tree, range);
}

static void uncount_all(struct matcher *m, struct lane *lane, const struct range_list *parts,
                        uint64_t ns)
{
    for (size_t i = 0; i < parts->count; i++)
        uncount(m, lane, &parts->list[i], ns);
}

/* The same where it is gone for good: a segment may be attached elsewhere. */
static void gone(struct matcher *m, struct lane *lane, const struct range_list *parts, uint64_t ns)
{
    struct subject *s = lane->subject;

    for (size_t i = 0; i < parts->count; i++) {
        const struct range *part = &parts->list[i];
        struct range_list left = {0};
        if (part->segment_id && part->kind == RANGE_MEMORY)
            attached_pass_on(&s->mapped, &s->heap, m->tree, part, &left);
        else
            range_list_add(&left, *part);
        uncount_all(m, lane, &left, ns);
        range_list_clear(&left);
    }
}

/* mremap takes huge pages whole, whatever part of the last one it is asked for; munmap refuses to
 * take a part. */
static void reach_end_of_page(const struct ranges *mapped, struct range *range)
{
    const struct range *last = ranges_above(mapped, range->end - 1);

    if (range->begin < range->end && last && last->begin < range->end)
        range->end = range_round_up(last, range->end);
}

static void begin(struct lane *lane, const struct spool_event *e)
{
    struct range range = range_of_pages(e->address, e->size);

    reach_end_of_page(&lane->subject->mapped, &range);
    drops_begin(&lane->drops, &range);
    if (e->size == 0)
        ranges_look_segment(&lane->subject->mapped, e->address, &lane->drops.parts);
    else
        ranges_look(&lane->subject->mapped, range.begin, range.end, &lane->drops.parts);
}

/* Takes what is still there of what the last RANGE_BEGIN has seen: another thread may have mapped
 * something else in its place meanwhile. */
static void take_last(struct lane *lane, struct range_list *taken)
{
    struct range_list seen;
    const struct drop *last = drops_last(&lane->drops, &seen);

    if (last)
        ranges_cover(&lane->subject->known, last->begin, last->end);
    for (size_t i = 0; i < seen.count; i++)
        ranges_take_same(&lane->subject->mapped, &seen.list[i], taken);
    drops_end(&lane->drops);
}

static void dropped(struct matcher *m, struct lane *lane, uint64_t ns)
{
    struct range_list taken = {0};

    take_last(lane, &taken);
    gone(m, lane, &taken, ns);
    range_list_clear(&taken);
}

/* ---- coming ---- */

/* The pieces are what their kinds say from now on, by the present call; it is one, however many
 * they are. What is inherited stays as it is. */
static void come(struct matcher *m, struct lane *lane, struct range_list *pieces, uint64_t ns)
{
    uint64_t bytes[RANGE_KINDS] = {0};
    struct range made = {
        .stack = path_leaf(&lane->path), .account = threads_account(lane->thread), .ns = ns};

    for (size_t i = 0; i < pieces->count; i++)
        if (!pieces->list[i].is_inherited)
            bytes[pieces->list[i].kind] += pieces->list[i].end - pieces->list[i].begin;
    if (bytes[RANGE_MEMORY]) {
        made.class = classes_find(m->classes, made.stack, bytes[RANGE_MEMORY]);
        match_emit(m, lane, EVENT_MAP, made.class, ns, bytes[RANGE_MEMORY], (struct block_name){0});
    }
    heap_add_ranges(&lane->subject->heap, m->tree, &made, bytes, lane->path.who);
    for (size_t i = 0; i < pieces->count; i++) {
        struct range piece = pieces->list[i];
        if (!piece.is_inherited) {
            piece.stack = made.stack;
            piece.account = made.account;
            piece.class = made.class;
            piece.ns = ns;
        }
        ranges_join(&lane->subject->mapped, piece);
        ranges_cover(&lane->subject->known, piece.begin, piece.end);
    }
}

/* What lies under a new mapping: it replaces that, or its unmap was not seen (so far), but has
 * been. Returns whether there was something. */
static int clear_under(struct matcher *m, struct lane *lane, const struct range *range, uint64_t ns)
{
    struct range_list under = {0};
    size_t parts = ranges_take(&lane->subject->mapped, range->begin, range->end, &under);

    gone(m, lane, &under, ns);
    range_list_clear(&under);
    return parts > 0;
}

/* mremap of no length is the end of a RANGE_BEGIN of none, but for older recorders. */
static void view(struct lane *lane, struct range *range)
{
    struct range_list seen;
    const struct drop *of = drops_last(&lane->drops, &seen);

    range->kind = RANGE_FILE;
    if (!of || of->begin != of->end)
        return;
    pieces_view_of(lane->subject, range, of->begin);
    drops_end(&lane->drops);
}

static void describe(struct lane *lane, struct range *range, uint64_t what)
{
    range->mapping = ++lane->subject->mapped.mappings;
    if (spool_range_call(what) == SPOOL_RANGE_VIEW) {
        view(lane, range);
        return;
    }
    range->kind = kind_of(what);
    range->huge_shift = huge_shift_of(what);
    name_shared(range, what);
}

static void map(struct matcher *m, struct lane *lane, const struct spool_event *e, uint64_t ns)
{
    struct subject *s = lane->subject;
    struct range_list pieces = {0};
    struct range range = range_of_pages(e->address, e->size);
    enum spool_range call = spool_range_call(e->extra);
    int replaces = call == SPOOL_RANGE_SEGMENT ||
                   (call == SPOOL_RANGE_MMAP && spool_range_flags(e->extra) & MAP_FIXED);

    describe(lane, &range, e->extra);
    int was_there = clear_under(m, lane, &range, ns);
    if (replaces)
        s->heap.totals.unmaps += was_there;
    else if (was_there)
        heap_settle_mapped(&s->heap, ns);
    pieces_add_settled(&pieces, s, range);
    come(m, lane, &pieces, ns);
    range_list_clear(&pieces);
    s->heap.totals.maps++;
}

/* A recorder that did not say what it is: whatever was begun ends with any mapping. */
static void end_all(struct matcher *m, struct lane *lane, uint64_t ns)
{
    lane->subject->heap.totals.unmaps += lane->drops.parts.count > 0;
    while (lane->drops.count)
        dropped(m, lane, ns);
}

/* ---- moving ---- */

/* What has left the old place; what does not fit into the new one is gone for good. */
static void leave(struct matcher *m, struct lane *lane, const struct way *way,
                  const struct range_list *taken, uint64_t ns)
{
    uint64_t reach = way->from + (way->to_end - way->to);
    struct range_list tails = {0};

    for (size_t i = 0; i < taken->count; i++) {
        struct range part = taken->list[i], tail = part;
        tail.begin = tail.begin > reach ? tail.begin : reach;
        part.end = part.end < reach ? part.end : reach;
        if (part.begin < part.end)
            uncount(m, lane, &part, ns);
        if (tail.begin < tail.end)
            range_list_add(&tails, tail);
    }
    gone(m, lane, &tails, ns);
    range_list_clear(&tails);
}

static void move(struct matcher *m, struct lane *lane, const struct spool_event *e, uint64_t ns)
{
    struct subject *s = lane->subject;
    struct range_list seen, pieces = {0}, taken = {0};
    const struct drop *old = drops_last(&lane->drops, &seen);
    struct range range = range_of_pages(e->address, e->size);
    int was_there = 0;

    if (seen.count && seen.list[0].begin == old->begin)
        range.end = range_round_up(&seen.list[0], range.end);
    struct way way = {.from = old ? old->begin : range.begin,
                      .from_end = old ? old->end : range.begin,
                      .to = range.begin,
                      .to_end = range.end,
                      .mapping = ++s->mapped.mappings,
                      .stays = (spool_range_flags(e->extra) & MREMAP_DONTUNMAP) != 0};

    pieces_add_moved(&pieces, s, &way, &seen);
    if (way.stays) {
        drops_end(&lane->drops);
    } else {
        s->heap.totals.unmaps += seen.count > 0;
        take_last(lane, &taken);
        leave(m, lane, &way, &taken, ns);
    }
    for (size_t i = 0; i < pieces.count; i++) /* not under holes */
        was_there |= clear_under(m, lane, &pieces.list[i], ns);
    if (was_there)
        pieces_settle_again(&pieces, s);
    come(m, lane, &pieces, ns);
    s->heap.totals.maps++;
    range_list_clear(&taken);
    range_list_clear(&pieces);
}

/* ---- protection ---- */

/* What a range becomes. Once memory, it stays that while there is any access: its pages are kept.
 */
static enum range_kind kind_protected(const struct range *range, unsigned protection)
{
    if (range->kind == RANGE_RESERVED && protection & PROT_WRITE)
        return RANGE_MEMORY;
    if ((range->kind == RANGE_MEMORY || range->is_second) && protection == PROT_NONE)
        return RANGE_RESERVED;
    return range->kind;
}

/* Turns a part into the other kind. What was memory before the fork counts where it was made that;
 * a reservation that becomes memory counts here, among the pieces of the present call. */
static void change(struct matcher *m, struct lane *lane, struct range part, enum range_kind kind,
                   struct range_list *pieces, uint64_t ns)
{
    struct range_list taken = {0}, parts = {0};
    int is_others = part.is_inherited && (part.kind != RANGE_RESERVED || part.lost_access);

    ranges_take(&lane->subject->mapped, part.begin, part.end, &taken);
    gone(m, lane, &taken, ns);
    part.kind = kind;
    part.is_second = 0;
    part.lost_access = is_others && kind == RANGE_RESERVED;
    part.is_inherited = is_others || (part.is_inherited && kind != RANGE_MEMORY);
    attached_settle(&lane->subject->mapped, pieces, &part, &parts);
    for (size_t i = 0; i < parts.count; i++)
        if (part.is_inherited)
            ranges_join(&lane->subject->mapped, parts.list[i]);
        else
            pieces_add(pieces, parts.list[i]);
    range_list_clear(&taken);
    range_list_clear(&parts);
}

/* How far a change got that failed: the kernel goes from mapping to mapping and stops at the first
 * page that is not mapped, or at a file that may not be accessed so (EACCES). Where nothing of that
 * is known, it was at a limit of its own, and most likely changed nothing; and so where the range
 * goes round the end of the address space. */
static uint64_t end_of_failed(const struct ranges *mapped, const struct range *wanted,
                              unsigned error)
{
    const struct range *range;
    uint64_t at = wanted->begin;

    for (; at < wanted->end; at = range->end) {
        range = ranges_above(mapped, at);
        if (!range || range->begin > at ||
            (error == EACCES && range->kind == RANGE_FILE && !range->is_second))
            return at;
    }
    return wanted->begin;
}

static int goes_round(const struct spool_event *e)
{
    return e->size > UINT64_MAX - e->address - ((1ull << RANGES_PAGE_SHIFT) - 1);
}

static void protect(struct matcher *m, struct lane *lane, const struct spool_event *e, uint64_t ns)
{
    const struct ranges *mapped = &lane->subject->mapped;
    struct range wanted = range_of_pages(e->address, e->size);
    unsigned error = spool_range_flags(e->extra);
    struct range_list parts = {0}, pieces = {0};

    if (error)
        wanted.end = goes_round(e) ? wanted.begin : end_of_failed(mapped, &wanted, error);
    ranges_look(mapped, wanted.begin, wanted.end, &parts);
    for (size_t i = 0; i < parts.count; i++) {
        enum range_kind kind = kind_protected(&parts.list[i], spool_range_protection(e->extra));
        if (kind != parts.list[i].kind)
            change(m, lane, parts.list[i], kind, &pieces, ns);
    }
    come(m, lane, &pieces, ns);
    range_list_clear(&parts);
    range_list_clear(&pieces);
}

/* ---- events ---- */

static void map_event(struct matcher *m, struct lane *lane, const struct spool_event *e,
                      uint64_t ns)
{
    switch (spool_range_call(e->extra)) {
    case SPOOL_RANGE_PROTECT:
        protect(m, lane, e, ns);
        return;
    case SPOOL_RANGE_MOVED:
        move(m, lane, e, ns);
        return;
    case SPOOL_RANGE_UNTOLD:
        end_all(m, lane, ns); /* fallthrough */
    default:
        map(m, lane, e, ns);
        return;
    }
}

void mappings_event(struct matcher *m, struct lane *lane, const struct spool_event *e, uint64_t ns)
{
    switch (e->kind) {
    case SPOOL_RANGE_BEGIN:
        begin(lane, e);
        return;
    case SPOOL_RANGE_FAILED:
        drops_end(&lane->drops);
        return;
    case SPOOL_RANGE_MAP:
        map_event(m, lane, e, ns);
        break;
    default: /* SPOOL_RANGE_DROPPED */
        lane->subject->heap.totals.unmaps++;
        dropped(m, lane, ns);
        break;
    }
    heap_settle_mapped(&lane->subject->heap, ns);
}
