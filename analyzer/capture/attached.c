/* attached.c - see attached.h. */
#include "attached.h"

/* Is byte `at` of the shared memory in this range, which is of this kind? A file is meant where it
 * is a second place. *end: up to which byte the answer holds. */
static int has_byte(const struct range *range, uint32_t segment_id, enum range_kind kind,
                    uint64_t at, uint64_t *end)
{
    uint64_t from = range->begin - range->segment, to = range->end - range->segment;

    if (range->segment_id != segment_id || range->kind != kind ||
        (kind == RANGE_FILE && !range->is_second))
        return 0;
    if (from <= at && at < to) {
        *end = to < *end ? to : *end;
        return 1;
    }
    if (from > at && from < *end)
        *end = from;
    return 0;
}

/* The place of byte `at` that is of this kind, NULL none. */
static const struct range *place_of(const struct ranges *set, uint32_t segment_id,
                                    enum range_kind kind, uint64_t at, uint64_t *end)
{
    const struct range *range = ranges_of_segment(set, segment_id) ? ranges_above(set, 0) : NULL;

    while (range && !has_byte(range, segment_id, kind, at, end))
        range = ranges_above(set, range->end);
    return range;
}

/* ---- coming ---- */

static int is_memory(const struct ranges *set, const struct range_list *coming, uint32_t segment_id,
                     uint64_t at, uint64_t *end)
{
    if (place_of(set, segment_id, RANGE_MEMORY, at, end))
        return 1;
    for (size_t i = 0; i < coming->count; i++)
        if (has_byte(&coming->list[i], segment_id, RANGE_MEMORY, at, end))
            return 1;
    return 0;
}

/* What lies beyond the end of the shared memory has no pages, and cannot be written to. */
static void settle_byte(const struct ranges *set, const struct range_list *coming,
                        struct range *part, uint64_t at, uint64_t *end)
{
    uint64_t size = (uint64_t)part->segment_pages << RANGES_PAGE_SHIFT;

    part->kind = RANGE_FILE;
    part->is_second = 0;
    if (at >= size)
        return;
    *end = size < *end ? size : *end;
    part->is_second = is_memory(set, coming, part->segment_id, at, end) != 0;
    part->kind = part->is_second ? RANGE_FILE : RANGE_MEMORY;
}

void attached_settle(const struct ranges *set, const struct range_list *coming,
                     const struct range *place, struct range_list *parts)
{
    uint64_t at = place->begin - place->segment, end = place->end - place->segment;

    if (place->kind != RANGE_MEMORY || !place->segment_id) {
        range_list_add(parts, *place);
        return;
    }
    while (at < end) {
        struct range part = *place;
        uint64_t to = end;
        settle_byte(set, coming, &part, at, &to);
        part.begin = place->segment + at;
        part.end = place->segment + to;
        range_list_add(parts, part);
        at = to;
    }
}

/* ---- going ---- */

/* Makes bytes [begin, end) of the shared memory such in their second place. */
static void make_memory(struct ranges *set, struct heap *heap, struct tree *tree,
                        const struct range *place, uint64_t begin, uint64_t end,
                        const struct range *part)
{
    struct range_list taken = {0};
    struct range fresh = *part;

    fresh.segment = place->segment;
    fresh.mapping = place->mapping;
    fresh.begin = place->segment + begin;
    fresh.end = place->segment + end;
    ranges_take(set, fresh.begin, fresh.end, &taken);
    for (size_t i = 0; i < taken.count; i++)
        heap_drop_range(heap, tree, &taken.list[i]);
    ranges_add(set, fresh);
    range_list_clear(&taken);
}

void attached_pass_on(struct ranges *set, struct heap *heap, struct tree *tree,
                      const struct range *part, struct range_list *left)
{
    uint64_t at = part->begin - part->segment, end = part->end - part->segment;

    while (at < end) {
        uint64_t to = end;
        const struct range *place = place_of(set, part->segment_id, RANGE_FILE, at, &to);
        struct range rest = *part;
        rest.begin = part->segment + at;
        rest.end = part->segment + to;
        if (place)
            make_memory(set, heap, tree, place, at, to, part);
        else
            range_list_add(left, rest);
        at = to;
    }
}
