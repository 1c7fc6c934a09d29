/*
 * payload_parts.h - what several payloads consist of: figures, activations, leaks, lines. Each
 * function codes an array by columns in either direction (codec.h); a member of a record is given
 * by the first record's, and the records' distance in bytes.
 */
#ifndef MPROF_PAYLOAD_PARTS_H
#define MPROF_PAYLOAD_PARTS_H

#include "codec.h"
#include "summary.h"

/* A figure relative to another one that it often equals or is close to. */
void code_near(struct codec *c, uint64_t *value, uint64_t other);

/* All figures of self, and of inclusive near those. */
void code_usages(struct codec *c, struct usage *self, struct usage *inclusive, size_t count,
                 size_t stride);
/* The same without inclusive. */
void code_usage(struct codec *c, struct usage *usage, size_t count, size_t stride);

/* inclusive: the figures whose own peak's time lies in the span. */
void code_spans(struct codec *c, struct span *span, const struct usage *inclusive, size_t count,
                size_t stride);

void code_leaks(struct codec *c, struct leak *leaks, size_t count);

/* A line of a capture of that version. */
void code_line(struct codec *c, struct bucket *buckets, size_t count, uint32_t version);

/* Codes an array's count and, when reading, takes the array from the arena. `least`: bytes of an
 * entry. */
#define CODE_ARRAY(c, image, array, count, least)                                                  \
    do {                                                                                           \
        code_count((c), &(count), (least));                                                        \
        if ((c)->out == NULL)                                                                      \
            (array) = arena_take((image)->memory, ((count) + 1) * sizeof *(array));                \
    } while (0)

#endif
