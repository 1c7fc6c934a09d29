/* interrupted.c - see interrupted.h. */
#include "interrupted.h"
#include "subject.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

/* ---- the fork ---- */

int interrupted_is_forker(const struct subject *child, const struct lane *parents)
{
    return parents->has_thread && parents->path.thread == child->entry.fork_thread;
}

static struct interrupted_call *add(struct interrupted *calls, struct interrupted_call call)
{
    calls->list = xgrow(calls->list, &calls->capacity, calls->count + 1, sizeof *calls->list);
    calls->list[calls->count] = call;
    return &calls->list[calls->count++];
}

static void copy_parts(struct range_list *to, const struct range *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        range_list_add(to, from[i]);
}

/* What the parent itself has not gone on with. */
static void inherit_again(struct interrupted *to, const struct interrupted *from)
{
    for (size_t i = 0; i < from->count; i++) {
        struct interrupted_call call = from->list[i];
        call.parts = (struct range_list){0};
        copy_parts(&add(to, call)->parts, from->list[i].parts.list, from->list[i].parts.count);
    }
}

static void inherit_drops(struct interrupted *to, const struct drops *drops)
{
    for (unsigned i = 0; i < drops->count; i++) {
        const struct drop *drop = &drops->calls[i];
        size_t end = i + 1 < drops->count ? drop[1].first : drops->parts.count;
        struct interrupted_call call = {.begin = drop->begin, .end = drop->end};
        copy_parts(&add(to, call)->parts, drops->parts.list + drop->first, end - drop->first);
    }
}

static void inherit_lane(struct interrupted *to, const struct lane *lane)
{
    if (lane->realloc_open)
        add(to, (struct interrupted_call){
                    .is_realloc = 1,
                    .begin = lane->realloc_address,
                    .block = subject_block_in_child(lane->subject, lane->realloc_block)});
    inherit_drops(to, &lane->drops);
}

static int by_last_event(const void *a, const void *b)
{
    const struct lane *x = *(const struct lane *const *)a, *y = *(const struct lane *const *)b;

    if (x->last.ns != y->last.ns)
        return x->last.ns < y->last.ns ? -1 : 1;
    return x->stream < y->stream ? -1 : x->stream > y->stream;
}

/* A thread's outer calls wait while its inner ones have events. Which of its lanes is the older one
 * says nothing: it may have been another thread's. */
void interrupted_inherit(struct subject *child, const struct subject *parent)
{
    const struct lane **lanes = xmalloc((parent->lane_count + 1) * sizeof *lanes);
    size_t count = 0;

    inherit_again(&child->interrupted, &parent->interrupted);
    for (size_t i = 0; i < parent->lane_count; i++)
        if (interrupted_is_forker(child, parent->lanes[i]))
            lanes[count++] = parent->lanes[i];
    qsort(lanes, count, sizeof *lanes, by_last_event);
    for (size_t i = 0; i < count; i++)
        inherit_lane(&child->interrupted, lanes[i]);
    free(lanes);
}

/* ---- the end ---- */

static int ends_realloc(const struct spool_event *e)
{
    return e->kind == SPOOL_REALLOC_MOVED || e->kind == SPOOL_REALLOC_FAILED ||
           e->kind == SPOOL_REALLOC_FREED;
}

static int ends_drop(const struct spool_event *e)
{
    if (e->kind != SPOOL_RANGE_MAP)
        return e->kind == SPOOL_RANGE_DROPPED || e->kind == SPOOL_RANGE_FAILED;
    return spool_range_call(e->extra) == SPOOL_RANGE_MOVED ||
           spool_range_call(e->extra) == SPOOL_RANGE_VIEW;
}

static void take_out(struct interrupted *calls, size_t at)
{
    range_list_clear(&calls->list[at].parts);
    calls->count--;
    memmove(calls->list + at, calls->list + at + 1, (calls->count - at) * sizeof *calls->list);
}

static void go_on(struct lane *lane, const struct interrupted_call *call)
{
    if (call->is_realloc) {
        lane->realloc_open = 1;
        lane->realloc_address = call->begin;
        lane->realloc_block = call->block;
        return;
    }
    drops_begin(&lane->drops, &(struct range){.begin = call->begin, .end = call->end});
    copy_parts(&lane->drops.parts, call->parts.list, call->parts.count);
}

void interrupted_resume(struct lane *lane, const struct spool_event *end)
{
    struct interrupted *calls = &lane->subject->interrupted;
    int is_realloc = ends_realloc(end);

    if (is_realloc ? lane->realloc_open : !ends_drop(end) || lane->drops.count > 0)
        return;
    for (size_t i = calls->count; i > 0; i--)
        if (calls->list[i - 1].is_realloc == is_realloc) {
            go_on(lane, &calls->list[i - 1]);
            take_out(calls, i - 1);
            return;
        }
}

uint32_t interrupted_take_block(struct interrupted *calls, uint64_t address)
{
    for (size_t i = 0; i < calls->count; i++) {
        struct interrupted_call *call = &calls->list[i];
        uint32_t block = call->block;
        if (!call->is_realloc || !block || call->begin != address)
            continue;
        take_out(calls, i);
        return block;
    }
    return 0;
}

void interrupted_clear(struct interrupted *calls)
{
    while (calls->count)
        take_out(calls, calls->count - 1);
    free(calls->list);
    *calls = (struct interrupted){0};
}
