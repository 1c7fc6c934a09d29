/* interrupted.c - see interrupted.h. */
#include "interrupted.h"
#include "subject.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

static void add(struct interrupted *calls, enum spool_kind kind, uint64_t address, uint64_t size)
{
    calls->list = xgrow(calls->list, &calls->capacity, calls->count + 1, sizeof *calls->list);
    calls->list[calls->count++] =
        (struct spool_event){.kind = kind, .address = address, .size = size};
}

static void inherit_from(struct interrupted *calls, const struct lane *lane)
{
    const struct drops *drops = &lane->drops;

    if (lane->realloc_open)
        add(calls, SPOOL_REALLOC_BEGIN, lane->realloc_address, 0);
    for (unsigned i = 0; i < drops->count; i++)
        add(calls, SPOOL_RANGE_BEGIN, drops->calls[i].begin,
            drops->calls[i].end - drops->calls[i].begin);
}

void interrupted_inherit(struct subject *child, const struct subject *parent)
{
    for (size_t i = 0; i < parent->lane_count; i++) {
        const struct lane *lane = parent->lanes[i];
        if (lane->has_thread && lane->path.thread == child->entry.fork_thread)
            inherit_from(&child->interrupted, lane);
    }
}

static enum spool_kind begin_of(const struct spool_event *end)
{
    switch (end->kind) {
    case SPOOL_REALLOC_MOVED:
    case SPOOL_REALLOC_FAILED:
    case SPOOL_REALLOC_FREED:
        return SPOOL_REALLOC_BEGIN;
    case SPOOL_RANGE_DROPPED:
    case SPOOL_RANGE_FAILED:
        return SPOOL_RANGE_BEGIN;
    case SPOOL_RANGE_MAP:
        return spool_range_call(end->extra) == SPOOL_RANGE_MOVED ||
                       spool_range_call(end->extra) == SPOOL_RANGE_VIEW
                   ? SPOOL_RANGE_BEGIN
                   : SPOOL_NOTHING;
    default:
        return SPOOL_NOTHING;
    }
}

int interrupted_take(struct interrupted *calls, const struct spool_event *end,
                     struct spool_event *begin)
{
    enum spool_kind kind = begin_of(end);
    size_t i = kind != SPOOL_NOTHING ? calls->count : 0;

    while (i > 0 && calls->list[i - 1].kind != kind)
        i--;
    if (i == 0)
        return 0;
    *begin = calls->list[i - 1];
    calls->count--;
    memmove(calls->list + i - 1, calls->list + i, (calls->count - (i - 1)) * sizeof *calls->list);
    return 1;
}

void interrupted_clear(struct interrupted *calls)
{
    free(calls->list);
    *calls = (struct interrupted){0};
}
