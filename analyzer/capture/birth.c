/* birth.c - noting what happens during a fork, and applying it to the child. */
#include "birth.h"
#include "subject.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define UNBORN_MAX 64 /* at a time; beyond that, the oldest one's fork has surely returned */
#define EVENTS_MAX (1u << 22) /* during one fork; what comes later is not inherited */

void birth_begin(struct subject *child, struct subject *parent)
{
    birth_end(child);
    if (parent->unborn_count == UNBORN_MAX)
        birth_end(parent->unborn[0]);
    child->birth.parent = parent;
    parent->unborn = xgrow(parent->unborn, &parent->unborn_capacity, parent->unborn_count + 1,
                           sizeof *parent->unborn);
    parent->unborn[parent->unborn_count++] = child;
}

void birth_end(struct subject *child)
{
    struct subject *parent = child->birth.parent;

    for (size_t i = 0; parent && i < parent->unborn_count; i++)
        if (parent->unborn[i] == child) {
            memmove(parent->unborn + i, parent->unborn + i + 1,
                    (--parent->unborn_count - i) * sizeof *parent->unborn);
            break;
        }
    child->birth.parent = NULL;
}

static void add(struct birth *birth, struct birth_event event)
{
    if (birth->count == EVENTS_MAX)
        return;
    birth->events = xgrow(birth->events, &birth->capacity, birth->count + 1, sizeof *birth->events);
    birth->events[birth->count++] = event;
}

static void note(struct lane *lane, struct birth_event event)
{
    struct subject *s = lane->subject;

    for (size_t i = 0; i < s->unborn_count; i++)
        add(&s->unborn[i]->birth, event);
}

/* The class of the block at an address, 0 if there is none. */
static uint32_t class_at(struct subject *s, uint64_t address)
{
    uint32_t block = live_find(s->live, address);

    if (block & LIVE_INHERITED)
        return block & ~LIVE_INHERITED;
    return block ? s->blocks.list[block].class : 0;
}

void birth_note(struct lane *lane, const struct spool_event *e)
{
    struct birth_event event = {e->address, e->ticks, lane->stream, 0};

    switch (e->kind) {
    case SPOOL_REALLOC_FREED:
    case SPOOL_REALLOC_MOVED:
        event.address = lane->realloc_address;
        note(lane, event);
        if (e->kind == SPOOL_REALLOC_FREED)
            break;
        event.address = e->address; /* fallthrough */
    case SPOOL_ALLOC:
        event.class = class_at(lane->subject, e->address);
        if (event.class)
            note(lane, event);
        break;
    case SPOOL_FREE:
        note(lane, event);
        break;
    default:
        break;
    }
}

/* How far the stream had come in the child's memory. */
static uint64_t position_of(uint32_t stream, const uint8_t *positions, size_t bytes)
{
    struct spool_birth p;

    for (; bytes >= sizeof p; positions += sizeof p, bytes -= sizeof p) {
        memcpy(&p, positions, sizeof p);
        if (p.stream == stream)
            return p.ticks;
    }
    return 0;
}

static void inherit(struct subject *child, const struct classes *classes,
                    const struct birth_event *e)
{
    uint32_t there = live_find(child->live, e->address);

    if (there & LIVE_INHERITED) {
        live_remove(child->live, e->address);
        child->quality.inherited--;
        child->quality.inherited_bytes -= classes->list[there & ~LIVE_INHERITED].size;
    }
    if (e->class && (!there || there & LIVE_INHERITED)) {
        live_insert(child->live, e->address, LIVE_INHERITED | e->class);
        child->quality.inherited++;
        child->quality.inherited_bytes += classes->list[e->class].size;
    }
}

void birth_apply(struct subject *child, const struct classes *classes, const void *positions,
                 size_t bytes)
{
    struct birth *birth = &child->birth;

    for (size_t i = 0; i < birth->count; i++)
        if (birth->events[i].ticks <= position_of(birth->events[i].stream, positions, bytes))
            inherit(child, classes, &birth->events[i]);
    free(birth->events);
    birth->events = NULL;
    birth->count = birth->capacity = 0;
}

void birth_clear(struct subject *s)
{
    birth_end(s);
    while (s->unborn_count)
        birth_end(s->unborn[0]);
    free(s->birth.events);
    free(s->unborn);
    s->birth = (struct birth){0};
    s->unborn = NULL;
    s->unborn_capacity = 0;
}
