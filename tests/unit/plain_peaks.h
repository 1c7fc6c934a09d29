/*
 * plain_peaks.h - own peaks, spans and activations the plain way: each event goes to each function
 * of its stack at once. It is what functions.c is held against.
 */
#ifndef PLAIN_PEAKS_H
#define PLAIN_PEAKS_H

#include "heap.h"
#include "spans.h"
#include <string.h>

#define FUNCTIONS 24 /* 0 unknown; the last two are allocation functions */
#define LOCATIONS 80
#define STREAMS   3
#define DEEPEST   40

static struct function functions[FUNCTIONS];
static struct frame frames[LOCATIONS * 3];
static struct location locations[LOCATIONS];

struct plain_activation {
    uint32_t function, outermost;
    struct heap_moment begin;
};

/* A stream: the locations of its stack, outermost first, and an activation each logical frame. */
struct plain_stream {
    uint32_t stack[DEEPEST];
    uint32_t depth;
    struct plain_activation activations[DEEPEST * 3];
    uint32_t activation_count;
};

struct plain_series {
    uint64_t live[2][FUNCTIONS], peak[2][FUNCTIONS], peak_ns[2][FUNCTIONS]; /* self, inclusive */
    uint64_t at_peak[2][FUNCTIONS];
    uint32_t who[FUNCTIONS]; /* of the inclusive peak */
    uint64_t level, highest, highest_ns;
    struct span spans[FUNCTIONS];
};

struct plain {
    struct plain_series series[SERIES_COUNT];
    uint64_t mapped_then[2][FUNCTIONS], mapped_level_then; /* at the peak of memory */
    uint64_t begun[FUNCTIONS];
    struct plain_stream streams[STREAMS];
};

struct block { /* or a piece of mapped memory */
    uint32_t stack[DEEPEST];
    uint32_t depth;
    uint64_t size;
    uint32_t node;
};

/* The functions that an event on this stack counts for, each once; returns the one that allocates.
 */
static inline uint32_t list_functions(const uint32_t *stack, uint32_t depth, uint8_t *on)
{
    int at_leaf = 1;
    uint32_t self = 0;

    memset(on, 0, FUNCTIONS);
    while (depth-- > 0) {
        const struct location *l = &locations[stack[depth]];
        for (uint32_t i = 0; i < l->frame_count; i++) {
            uint32_t function = frames[l->frame_first + i].function;
            if (at_leaf && functions[function].flags & FUNCTION_ALLOCATOR)
                continue;
            self = at_leaf ? function : self;
            at_leaf = 0;
            on[function] = 1;
        }
    }
    on[0] |= at_leaf;
    return self;
}

static inline void change_series(struct plain_series *p, const struct block *b, int64_t bytes,
                                 uint64_t ns, uint32_t who)
{
    uint8_t on[2][FUNCTIONS] = {{0}};
    on[0][list_functions(b->stack, b->depth, on[1])] = 1;
    p->level += (uint64_t)bytes;
    for (int kind = 0; kind < 2; kind++)
        for (uint32_t f = 0; f < FUNCTIONS; f++) {
            if (!on[kind][f])
                continue;
            p->live[kind][f] += (uint64_t)bytes;
            if (p->live[kind][f] <= p->peak[kind][f])
                continue;
            p->peak[kind][f] = p->live[kind][f];
            p->peak_ns[kind][f] = ns;
            if (kind == 1)
                p->who[f] = who;
        }
}

static inline void plain_change(struct plain *p, enum series series, const struct block *b,
                                int64_t bytes, uint64_t ns, uint32_t who)
{
    change_series(&p->series[series], b, bytes, ns, who);
    change_series(&p->series[SERIES_MEMORY], b, bytes, ns, who);
}

static inline void plain_settle(struct plain *p, uint64_t ns)
{
    for (enum series k = 0; k < SERIES_COUNT; k++) {
        struct plain_series *s = &p->series[k];
        if (s->level <= s->highest)
            continue;
        s->highest = s->level;
        s->highest_ns = ns;
        memcpy(s->at_peak, s->live, sizeof s->at_peak);
        if (k != SERIES_MEMORY)
            continue;
        memcpy(p->mapped_then, p->series[SERIES_MAPPED].live, sizeof p->mapped_then);
        p->mapped_level_then = p->series[SERIES_MAPPED].level;
    }
}

static inline uint64_t level_at(struct heap_moment moment, enum series series)
{
    static const int parts[SERIES_COUNT][2] = {{1, 0}, {0, 1}, {1, 1}};
    return (parts[series][0] ? moment.heap_bytes : 0) +
           (parts[series][1] ? moment.mapped_bytes : 0);
}

static inline void end_activation(struct plain_series *p, enum series series, uint32_t who,
                                  const struct plain_activation *a, struct heap_moment last)
{
    uint32_t f = a->function;
    if (!a->outermost || p->peak[1][f] == 0 || p->who[f] != who || p->peak_ns[1][f] < a->begin.ns)
        return;
    p->spans[f] = (struct span){
        .begin_ns = a->begin.ns,
        .end_ns = last.ns > p->peak_ns[1][f] ? last.ns : p->peak_ns[1][f],
        .begin_level = level_at(a->begin, series),
        .end_level = level_at(last, series),
        .thread = who,
        .valid = 1,
    };
}

/* The activations from number `from` on ended at `last`. */
static inline void plain_end(struct plain *p, uint32_t who, uint32_t from, struct heap_moment last)
{
    struct plain_stream *s = &p->streams[who];
    for (uint32_t i = from; i < s->activation_count; i++)
        for (enum series k = 0; k < SERIES_COUNT; k++)
            end_activation(&p->series[k], k, who, &s->activations[i], last);
    s->activation_count = from;
}

/* The thread is over: only its outermost function is known to have gone on after the last stack. */
static inline void plain_close(struct plain *p, uint32_t who, struct heap_moment shown,
                               struct heap_moment last)
{
    plain_end(p, who, p->streams[who].activation_count ? 1 : 0, shown);
    plain_end(p, who, 0, last);
}

/* The stream's stack is another one: what is the same further out goes on, and so do the frames of
 * one location that are of the same functions as those they replace. */
static inline void plain_stack(struct plain *p, uint32_t who, const uint32_t *stack, uint32_t depth,
                               struct heap_moment now, struct heap_moment last)
{
    struct plain_stream *s = &p->streams[who];
    uint32_t same = 0, kept = 0, common = 0;
    while (same < depth && same < s->depth && stack[same] == s->stack[same])
        kept += locations[stack[same++]].frame_count;
    if (same == depth && same == s->depth)
        return;
    if (same < depth && same < s->depth) {
        const struct location *old = &locations[s->stack[same]], *new = &locations[stack[same]];
        while (common < old->frame_count &&
               common < new->frame_count &&frames[old->frame_first + old->frame_count - 1 - common]
                            .function ==
                   frames[new->frame_first + new->frame_count - 1 - common].function)
            common++;
    }
    plain_end(p, who, kept + common, last);
    for (uint32_t i = same; i < depth; i++, common = 0) {
        const struct location *l = &locations[stack[i]];
        for (uint32_t k = l->frame_count - common; k-- > 0;) {
            struct plain_activation *a = &s->activations[s->activation_count];
            *a = (struct plain_activation){frames[l->frame_first + k].function, 1, now};
            for (uint32_t j = 0; j < s->activation_count; j++)
                a->outermost &= s->activations[j].function != a->function;
            p->begun[a->function] += a->outermost;
            s->activation_count++;
        }
    }
    memcpy(s->stack, stack, depth * sizeof *stack);
    s->depth = depth;
}

#endif
