/* together.c - steps of many lines merged by time. */
#include "together.h"
#include "xalloc.h"

#include <stdlib.h>

/* ---- the steps of one line ---- */

struct change {
    uint64_t ns, level;
};

static int is_same(struct change a, struct change b)
{
    return a.ns == b.ns && a.level == b.level;
}

/* A bucket's changes in order of time; returns how many of them are different ones. */
static int changes_of(const struct bucket *b, struct change changes[4])
{
    struct change first = {b->begin_ns, b->first_bytes}, last = {b->last_ns, b->last_bytes};
    struct change high = {b->max_ns, b->max_bytes}, low = {b->min_ns, b->min_bytes};
    struct change between[2] = {b->max_ns <= b->min_ns ? high : low,
                                b->max_ns <= b->min_ns ? low : high};
    int count = 0;
    changes[count++] = first;
    for (int i = 0; i < 2; i++)
        if (!is_same(between[i], first) && !is_same(between[i], last))
            changes[count++] = between[i];
    if (!is_same(last, changes[count - 1]))
        changes[count++] = last;
    return count;
}

/* What the mapped line has come to at that time. Times do not fall from call to call. */
static uint64_t mapped_level(struct steps *s, uint64_t ns)
{
    const struct bucket *line = s->mapped.buckets;
    struct change changes[4];
    uint64_t level = 0;
    while (s->mapped_at + 1 < s->mapped.count && line[s->mapped_at + 1].begin_ns <= ns)
        s->mapped_at++;
    if (s->mapped_at >= s->mapped.count)
        return 0;
    int count = changes_of(&line[s->mapped_at], changes);
    for (int i = 0; i < count && changes[i].ns <= ns; i++)
        level = changes[i].level;
    return level;
}

static uint64_t mapped_part(struct steps *s, const struct bucket *b, struct change change)
{
    int is_highest = is_same(change, (struct change){b->max_ns, b->max_bytes});
    uint64_t mapped = is_highest ? b->max_mapped_bytes : mapped_level(s, change.ns);
    return mapped < change.level ? mapped : change.level;
}

int steps_next(struct steps *s, uint64_t *ns, uint64_t *level)
{
    struct change changes[4];
    if (s->next >= s->count)
        return 0;
    const struct bucket *b = &s->buckets[s->next];
    int count = changes_of(b, changes);
    struct change change = changes[s->change];
    *ns = change.ns;
    *level = change.level;
    s->mapped_bytes = mapped_part(s, b, change);
    if (++s->change >= count) {
        s->change = 0;
        s->next++;
    }
    return 1;
}

/* ---- many lines, by time ---- */

struct source { /* a course's next step; a course that has ended is no longer in the heap */
    const struct course *course;
    struct steps steps;
    size_t sample;
    int over;                   /* the step to 0 at the end was given */
    uint64_t ns, level, mapped; /* of the next step, in the common time */
    uint64_t held, held_mapped; /* of the previous step */
};

struct merge {
    uint64_t level, mapped; /* the sum, and how much of it is mapped */
    struct source *sources;
    size_t *heap; /* the earliest first, of equal ones the first of the list */
    size_t count;
    int (*next)(struct source *);
};

/* Steps after the end (a free later than the last we know of the process) change nothing; one at
 * the end does, as a process that was killed ends with its last event. */
static int take_step(struct source *s, int got, uint64_t ns, uint64_t level, uint64_t end_ns)
{
    if (got && !s->over && (s->course->runs_on || ns <= end_ns)) {
        s->ns = ns + s->course->shift_ns;
        s->level = level;
        s->mapped = s->steps.mapped_bytes;
        return 1;
    }
    if (s->over || s->course->runs_on)
        return 0;
    s->over = 1;
    s->ns = end_ns + s->course->shift_ns;
    s->level = s->mapped = 0;
    return 1;
}

static int next_bucket_step(struct source *s)
{
    uint64_t ns = 0, level = 0;
    int got = s->over ? 0 : steps_next(&s->steps, &ns, &level);
    return take_step(s, got, ns, level, s->course->end_ns);
}

static int next_sample_step(struct source *s)
{
    const struct course *c = s->course;
    uint64_t end_ns = c->samples_end_ns ? c->samples_end_ns : c->end_ns;
    if (c->sample_count == 0)
        return 0;
    if (s->sample >= c->sample_count || s->over)
        return take_step(s, 0, 0, 0, end_ns);
    const struct sample *sample = &c->samples[s->sample++];
    return take_step(s, 1, sample->ns, sample->rss_bytes, end_ns);
}

static int is_before(const struct merge *m, size_t a, size_t b)
{
    const struct source *x = &m->sources[a], *y = &m->sources[b];
    return x->ns != y->ns ? x->ns < y->ns : a < b;
}

static void sink(struct merge *m, size_t at)
{
    for (size_t child; (child = 2 * at + 1) < m->count; at = child) {
        if (child + 1 < m->count && is_before(m, m->heap[child + 1], m->heap[child]))
            child++;
        if (!is_before(m, m->heap[child], m->heap[at]))
            return;
        size_t moved = m->heap[at];
        m->heap[at] = m->heap[child];
        m->heap[child] = moved;
    }
}

static void merge_begin(struct merge *m, const struct course *courses, size_t count,
                        int (*next)(struct source *))
{
    *m = (struct merge){.sources = xcalloc(count + 1, sizeof *m->sources),
                        .heap = xcalloc(count + 1, sizeof *m->heap),
                        .next = next};
    for (size_t i = 0; i < count; i++) {
        struct source *s = &m->sources[i];
        s->course = &courses[i];
        s->steps = (struct steps){
            .buckets = courses[i].buckets, .count = courses[i].count, .mapped = courses[i].mapped};
        if (next(s))
            m->heap[m->count++] = i;
    }
    for (size_t i = m->count / 2; i-- > 0;)
        sink(m, i);
}

/* The sum changes at *ns; 0 at the end. */
static int merge_next(struct merge *m, uint64_t *ns)
{
    if (m->count == 0)
        return 0;
    struct source *s = &m->sources[m->heap[0]];
    *ns = s->ns;
    m->level += s->level - s->held; /* modulo 2^64, and right in the end */
    m->mapped += s->mapped - s->held_mapped;
    s->held = s->level;
    s->held_mapped = s->mapped;
    uint64_t before = s->ns;
    if (!m->next(s))
        m->heap[0] = m->heap[--m->count];
    else if (s->ns < before)
        s->ns = before; /* only a damaged file has times that fall */
    sink(m, 0);
    return 1;
}

static void merge_end(struct merge *m)
{
    free(m->sources);
    free(m->heap);
}

/* Is the next step, too, no later than that? */
static int goes_on_at(const struct merge *m, uint64_t ns)
{
    return m->count > 0 && m->sources[m->heap[0]].ns <= ns;
}

/* Is the next step that of a process to nothing, at its end? */
static int is_at_end(const struct merge *m)
{
    return m->count > 0 && m->sources[m->heap[0]].over;
}

void together_line(const struct course *courses, size_t count, uint64_t from_ns,
                   struct timeline *sum)
{
    struct merge m;
    uint64_t ns;
    merge_begin(&m, courses, count, next_bucket_step);
    while (merge_next(&m, &ns))
        if (from_ns == 0 || !goes_on_at(&m, from_ns))
            timeline_add_parts(sum, ns, m.level, m.mapped);
    merge_end(&m);
}

/* Whoever joins the samples by lines shall see that a process held its last one until its end. */
static void hold_until(struct samples *sum, uint64_t ns, uint64_t level)
{
    if (sum->count && sum->list[sum->count - 1].ns < ns)
        samples_add(sum, (struct sample){ns - 1, level});
}

void together_samples(const struct course *courses, size_t count, struct samples *sum)
{
    struct merge m;
    uint64_t ns, before = 0;
    int ends = 0; /* does any process at this moment? */
    merge_begin(&m, courses, count, next_sample_step);
    while (m.count > 0) {
        ends |= is_at_end(&m);
        merge_next(&m, &ns);
        if (goes_on_at(&m, ns)) /* one level a moment */
            continue;
        if (ends)
            hold_until(sum, ns, before);
        samples_add(sum, (struct sample){ns, m.level});
        before = m.level;
        ends = 0;
    }
    merge_end(&m);
    samples_sort(sum);
}
