/* attached.c - see attached.h. */
#include "attached.h"

void attached_settle(const struct ranges *set, struct range *place)
{
    const struct range *other = NULL;

    if (place->kind == RANGE_MEMORY && ranges_of_segment(set, place->segment_id) > 0)
        other = ranges_above(set, 0);
    for (; other; other = ranges_above(set, other->end))
        if (other->segment_id == place->segment_id && other->kind == RANGE_MEMORY) {
            place->kind = RANGE_FILE;
            place->is_second = 1;
            return;
        }
}

/* The second place of the segment's byte `at`, NULL none; *end: up to which byte that is so. */
static const struct range *second_place(const struct ranges *set, uint32_t segment_id, uint64_t at,
                                        uint64_t *end)
{
    const struct range *range = ranges_of_segment(set, segment_id) ? ranges_above(set, 0) : NULL;

    for (; range; range = ranges_above(set, range->end)) {
        if (!range->is_second || range->segment_id != segment_id)
            continue;
        uint64_t from = range->begin - range->segment, to = range->end - range->segment;
        if (from <= at && at < to) {
            *end = to < *end ? to : *end;
            return range;
        }
        if (from > at && from < *end)
            *end = from;
    }
    return NULL;
}

/* Makes bytes [begin, end) of the segment memory in their second place. */
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
        const struct range *place = second_place(set, part->segment_id, at, &to);
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
