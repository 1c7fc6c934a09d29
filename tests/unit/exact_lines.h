/*
 * exact_lines.h - the lines of a made-up recording, change by change as its events say, to compare
 * with what is drawn of it.
 *
 * Times are the process's own. A capture keeps the tick of an event, not its nanosecond, so lines
 * are compared where ticks end (exact_tick_end).
 */
#ifndef EXACT_LINES_H
#define EXACT_LINES_H

#include "capture_fixture.h"
#include "timeline.h"
#include "together.h"
#include <fcntl.h>

#define TICK CAPTURE_TICK_NS

struct step {
    uint64_t ns, level; /* the level from then on */
    uint64_t mapped;    /* what of it is mapped, where it is memory's */
};

/* Of a process's series. */
struct exact {
    struct step *steps;
    size_t count;
    struct timeline summary; /* what the recording's summary says of it */
};

/* Every fifth class becomes one of mappings: only what their events are called tells those from
 * blocks. */
static inline void exact_make_mappings(struct fixture *f)
{
    for (size_t i = 0; i < f->event_count; i++) {
        struct event *e = &f->events[i].event;
        if (e->class == 0 || e->class % 5 || e->kind > EVENT_FREE_IMPLIED)
            continue;
        e->kind = e->kind == EVENT_ALLOC ? EVENT_MAP : EVENT_UNMAP;
        f->image->processes[f->events[i].process].totals.maps += e->kind == EVENT_MAP;
    }
}

static inline int exact_has(enum series series, enum event_kind kind)
{
    return series == SERIES_MEMORY || event_maps(kind) == (series == SERIES_MAPPED);
}

/* Is this no change of its own, as the rest of its step follows? `next`: the process's next event.
 */
static inline int exact_goes_on(const struct event *e, const struct event *next)
{
    return next && (e->kind == EVENT_REALLOC_FREE || e->kind == EVENT_FREE_IMPLIED) &&
           (next->kind == EVENT_ALLOC || next->kind == EVENT_REALLOC_FREE);
}

static inline const struct event *exact_next(const struct fixture *f, size_t i)
{
    for (size_t k = i + 1; k < f->event_count; k++)
        if (f->events[k].process == f->events[i].process)
            return &f->events[k].event;
    return NULL;
}

static inline uint64_t exact_after(uint64_t level, const struct event *e)
{
    if (e->kind == EVENT_ALLOC || e->kind == EVENT_MAP)
        return level + e->bytes;
    return event_frees(e->kind) || e->kind == EVENT_UNMAP ? level - e->bytes : level;
}

static inline struct exact exact_make(const struct fixture *f, uint32_t process, enum series series)
{
    struct exact x = {.steps = calloc(f->event_count + 1, sizeof *x.steps)};
    uint64_t level = 0, mapped = 0;
    for (size_t i = 0; i < f->event_count; i++) {
        const struct event *e = &f->events[i].event;
        if (f->events[i].process != process || !exact_has(series, e->kind))
            continue;
        level = exact_after(level, e);
        if (series == SERIES_MEMORY && event_maps(e->kind))
            mapped = exact_after(mapped, e);
        if (!exact_goes_on(e, exact_next(f, i)))
            x.steps[x.count++] = (struct step){e->ns, level, mapped};
    }
    for (size_t i = 0; i < x.count; i++)
        timeline_add_parts(&x.summary, x.steps[i].ns, x.steps[i].level, x.steps[i].mapped);
    return x;
}

static inline void exact_free(struct exact *x)
{
    free(x->steps);
    timeline_clear(&x->summary);
}

/* Gives a process the lines of its summary. They stay the exact ones' own. */
static inline void exact_give(struct process *p, const struct exact of[SERIES_COUNT])
{
    p->heap = of[SERIES_HEAP].summary.buckets;
    p->heap_count = of[SERIES_HEAP].summary.count;
    p->mapped = of[SERIES_MAPPED].summary.buckets;
    p->mapped_count = of[SERIES_MAPPED].summary.count;
    p->memory = of[SERIES_MEMORY].summary.buckets;
    p->memory_count = of[SERIES_MEMORY].summary.count;
}

/* The level at a moment; 0: nothing has happened yet. */
static inline int exact_at(const struct exact *x, uint64_t ns, uint64_t *level)
{
    size_t i = 0;
    while (i < x->count && x->steps[i].ns <= ns)
        i++;
    *level = i ? x->steps[i - 1].level : 0;
    return i > 0;
}

/* The first of the highest steps in [begin, end), or the level that these begin with. */
static inline struct step exact_highest(const struct exact *x, uint64_t begin, uint64_t end)
{
    struct step highest = {0};
    for (size_t i = 0; i < x->count && x->steps[i].ns < end; i++) {
        struct step step = x->steps[i];
        if (step.ns < begin || step.level > highest.level)
            highest = step;
    }
    return highest;
}

/* The same of a line of buckets. */
static inline struct bucket exact_highest_shown(struct line_of line)
{
    struct bucket highest = {0};
    for (size_t i = 0; i < line.count; i++)
        if (line.buckets[i].max_bytes > highest.max_bytes)
            highest = line.buckets[i];
    return highest;
}

/* The level of a line of buckets at a moment; 0: nothing has happened yet. */
static inline int exact_shown_at(struct line_of line, uint64_t ns, uint64_t *level)
{
    struct steps s = {.buckets = line.buckets, .count = line.count};
    uint64_t at, now;
    int found = 0;
    *level = 0;
    while (steps_next(&s, &at, &now) && at <= ns) {
        *level = now;
        found = 1;
    }
    return found;
}

static inline uint64_t exact_tick_end(uint64_t ns)
{
    return ns / TICK * TICK + TICK - 1;
}

static inline size_t exact_steps_in(const struct exact *x, uint64_t begin, uint64_t end)
{
    size_t count = 0;
    for (size_t i = 0; i < x->count; i++)
        count += x->steps[i].ns >= begin && x->steps[i].ns < end;
    return count;
}

/* Can the line of a stretch be exact? Where the summary has joined changes it is not, but in a
 * stretch in which it has more buckets than there are ticks, or half of all, events would show no
 * more. */
static inline int exact_can_be(const struct exact *x, uint64_t begin, uint64_t end)
{
    size_t inside = 0;
    for (size_t i = 0; i < x->summary.count; i++)
        inside += x->summary.buckets[i].begin_ns >= begin && x->summary.buckets[i].begin_ns < end;
    int is_joined = x->summary.count >= TIMELINE_BUCKETS / 2;
    return exact_steps_in(x, begin, end) <= TIMELINE_BUCKETS &&
           (!is_joined || (inside < TIMELINE_BUCKETS / 2 && end - begin > inside * TICK));
}

static inline void exact_write(const struct fixture *f, const char *name)
{
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(fixture_write(f, fd, 100), WRITER_OK);
    close(fd);
}

/* A moment at the beginning of a tick, at most `end`. */
static inline uint64_t exact_random_tick(uint64_t end)
{
    return fixture_random(end / TICK + 1) * TICK;
}

#endif
