/* pieces.c - see pieces.h. */
#include "pieces.h"
#include "attached.h"

static int are_one(const struct range *a, const struct range *b)
{
    return a->kind == b->kind && a->mapping == b->mapping && a->segment_id == b->segment_id &&
           a->segment == b->segment && a->is_second == b->is_second &&
           a->huge_shift == b->huge_shift && !a->is_inherited && !b->is_inherited;
}

void pieces_add(struct range_list *pieces, struct range piece)
{
    struct range *last = pieces->count ? &pieces->list[pieces->count - 1] : NULL;

    if (piece.begin >= piece.end)
        return;
    if (last && last->end == piece.begin && are_one(last, &piece))
        last->end = piece.end;
    else
        range_list_add(pieces, piece);
}

void pieces_add_settled(struct range_list *pieces, const struct subject *s, struct range piece)
{
    struct range_list parts = {0};

    if (piece.begin < piece.end)
        attached_settle(&s->mapped, pieces, &piece, &parts);
    for (size_t i = 0; i < parts.count; i++)
        pieces_add(pieces, parts.list[i]);
    range_list_clear(&parts);
}

/* A new place of what may be shared: where it could be memory, that is settled now. */
static void become_place(struct subject *s, struct range *piece)
{
    if (!piece->segment_id)
        return;
    ranges_share(&s->mapped, piece->segment_id);
    if (piece->is_second)
        piece->kind = RANGE_MEMORY;
    piece->is_second = 0;
}

/* ---- moving ---- */

/* What lay at [begin, end) of the old place, in the new one; what is too long for that is gone. */
static struct range moved(const struct way *way, const struct range *old, uint64_t begin,
                          uint64_t end)
{
    uint64_t far = way->to_end - way->to;
    struct range piece = *old;

    begin -= way->from;
    end -= way->from;
    piece.begin = way->to + (begin < far ? begin : far);
    piece.end = way->to + (end < far ? end : far);
    piece.mapping = way->mapping;
    if (piece.segment_id)
        piece.segment += way->to - way->from;
    return piece;
}

/* One that comes besides what there is. */
static void add_more(struct range_list *pieces, struct subject *s, struct range piece)
{
    piece.is_inherited = piece.lost_access = 0;
    become_place(s, &piece);
    pieces_add_settled(pieces, s, piece);
}

static void add_seen(struct range_list *pieces, struct subject *s, const struct way *way,
                     const struct range *old)
{
    struct range piece = moved(way, old, old->begin, old->end);

    if (way->stays)
        add_more(pieces, s, piece);
    else
        pieces_add(pieces, piece);
}

static const struct range unknown = {.kind = RANGE_MEMORY};

static void add_unknown(struct range_list *pieces, const struct subject *s, const struct way *way,
                        uint64_t begin, uint64_t end)
{
    while (begin < end) {
        const struct range *known = ranges_above(&s->known, begin);
        uint64_t to = known && known->begin < end ? known->begin : end;
        if (begin < to)
            pieces_add(pieces, moved(way, &unknown, begin, to));
        begin = known ? known->end : end;
    }
}

void pieces_add_moved(struct range_list *pieces, struct subject *s, const struct way *way,
                      const struct range_list *seen)
{
    const struct range *last = &unknown;
    uint64_t at = way->from, longer = way->from + (way->to_end - way->to);

    for (size_t i = 0; i < seen->count; i++) {
        last = &seen->list[i];
        add_unknown(pieces, s, way, at, last->begin);
        add_seen(pieces, s, way, last);
        at = last->end;
    }
    if (at < way->from_end) {
        add_unknown(pieces, s, way, at, way->from_end);
        at = way->from_end;
        last = &unknown;
    }
    if (at < longer)
        add_more(pieces, s, moved(way, last, at, longer));
}

/* ---- second views ---- */

void pieces_settle_again(struct range_list *pieces, const struct subject *s)
{
    struct range_list settled = {0};

    for (size_t i = 0; i < pieces->count; i++) {
        struct range piece = pieces->list[i];
        int is_second = piece.is_second;
        piece.kind = is_second ? RANGE_MEMORY : piece.kind;
        piece.is_second = 0;
        if (is_second)
            attached_settle(&s->mapped, pieces, &piece, &settled);
        else
            range_list_add(&settled, piece);
    }
    range_list_clear(pieces);
    *pieces = settled;
}

void pieces_view_of(struct subject *s, struct range *range, uint64_t address)
{
    const struct range *of = ranges_above(&s->mapped, address);

    range->kind = RANGE_FILE;
    if (!of || of->begin > address)
        return;
    range->end = range_round_up(of, range->end);
    range->huge_shift = of->huge_shift;
    range->kind = of->segment_id ? of->kind : RANGE_FILE;
    range->is_second = of->is_second;
    range->segment = range->begin - (address - of->segment);
    range->segment_id = of->segment_id;
    range->segment_pages = of->segment_pages;
    become_place(s, range);
}
