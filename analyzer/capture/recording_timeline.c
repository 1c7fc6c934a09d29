/* recording_timeline.c - a stretch of a process's line, from its summary or from its events. */
#include "capture_format.h"
#include "recording.h"
#include "timeline.h"
#include "together.h"

/* ---- the cut ---- */

struct cut {
    uint64_t begin, end;
    struct timeline *line;  /* of [begin, end) */
    uint64_t level, mapped; /* before `begin`; how much of memory was mapped */
    int is_level_real;      /* there was a change before `begin` */
    enum series series;
};

/* The level that the stretch begins with. */
static void put_first(struct cut *c)
{
    if (c->line->count == 0 && c->is_level_real)
        timeline_add_parts(c->line, c->begin, c->level, c->mapped);
}

/* Changes come in order of time; those behind the end are none of the stretch. */
static void cut_add(struct cut *c, uint64_t ns, uint64_t level, uint64_t mapped)
{
    if (ns < c->begin) {
        c->level = level;
        c->mapped = mapped;
        return;
    }
    put_first(c);
    if (ns < c->end)
        timeline_add_parts(c->line, ns, level, mapped);
}

/* ---- where the changes come from ---- */

static void add_summary(struct cut *c, const struct process *p)
{
    struct line_of line = process_line(p, c->series);
    struct steps steps = {.buckets = line.buckets, .count = line.count};
    uint64_t ns, level;
    if (c->series == SERIES_MEMORY && process_has_parts(p))
        steps.mapped = process_line(p, SERIES_MAPPED);
    while (steps_next(&steps, &ns, &level))
        cut_add(c, ns, level, steps.mapped_bytes);
}

/* Is this no moment of its own, as the rest of its step, an allocation, follows? */
static int is_first_of_step(const struct event *e)
{
    return e->kind == EVENT_REALLOC_FREE || e->kind == EVENT_FREE_IMPLIED;
}

static int is_rest_of_step(const struct event *e)
{
    return e->kind == EVENT_ALLOC || e->kind == EVENT_REALLOC_FREE;
}

static int is_change_of(enum series series, enum event_kind kind)
{
    return series == SERIES_MEMORY || event_maps(kind) == (series == SERIES_MAPPED);
}

/* How much of memory is mapped now. */
static uint64_t mapped_part(const struct cut *c, struct recording *r)
{
    return c->series == SERIES_MEMORY ? recording_level(r, SERIES_MAPPED) : 0;
}

static int add_events(struct cut *c, struct recording *r, uint32_t process)
{
    struct event e;
    uint64_t held_ns = 0, held_level = 0, held_mapped = 0;
    int is_held = 0; /* the event before was the first part of a step */
    int rc = recording_seek(r, process, c->begin);
    if (rc != RECORDING_OK)
        return rc;
    c->level = recording_level(r, c->series);
    c->mapped = mapped_part(c, r);
    while ((rc = recording_next(r, &e)) > 0 && e.ns < c->end) {
        if (!is_change_of(c->series, e.kind))
            continue;
        if (is_held && !is_rest_of_step(&e))
            cut_add(c, held_ns, held_level, held_mapped);
        held_ns = e.ns;
        held_level = recording_level(r, c->series);
        held_mapped = mapped_part(c, r);
        is_held = is_first_of_step(&e);
        if (!is_held)
            cut_add(c, held_ns, held_level, held_mapped);
    }
    if (is_held)
        cut_add(c, held_ns, held_level, held_mapped);
    return rc < 0 ? rc : RECORDING_OK;
}

/* Would the events show more than the summary's buckets? They never do below a tick's length. */
static int events_are_finer(struct line_of line, uint64_t begin, uint64_t end)
{
    size_t inside = 0;
    if (line.count < TIMELINE_BUCKETS / 2) /* none of them was ever joined with another */
        return 0;
    for (size_t i = 0; i < line.count; i++)
        inside += line.buckets[i].begin_ns >= begin && line.buckets[i].begin_ns < end;
    return inside * 2 < TIMELINE_BUCKETS && end - begin > inside * (uint64_t)CAPTURE_TICK_NS;
}

int recording_timeline(struct recording *r, uint32_t process, enum series series, uint64_t begin_ns,
                       uint64_t end_ns, struct timeline *line)
{
    const struct process *p = image_process(recording_image(r), process);
    struct line_of whole = p ? process_line(p, series) : (struct line_of){NULL, 0};
    struct cut c = {.begin = begin_ns, .end = end_ns, .line = line, .series = series};
    int rc = RECORDING_OK;
    if (p && p->series_unknown && series == SERIES_MEMORY)
        c.series = SERIES_HEAP; /* as in the summary: its mappings may be any */
    if (!p || end_ns <= begin_ns)
        return RECORDING_OK;
    c.is_level_real = whole.count > 0 && whole.buckets[0].begin_ns < begin_ns;
    if (events_are_finer(whole, begin_ns, end_ns))
        rc = add_events(&c, r, process);
    else
        add_summary(&c, p);
    put_first(&c);
    return rc;
}
