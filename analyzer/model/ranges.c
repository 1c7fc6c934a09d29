/* ranges.c - mapped address ranges: adding, and taking parts out. */
#include "ranges.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define PAGE 4096u

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

size_t ranges_above(const struct ranges *set, uint64_t address)
{
    size_t low = 0, high = set->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->list[middle].end > address)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void insert_at(struct ranges *set, size_t i, struct range range)
{
    set->list = xgrow(set->list, &set->capacity, set->count + 1, sizeof *set->list);
    memmove(set->list + i + 1, set->list + i, (set->count - i) * sizeof *set->list);
    set->list[i] = range;
    set->count++;
}

static void remove_at(struct ranges *set, size_t i, size_t count)
{
    set->count -= count;
    memmove(set->list + i, set->list + i + count, (set->count - i) * sizeof *set->list);
}

void ranges_add(struct ranges *set, struct range range)
{
    if (range.begin < range.end)
        insert_at(set, ranges_above(set, range.begin), range);
}

/* Are they parts of one range? */
static int are_one(const struct range *a, const struct range *b)
{
    return a->ns == b->ns && a->segment == b->segment && a->class == b->class &&
           a->stack == b->stack && a->account == b->account && a->kind == b->kind &&
           a->is_inherited == b->is_inherited && a->lost_access == b->lost_access;
}

static void add_joined(struct ranges *set, struct range part)
{
    size_t i = ranges_above(set, part.begin);

    if (i < set->count && set->list[i].begin == part.end && are_one(&set->list[i], &part)) {
        part.end = set->list[i].end;
        remove_at(set, i, 1);
    }
    if (i > 0 && set->list[i - 1].end == part.begin && are_one(&set->list[i - 1], &part)) {
        part.begin = set->list[i - 1].begin;
        remove_at(set, i - 1, 1);
    }
    ranges_add(set, part);
}

void ranges_put_back(struct ranges *set, struct range part, struct ranges *covered)
{
    uint64_t end = part.end;

    while (part.begin < end) {
        size_t i = ranges_above(set, part.begin);
        const struct range *next = i < set->count ? &set->list[i] : NULL;
        int is_free = !next || next->begin > part.begin;
        part.end = !next ? end : is_free ? next->begin : next->end;
        part.end = part.end < end ? part.end : end;
        if (is_free)
            add_joined(set, part);
        else
            insert_at(covered, covered->count, part);
        part.begin = part.end;
    }
}

size_t ranges_take(struct ranges *set, uint64_t begin, uint64_t end, struct ranges *taken)
{
    size_t parts = 0, whole = 0, i = ranges_above(set, begin);

    if (begin >= end)
        return 0;
    while (i + whole < set->count && set->list[i + whole].begin < end) {
        struct range *range = &set->list[i + whole];
        struct range part = *range;

        part.begin = part.begin > begin ? part.begin : begin;
        part.end = part.end < end ? part.end : end;
        insert_at(taken, taken->count, part);
        parts++;
        if (range->begin < begin && range->end > end) { /* the middle: two remain */
            struct range above = *range;
            above.begin = end;
            range->end = begin;
            insert_at(set, i + 1, above);
            break;
        }
        if (range->begin < begin) { /* its end; only ever the first */
            range->end = begin;
            i++;
        } else if (range->end > end) { /* its beginning; only ever the last */
            range->begin = end;
            break;
        } else {
            whole++;
        }
    }
    if (whole)
        remove_at(set, i, whole);
    return parts;
}

void ranges_take_segment(struct ranges *set, uint64_t address, struct ranges *taken)
{
    size_t kept = 0;

    for (size_t i = 0; i < set->count; i++) {
        if (address && set->list[i].segment == address)
            insert_at(taken, taken->count, set->list[i]);
        else
            set->list[kept++] = set->list[i];
    }
    set->count = kept;
}

void ranges_inherit(struct ranges *to, const struct ranges *from)
{
    to->list = xgrow(NULL, &to->capacity, from->count + 1, sizeof *to->list);
    to->count = from->count;
    for (size_t i = 0; i < from->count; i++) {
        to->list[i] = from->list[i];
        to->list[i].is_inherited = 1;
    }
}

void ranges_clear(struct ranges *set)
{
    free(set->list);
    memset(set, 0, sizeof *set);
}
