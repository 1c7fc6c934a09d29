/* mappings.c - see mappings.h. */
#include "mappings.h"
#include "attached.h"

#include <errno.h>
#include <sys/mman.h>

/* ---- kinds ---- */

static enum range_kind kind_of_mmap(uint64_t what)
{
    if (!(spool_range_flags(what) & MAP_ANONYMOUS))
        return RANGE_FILE;
    return spool_range_protection(what) & PROT_WRITE ? RANGE_MEMORY : RANGE_RESERVED;
}

/* Of all but what mremap moves. Older recorders did not say what a range is. */
static enum range_kind kind_of(uint64_t what)
{
    switch (spool_range_call(what)) {
    case SPOOL_RANGE_MMAP:
        return kind_of_mmap(what);
    case SPOOL_RANGE_VIEW:
        return RANGE_FILE;
    case SPOOL_RANGE_SEGMENT:
        return spool_range_protection(what) & PROT_WRITE ? RANGE_MEMORY : RANGE_FILE;
    default:
        return RANGE_MEMORY;
    }
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

static void begin(struct lane *lane, const struct spool_event *e)
{
    struct range range = range_of_pages(e->address, e->size);

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

    drops_last(&lane->drops, &seen);
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

/* One piece where that is what the call makes. */
static void add_piece(struct range_list *pieces, struct range piece)
{
    struct range *last = pieces->count ? &pieces->list[pieces->count - 1] : NULL;

    if (piece.begin >= piece.end)
        return;
    if (last && last->end == piece.begin && last->kind == piece.kind &&
        last->mapping == piece.mapping && last->segment_id == piece.segment_id &&
        last->segment == piece.segment && last->is_second == piece.is_second &&
        !last->is_inherited && !piece.is_inherited)
        last->end = piece.end;
    else
        range_list_add(pieces, piece);
}

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

static void map(struct matcher *m, struct lane *lane, const struct spool_event *e, uint64_t ns)
{
    struct subject *s = lane->subject;
    struct range_list pieces = {0};
    struct range range = range_of_pages(e->address, e->size);
    enum spool_range call = spool_range_call(e->extra);
    int replaces = call == SPOOL_RANGE_SEGMENT ||
                   (call == SPOOL_RANGE_MMAP && spool_range_flags(e->extra) & MAP_FIXED);

    int was_there = clear_under(m, lane, &range, ns);
    if (replaces)
        s->heap.totals.unmaps += was_there;
    else if (was_there)
        heap_settle_mapped(&s->heap, ns);
    range.kind = kind_of(e->extra);
    range.mapping = ++s->mapped.mappings;
    if (call == SPOOL_RANGE_SEGMENT) {
        range.segment = range.begin;
        range.segment_id = spool_range_flags(e->extra) + 1;
        attached_settle(&s->mapped, &range);
    }
    add_piece(&pieces, range);
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

/* A move's way: [from, from_end) has come to [to, to_end). */
struct way {
    uint64_t from, from_end, to, to_end;
    uint64_t mapping;
    int stays; /* as well, without its pages */
};

/* Adds what lies at [begin, end) of the old place now; what is too long for the new one is gone. */
static void add_moved(struct range_list *pieces, const struct way *way, struct range piece,
                      uint64_t begin, uint64_t end)
{
    uint64_t far = way->to_end - way->to;

    begin -= way->from;
    end -= way->from;
    piece.begin = way->to + (begin < far ? begin : far);
    piece.end = way->to + (end < far ? end : far);
    piece.mapping = way->mapping;
    if (piece.segment_id)
        piece.segment += way->to - way->from;
    if (way->stays)
        piece.is_inherited = piece.lost_access = 0;
    add_piece(pieces, piece);
}

/* What lies in the new place, by what lay in the old one. What was mapped before we came is memory;
 * where the new place is longer, the rest is what the last part was. */
static void moved_pieces(struct range_list *pieces, const struct way *way,
                         const struct range_list *seen)
{
    struct range unknown = {.kind = RANGE_MEMORY}, last = unknown;
    uint64_t at = way->from;

    for (size_t i = 0; i < seen->count; i++) {
        add_moved(pieces, way, unknown, at, seen->list[i].begin);
        add_moved(pieces, way, seen->list[i], seen->list[i].begin, seen->list[i].end);
        at = seen->list[i].end;
        last = seen->list[i];
    }
    if (at < way->from_end) {
        add_moved(pieces, way, unknown, at, way->from_end);
        at = way->from_end;
        last = unknown;
    }
    last.is_inherited = last.lost_access = 0;
    add_moved(pieces, way, last, at, way->from + (way->to_end - way->to));
}

static void move(struct matcher *m, struct lane *lane, const struct spool_event *e, uint64_t ns)
{
    struct subject *s = lane->subject;
    struct range_list seen, pieces = {0}, taken = {0};
    const struct drop *old = drops_last(&lane->drops, &seen);
    struct range range = range_of_pages(e->address, e->size);
    struct way way = {.from = old ? old->begin : range.begin,
                      .from_end = old ? old->end : range.begin,
                      .to = range.begin,
                      .to_end = range.end,
                      .mapping = ++s->mapped.mappings,
                      .stays = (spool_range_flags(e->extra) & MREMAP_DONTUNMAP) != 0};

    moved_pieces(&pieces, &way, &seen);
    if (way.stays) {
        drops_end(&lane->drops);
    } else {
        s->heap.totals.unmaps += seen.count > 0;
        take_last(lane, &taken);
        uncount_all(m, lane, &taken, ns);
    }
    clear_under(m, lane, &range, ns);
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
    if (range->kind == RANGE_MEMORY && protection == PROT_NONE)
        return RANGE_RESERVED;
    return range->kind;
}

/* Turns a part into the other kind. What was memory before the fork counts where it was made that;
 * a reservation that becomes memory counts here, among the pieces of the present call. */
static void change(struct matcher *m, struct lane *lane, struct range part, enum range_kind kind,
                   struct range_list *pieces, uint64_t ns)
{
    struct range_list taken = {0};
    int is_others = part.is_inherited && (part.kind == RANGE_MEMORY || part.lost_access);

    ranges_take(&lane->subject->mapped, part.begin, part.end, &taken);
    uncount(m, lane, &part, ns);
    part.kind = kind;
    part.lost_access = is_others && kind == RANGE_RESERVED;
    part.is_inherited = is_others || (part.is_inherited && kind != RANGE_MEMORY);
    if (part.is_inherited)
        ranges_join(&lane->subject->mapped, part);
    else
        add_piece(pieces, part);
    range_list_clear(&taken);
}

/* How far a change got that failed: the kernel goes from mapping to mapping and stops at the first
 * page that is not mapped, or at a file that may not be accessed so (EACCES). Where nothing of that
 * is known, it was at a limit of its own, and most likely changed nothing. */
static uint64_t end_of_failed(const struct ranges *mapped, const struct range *wanted,
                              unsigned error)
{
    const struct range *range;
    uint64_t at = wanted->begin;

    for (; at < wanted->end; at = range->end) {
        range = ranges_above(mapped, at);
        if (!range || range->begin > at || (error == EACCES && range->kind == RANGE_FILE))
            return at;
    }
    return wanted->begin;
}

static void protect(struct matcher *m, struct lane *lane, const struct spool_event *e, uint64_t ns)
{
    const struct ranges *mapped = &lane->subject->mapped;
    struct range wanted = range_of_pages(e->address, e->size);
    unsigned error = spool_range_flags(e->extra);
    struct range_list parts = {0}, pieces = {0};

    if (error)
        wanted.end = end_of_failed(mapped, &wanted, error);
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
