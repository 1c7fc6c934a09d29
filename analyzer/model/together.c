/* together.c - steps of many lines merged by time. */
#include "together.h"
#include "xalloc.h"

#include <stdlib.h>

/* ---- the steps of one line ---- */

/* Smallest distance between two buckets: where they lie further apart, the last value holds. */
static uint64_t bucket_width(const struct bucket *buckets, size_t count)
{
    uint64_t width = UINT64_MAX;
    for (size_t i = 1; i < count; i++) {
        uint64_t step = buckets[i].begin_ns - buckets[i - 1].begin_ns;
        if (step > 0 && step < width)
            width = step;
    }
    return width;
}

void steps_begin(struct steps *s, const struct bucket *buckets, size_t count, uint64_t end_ns)
{
    *s = (struct steps){.buckets = buckets,
                        .count = count,
                        .width = bucket_width(buckets, count),
                        .end_ns = end_ns};
}

static uint64_t close_of(const struct steps *s, size_t i)
{
    const struct bucket *b = &s->buckets[i];
    uint64_t next = i + 1 < s->count ? b[1].begin_ns : s->end_ns;
    uint64_t close = next > b->begin_ns ? next : b->begin_ns;
    return close - b->begin_ns > s->width ? b->begin_ns + s->width : close;
}

int steps_next(struct steps *s, uint64_t *ns, uint64_t *level)
{
    for (; s->next < s->count; s->next++, s->part = 0) {
        const struct bucket *b = &s->buckets[s->next];
        uint64_t close = close_of(s, s->next);
        uint64_t top = b->max_ns >= b->begin_ns && b->max_ns <= close ? b->max_ns : b->begin_ns;
        if (s->part == 0) {
            s->part = 1;
            *ns = top;
            *level = b->max_bytes;
            return 1;
        }
        if (s->part == 1) {
            s->part = 2;
            *ns = top;
            *level = b->min_bytes;
            if (b->min_bytes < s->before && b->min_bytes < b->last_bytes)
                return 1;
        }
        if (s->part == 2) {
            s->part = 3;
            s->before = b->last_bytes;
            *ns = close;
            *level = b->last_bytes;
            if (b->last_bytes != b->max_bytes)
                return 1;
        }
    }
    return 0;
}

/* ---- many lines, by time ---- */

struct source { /* a course's next step; a course that has ended is no longer in the heap */
    const struct course *course;
    struct steps steps;
    size_t sample;
    int over;           /* the step to 0 at the end was given */
    uint64_t ns, level; /* of the next step, in the common time */
    uint64_t held;      /* level of the previous step */
};

struct merge {
    struct source *sources;
    size_t *heap; /* the earliest first, of equal ones the first of the list */
    size_t count;
    int (*next)(struct source *);
};

/* Steps after the end (a free later than the last we know of the process) change nothing; one at
 * the end does, as a process that was killed ends with its last event. */
static int take_step(struct source *s, int got, uint64_t ns, uint64_t level)
{
    if (got && !s->over && (s->course->runs_on || ns <= s->course->end_ns)) {
        s->ns = ns + s->course->shift_ns;
        s->level = level;
        return 1;
    }
    if (s->over || s->course->runs_on)
        return 0;
    s->over = 1;
    s->ns = s->course->end_ns + s->course->shift_ns;
    s->level = 0;
    return 1;
}

static int next_bucket_step(struct source *s)
{
    uint64_t ns = 0, level = 0;
    int got = s->over ? 0 : steps_next(&s->steps, &ns, &level);
    return take_step(s, got, ns, level);
}

static int next_sample_step(struct source *s)
{
    const struct course *c = s->course;
    if (s->sample >= c->sample_count || s->over)
        return take_step(s, 0, 0, 0);
    const struct sample *sample = &c->samples[s->sample++];
    return take_step(s, 1, sample->ns, sample->rss_bytes);
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
        steps_begin(&s->steps, courses[i].buckets, courses[i].count, courses[i].end_ns);
        if (next(s))
            m->heap[m->count++] = i;
    }
    for (size_t i = m->count / 2; i-- > 0;)
        sink(m, i);
}

/* The sum from *ns on; 0 at the end. */
static int merge_next(struct merge *m, uint64_t *ns, uint64_t *sum)
{
    if (m->count == 0)
        return 0;
    struct source *s = &m->sources[m->heap[0]];
    *ns = s->ns;
    *sum += s->level - s->held; /* modulo 2^64, and right in the end */
    s->held = s->level;
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

void together_heap(const struct course *courses, size_t count, struct timeline *sum)
{
    struct merge m;
    uint64_t ns, level = 0;
    merge_begin(&m, courses, count, next_bucket_step);
    while (merge_next(&m, &ns, &level))
        timeline_add(sum, ns, level);
    merge_end(&m);
}

void together_samples(const struct course *courses, size_t count, struct samples *sum)
{
    struct merge m;
    uint64_t ns, level = 0;
    merge_begin(&m, courses, count, next_sample_step);
    while (merge_next(&m, &ns, &level))
        samples_add(sum, (struct sample){ns, level});
    merge_end(&m);
    samples_sort(sum);
}
