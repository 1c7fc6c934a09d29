/* timeline.c - buckets that double their width, and thinned samples. */
#include "timeline.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_WIDTH 1u /* ns: no change is lost while there are no more than buckets */

void bucket_join(struct bucket *into, const struct bucket *next)
{
    if (next->max_bytes > into->max_bytes) {
        into->max_bytes = next->max_bytes;
        into->max_ns = next->max_ns;
        into->max_mapped_bytes = next->max_mapped_bytes;
    }
    if (next->min_bytes < into->min_bytes) {
        into->min_bytes = next->min_bytes;
        into->min_ns = next->min_ns;
    }
    into->last_bytes = next->last_bytes;
    into->last_ns = next->last_ns;
}

static void double_width(struct timeline *t)
{
    size_t kept = 0;

    t->width *= 2;
    for (size_t i = 1; i < t->count; i++) {
        if (t->buckets[kept].begin_ns / t->width == t->buckets[i].begin_ns / t->width)
            bucket_join(&t->buckets[kept], &t->buckets[i]);
        else
            t->buckets[++kept] = t->buckets[i];
    }
    t->count = kept + 1;
}

static uint64_t end_of_slot(uint64_t ns, uint64_t width)
{
    uint64_t end;
    return __builtin_mul_overflow(ns / width + 1, width, &end) ? UINT64_MAX : end;
}

static void open_bucket(struct timeline *t, const struct bucket *bucket)
{
    if (t->width == 0)
        t->width = FIRST_WIDTH;
    while (t->count == TIMELINE_BUCKETS)
        double_width(t);
    t->limit = end_of_slot(bucket->begin_ns, t->width);
    if (t->count && t->buckets[t->count - 1].begin_ns / t->width == bucket->begin_ns / t->width) {
        bucket_join(&t->buckets[t->count - 1], bucket);
        return;
    }
    t->buckets = xgrow(t->buckets, &t->capacity, t->count + 1, sizeof *t->buckets);
    t->buckets[t->count++] = *bucket;
}

void timeline_open(struct timeline *t, uint64_t ns, uint64_t level, uint64_t mapped)
{
    struct bucket bucket = bucket_of(ns, level);
    bucket.max_mapped_bytes = mapped;
    open_bucket(t, &bucket);
}

void timeline_copy(struct timeline *to, const struct timeline *from)
{
    *to = *from;
    to->buckets = NULL;
    to->capacity = 0;
    to->buckets = xgrow(NULL, &to->capacity, from->count + 1, sizeof *to->buckets);
    if (from->count)
        memcpy(to->buckets, from->buckets, from->count * sizeof *to->buckets);
}

struct bucket *timeline_take(const struct timeline *t, struct arena *memory)
{
    struct bucket *copy = arena_take(memory, (t->count + 1) * sizeof *copy);
    if (t->count)
        memcpy(copy, t->buckets, t->count * sizeof *copy);
    return copy;
}

void timeline_clear(struct timeline *t)
{
    free(t->buckets);
    memset(t, 0, sizeof *t);
}

static int by_time(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;
    return (x->ns > y->ns) - (x->ns < y->ns);
}

void samples_sort(struct samples *s)
{
    if (s->count)
        qsort(s->list, s->count, sizeof *s->list, by_time);
}

/* At least halves the number: merges samples closer than twice the mean distance. */
static void thin(struct samples *s)
{
    size_t kept = 0;

    samples_sort(s);
    uint64_t span = s->list[s->count - 1].ns - s->list[0].ns;
    uint64_t slot = span / (SAMPLES_MAX / 2) + 1;
    for (size_t i = 1; i < s->count; i++) {
        if (s->list[i].ns / slot != s->list[kept].ns / slot)
            s->list[++kept] = s->list[i];
        else if (s->list[i].rss_bytes > s->list[kept].rss_bytes)
            s->list[kept] = s->list[i];
    }
    s->count = kept + 1;
}

void samples_add(struct samples *s, struct sample sample)
{
    if (sample.rss_bytes > s->highest)
        s->highest = sample.rss_bytes;
    s->list = xgrow(s->list, &s->capacity, s->count + 1, sizeof *s->list);
    s->list[s->count++] = sample;
    if (s->count >= SAMPLES_MAX)
        thin(s);
}

void samples_clear(struct samples *s)
{
    free(s->list);
    memset(s, 0, sizeof *s);
}
