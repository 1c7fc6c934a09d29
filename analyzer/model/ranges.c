/* ranges.c - mapped address ranges: adding, and taking parts out. */
#include "ranges.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define PAGE (1u << RANGES_PAGE_SHIFT)

struct ranges_leaf {
    size_t count;
    struct range list[RANGES_LEAF];
};

struct range range_of_pages(uint64_t address, uint64_t bytes)
{
    struct range range = {.begin = address & ~(uint64_t)(PAGE - 1)};

    if (__builtin_add_overflow(address, bytes, &range.end) || range.end > UINT64_MAX - PAGE)
        range.end = UINT64_MAX - PAGE;
    range.end = (range.end + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    if (range.end < range.begin)
        range.end = range.begin;
    return range;
}

uint64_t range_round_up(const struct range *range, uint64_t end)
{
    uint64_t page = range->huge_shift ? (uint64_t)1 << range->huge_shift : PAGE;

    return end > UINT64_MAX - page ? end : (end + page - 1) & ~(page - 1);
}

void range_list_add(struct range_list *list, struct range range)
{
    list->list = xgrow(list->list, &list->capacity, list->count + 1, sizeof *list->list);
    list->list[list->count++] = range;
}

void range_list_clear(struct range_list *list)
{
    free(list->list);
    memset(list, 0, sizeof *list);
}

/* ---- shared memory ---- */

/* The numbers of segments have 31 bits. Two mappings would have to be 2^31 apart to be mixed up. */
#define FIRST_ANONYMOUS 0x80000001u

static int is_anonymous(uint32_t segment_id)
{
    return segment_id >= FIRST_ANONYMOUS;
}

uint32_t ranges_anonymous_id(uint64_t mapping)
{
    return FIRST_ANONYMOUS + (uint32_t)(mapping % (UINT32_MAX - FIRST_ANONYMOUS));
}

/* ---- places in the leaves ---- */

/* list[i] of a leaf; behind the last range of the set, leaf == leaf_count. */
struct place {
    size_t leaf, i;
};

static size_t leaf_above(const struct ranges *set, uint64_t address)
{
    size_t low = 0, high = set->leaf_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct ranges_leaf *leaf = set->leaves[middle];
        if (leaf->list[leaf->count - 1].end > address)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static struct place place_above(const struct ranges *set, uint64_t address)
{
    struct place p = {leaf_above(set, address), 0};

    if (p.leaf == set->leaf_count)
        return p;
    const struct ranges_leaf *leaf = set->leaves[p.leaf];
    for (size_t high = leaf->count; p.i < high;) {
        size_t middle = p.i + (high - p.i) / 2;
        if (leaf->list[middle].end > address)
            high = middle;
        else
            p.i = middle + 1;
    }
    return p;
}

static struct range *range_at(const struct ranges *set, struct place p)
{
    return p.leaf < set->leaf_count ? &set->leaves[p.leaf]->list[p.i] : NULL;
}

const struct range *ranges_above(const struct ranges *set, uint64_t address)
{
    return range_at(set, place_above(set, address));
}

/* ---- leaves ---- */

static struct ranges_leaf *insert_leaf(struct ranges *set, size_t at)
{
    struct ranges_leaf *leaf = xcalloc(1, sizeof *leaf);

    set->leaves = xgrow(set->leaves, &set->leaf_capacity, set->leaf_count + 1, sizeof *set->leaves);
    memmove(set->leaves + at + 1, set->leaves + at, (set->leaf_count - at) * sizeof *set->leaves);
    set->leaf_count++;
    return set->leaves[at] = leaf;
}

static void remove_leaf(struct ranges *set, size_t at)
{
    free(set->leaves[at]);
    set->leaf_count--;
    memmove(set->leaves + at, set->leaves + at + 1, (set->leaf_count - at) * sizeof *set->leaves);
}

/* Moves the upper half of a full leaf into one of its own. */
static void split_leaf(struct ranges *set, size_t at)
{
    struct ranges_leaf *upper = insert_leaf(set, at + 1), *lower = set->leaves[at];

    upper->count = lower->count / 2;
    lower->count -= upper->count;
    memcpy(upper->list, lower->list + lower->count, upper->count * sizeof *upper->list);
}

/* Ranges that go must not leave many leaves with few. */
static void join_leaves(struct ranges *set, size_t at)
{
    struct ranges_leaf *leaf = set->leaves[at];

    if (leaf->count == 0) {
        remove_leaf(set, at);
    } else if (at + 1 < set->leaf_count &&
               leaf->count + set->leaves[at + 1]->count <= RANGES_LEAF / 2) {
        const struct ranges_leaf *next = set->leaves[at + 1];
        memcpy(leaf->list + leaf->count, next->list, next->count * sizeof *leaf->list);
        leaf->count += next->count;
        remove_leaf(set, at + 1);
    }
}

static void insert_at(struct ranges *set, struct place p, struct range range)
{
    if (p.leaf == set->leaf_count) { /* above all: at the end of the last leaf */
        if (set->leaf_count == 0)
            insert_leaf(set, 0);
        p.leaf = set->leaf_count - 1;
        p.i = set->leaves[p.leaf]->count;
    }
    if (set->leaves[p.leaf]->count == RANGES_LEAF) {
        split_leaf(set, p.leaf);
        size_t lower = set->leaves[p.leaf]->count;
        if (p.i > lower) {
            p.leaf++;
            p.i -= lower;
        }
    }
    struct ranges_leaf *leaf = set->leaves[p.leaf];
    memmove(leaf->list + p.i + 1, leaf->list + p.i, (leaf->count - p.i) * sizeof *leaf->list);
    leaf->list[p.i] = range;
    leaf->count++;
    set->count++;
}

static void remove_at(struct ranges *set, struct place p)
{
    struct ranges_leaf *leaf = set->leaves[p.leaf];

    leaf->count--;
    set->count--;
    memmove(leaf->list + p.i, leaf->list + p.i + 1, (leaf->count - p.i) * sizeof *leaf->list);
    if (leaf->count < RANGES_LEAF / 4)
        join_leaves(set, p.leaf);
}

/* ---- adding ---- */

static void count_segment(struct ranges *set, const struct range *range, uint64_t change)
{
    if (!range->segment_id)
        return;
    if (is_anonymous(range->segment_id) && !intmap_get(&set->shared, range->segment_id))
        return;
    uint64_t *bytes = intmap_place(&set->shared, range->segment_id);
    *bytes += change + (*bytes == 0);
    if (range->end - range->segment > set->longest_segment)
        set->longest_segment = range->end - range->segment;
}

void ranges_add(struct ranges *set, struct range range)
{
    if (range.begin >= range.end)
        return;
    insert_at(set, place_above(set, range.begin), range);
    count_segment(set, &range, range.end - range.begin);
}

/* Are they parts of one range? */
static int are_one(const struct range *a, const struct range *b)
{
    return a->mapping == b->mapping && a->ns == b->ns && a->segment == b->segment &&
           a->segment_id == b->segment_id && a->class == b->class && a->stack == b->stack &&
           a->account == b->account && a->kind == b->kind && a->is_inherited == b->is_inherited &&
           a->lost_access == b->lost_access && a->is_second == b->is_second &&
           a->huge_shift == b->huge_shift;
}

void ranges_join(struct ranges *set, struct range part)
{
    struct range_list beside = {0};
    const struct range *below = ranges_above(set, part.begin - 1);
    const struct range *above = ranges_above(set, part.end);
    uint64_t begin = part.begin, end = part.end;

    if (below && below->end == part.begin && are_one(below, &part))
        begin = below->begin;
    if (above && above->begin == part.end && are_one(above, &part))
        end = above->end;
    ranges_take(set, begin, end, &beside);
    part.begin = begin;
    part.end = end;
    ranges_add(set, part);
    range_list_clear(&beside);
}

void ranges_cover(struct ranges *set, uint64_t begin, uint64_t end)
{
    const struct range *there = ranges_above(set, begin);
    struct range_list under = {0};

    if (begin >= end || (there && there->begin <= begin && there->end >= end))
        return;
    ranges_take(set, begin, end, &under);
    ranges_join(set, (struct range){.begin = begin, .end = end});
    range_list_clear(&under);
}

/* ---- taking and looking ---- */

static struct range part_within(const struct range *range, uint64_t begin, uint64_t end)
{
    struct range part = *range;

    part.begin = part.begin > begin ? part.begin : begin;
    part.end = part.end < end ? part.end : end;
    return part;
}

/* Cuts the part out of the range at p. */
static void cut_out(struct ranges *set, struct place p, const struct range *part)
{
    struct range *range = range_at(set, p), above = *range;

    if (range->begin == part->begin && range->end == part->end) {
        remove_at(set, p);
    } else if (range->begin == part->begin) {
        range->begin = part->end;
    } else {
        range->end = part->begin;
        above.begin = part->end;
        if (above.begin < above.end) /* the middle: two remain */
            insert_at(set, place_above(set, part->end), above);
    }
    count_segment(set, part, part->begin - part->end);
}

size_t ranges_take(struct ranges *set, uint64_t begin, uint64_t end, struct range_list *taken)
{
    size_t parts = 0;

    while (begin < end) {
        struct place p = place_above(set, begin);
        const struct range *range = range_at(set, p);
        if (!range || range->begin >= end)
            break;
        struct range part = part_within(range, begin, end);
        cut_out(set, p, &part);
        range_list_add(taken, part);
        begin = part.end;
        parts++;
    }
    return parts;
}

void ranges_look(const struct ranges *set, uint64_t begin, uint64_t end, struct range_list *found)
{
    const struct range *range;

    while (begin < end && (range = ranges_above(set, begin)) && range->begin < end) {
        range_list_add(found, part_within(range, begin, end));
        begin = range->end;
    }
}

void ranges_take_same(struct ranges *set, const struct range *part, struct range_list *taken)
{
    struct range_list there = {0};

    ranges_look(set, part->begin, part->end, &there);
    for (size_t i = 0; i < there.count; i++)
        if (there.list[i].mapping == part->mapping)
            ranges_take(set, there.list[i].begin, there.list[i].end, taken);
    range_list_clear(&there);
}

/* As the kernel does it: of the segment that the lowest part is of. */
void ranges_look_segment(const struct ranges *set, uint64_t address, struct range_list *found)
{
    uint64_t at = address, end;
    uint32_t id = 0;
    const struct range *range;

    if (__builtin_add_overflow(address, set->longest_segment, &end))
        end = UINT64_MAX;
    for (; at < end && (range = ranges_above(set, at)) && range->begin < end; at = range->end) {
        if (!range->segment_id || is_anonymous(range->segment_id) || range->segment != address ||
            (id && range->segment_id != id))
            continue;
        id = range->segment_id;
        range_list_add(found, *range);
    }
}

uint64_t ranges_of_segment(const struct ranges *set, uint32_t segment_id)
{
    uint64_t bytes = segment_id ? intmap_get(&set->shared, segment_id) : 0;
    return bytes ? bytes - 1 : 0;
}

void ranges_share(struct ranges *set, uint32_t segment_id)
{
    const struct range *range = ranges_above(set, 0);

    if (intmap_get(&set->shared, segment_id))
        return;
    *intmap_place(&set->shared, segment_id) = 1;
    for (; range; range = ranges_above(set, range->end))
        if (range->segment_id == segment_id)
            count_segment(set, range, range->end - range->begin);
}

static void inherit_shared(struct ranges *to, const struct ranges *from)
{
    for (size_t i = 0; from->shared.bits && i < (size_t)1 << from->shared.bits; i++)
        if (from->shared.slots[i].value)
            *intmap_place(&to->shared, from->shared.slots[i].key) = 1;
}

/* ---- all of them ---- */

void ranges_inherit(struct ranges *to, const struct ranges *from)
{
    to->mappings = from->mappings;
    inherit_shared(to, from);
    for (size_t i = 0; i < from->leaf_count; i++) {
        struct ranges_leaf *leaf = insert_leaf(to, i);
        *leaf = *from->leaves[i];
        to->count += leaf->count;
        for (size_t k = 0; k < leaf->count; k++) {
            struct range *range = &leaf->list[k];
            range->is_inherited = 1;
            count_segment(to, range, range->end - range->begin);
        }
    }
}

void ranges_clear(struct ranges *set)
{
    for (size_t i = 0; i < set->leaf_count; i++)
        free(set->leaves[i]);
    free(set->leaves);
    intmap_clear(&set->shared);
    memset(set, 0, sizeof *set);
}
