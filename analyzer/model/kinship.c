/* kinship.c - starters by pid and start time, and the order of a family tree. */
#include "kinship.h"
#include "xalloc.h"

#include <stdlib.h>

struct known { /* sorted by process, then by begin */
    int32_t pid;
    uint64_t start_time, begin_ns;
    size_t index;
};

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_process(const void *left, const void *right)
{
    const struct known *a = left, *b = right;
    if (a->pid != b->pid)
        return a->pid < b->pid ? -1 : 1;
    int order = compare(a->start_time, b->start_time);
    if (order == 0)
        order = compare(a->begin_ns, b->begin_ns);
    return order ? order : compare(a->index, b->index);
}

/* The last life of this process that begins before `self`; KIN_NONE: there is none. */
static size_t last_before(const struct known *known, size_t count, int32_t pid, uint64_t start_time,
                          const struct known *self)
{
    const struct known wanted = {pid, start_time, self->begin_ns, self->index};
    size_t low = 0, high = count; /* known[.. low) are before it */
    if (pid <= 0 || start_time == 0)
        return KIN_NONE;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_process(&known[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || known[low - 1].pid != pid || known[low - 1].start_time != start_time)
        return KIN_NONE;
    return known[low - 1].index;
}

static void find_starter(struct kin *list, size_t i, const struct known *known, size_t count)
{
    struct kin *kin = &list[i];
    const struct known self = {kin->pid, kin->start_time, kin->begin_ns, i};
    kin->kind = KIN_FORK;
    kin->starter = kin->forker < i ? kin->forker : KIN_NONE;
    if (kin->starter != KIN_NONE)
        return;
    kin->kind = KIN_BECAME;
    kin->starter = last_before(known, count, kin->pid, kin->start_time, &self);
    if (kin->starter != KIN_NONE)
        return;
    kin->kind = KIN_EXEC;
    kin->starter = last_before(known, count, kin->parent_pid, kin->parent_start_time, &self);
    if (kin->starter == KIN_NONE)
        kin->kind = KIN_FIRST;
}

void kinship_find(struct kin *list, size_t count)
{
    struct known *known = xcalloc(count + 1, sizeof *known);
    for (size_t i = 0; i < count; i++) {
        /* So every starter comes before its own by {begin, index}, whatever a damaged file says. */
        if (list[i].forker < i && list[i].begin_ns < list[list[i].forker].begin_ns)
            list[i].begin_ns = list[list[i].forker].begin_ns;
        known[i] = (struct known){list[i].pid, list[i].start_time, list[i].begin_ns, i};
    }
    qsort(known, count, sizeof *known, by_process);
    for (size_t i = 0; i < count; i++)
        find_starter(list, i, known, count);
    free(known);
    for (size_t i = 0; i < count; i++)
        list[i].depth = 0;
    size_t ordered, *order = kinship_order(list, count, KIN_NONE, &ordered);
    for (size_t i = 0; i < ordered; i++) {
        struct kin *kin = &list[order[i]];
        if (kin->starter != KIN_NONE)
            kin->depth = list[kin->starter].depth + (kin->kind != KIN_BECAME);
    }
    free(order);
}

/* ---- the order ---- */

struct child {
    size_t starter, index;
    uint64_t begin_ns;
};

/* Those that nobody started come last, as KIN_NONE is the highest number. */
static int by_starter(const void *left, const void *right)
{
    const struct child *a = left, *b = right;
    int order = compare(a->starter, b->starter);
    if (order == 0)
        order = compare(a->begin_ns, b->begin_ns);
    return order ? order : compare(a->index, b->index);
}

static size_t first_child(const struct child *children, size_t count, size_t starter)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (children[middle].starter < starter)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t *kinship_order(const struct kin *list, size_t count, size_t of, size_t *ordered)
{
    size_t *order = xcalloc(count + 1, sizeof *order), *stack = xcalloc(count + 1, sizeof *stack);
    struct child *children = xcalloc(count + 1, sizeof *children);
    size_t waiting = 0, used = 0;
    for (size_t i = 0; i < count; i++)
        children[i] = (struct child){list[i].starter, i, list[i].begin_ns};
    qsort(children, count, sizeof *children, by_starter);
    if (of < count)
        stack[waiting++] = of;
    for (size_t i = count; of == KIN_NONE && i-- > 0 && children[i].starter == KIN_NONE;)
        stack[waiting++] = children[i].index;
    while (waiting > 0) {
        size_t self = stack[--waiting], first = first_child(children, count, self), end = first;
        order[used++] = self;
        while (end < count && children[end].starter == self)
            end++;
        while (end-- > first)
            stack[waiting++] = children[end].index;
    }
    free(stack);
    free(children);
    *ordered = used;
    return order;
}

size_t kinship_starter(const struct kin *list, size_t i)
{
    while (list[i].kind == KIN_BECAME)
        i = list[i].starter;
    return list[i].kind == KIN_FIRST ? KIN_NONE : list[i].starter;
}
