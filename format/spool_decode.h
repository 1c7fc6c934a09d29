/*
 * spool_decode.h - decodes many events fast: the usual ones inline, all others by spool_decode.
 *
 * Nearly all of a recording (blocks that come and go) lies well inside the buffer, only the last
 * events near its end. Well inside, whole words are read and cut to size, without a check for the
 * end at each field. The order and the names of the fields are those of spool_decode.c and
 * spool_encode.c. Trusts nothing: whatever is unusual goes to spool_decode.
 */
#ifndef MPROF_SPOOL_DECODE_H
#define MPROF_SPOOL_DECODE_H

#include "spool.h"

#include <string.h>

/* head; ticks, address and size; base and push in at most 3 bytes each; a word read too far */
#define SPOOL_INSIDE (2 + 3 * 8 + 2 * 3 + 8)

static inline uint64_t spool_word(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* The lowest n bytes of a word; n is 1 .. 8. */
static inline uint64_t spool_cut(uint64_t v, unsigned n)
{
    return v << (64 - 8 * n) >> (64 - 8 * n);
}

/* Reads a LEB128 of at most 3 bytes; returns the place after it, or NULL where it is longer. */
static inline const uint8_t *spool_short_leb(const uint8_t *p, uint32_t *v)
{
    *v = p[0] & 127;
    if (__builtin_expect(p[0] < 128, 1))
        return p + 1;
    *v |= (uint32_t)(p[1] & 127) << 7;
    if (p[1] < 128)
        return p + 2;
    *v |= (uint32_t)(p[2] & 127) << 14;
    return p[2] < 128 ? p + 3 : NULL;
}

/* Does what spool_decode does. */
static inline size_t spool_decode_next(const uint8_t *start, const uint8_t *end, unsigned version,
                                       struct spool_delta *d, struct spool_event *e)
{
    const unsigned usual = 1u << SPOOL_ALLOC | 1u << SPOOL_FREE | 1u << SPOOL_REALLOC_BEGIN |
                           1u << SPOOL_REALLOC_MOVED;
    const unsigned sized = 1u << SPOOL_ALLOC | 1u << SPOOL_REALLOC_MOVED;
    const uint8_t *p = start;

    if (__builtin_expect(end - p < SPOOL_INSIDE, 0))
        return spool_decode(start, end, version, d, e);
    unsigned head = (unsigned)p[0] | (unsigned)p[1] << 8, kind = head & 15;
    if (!(usual >> kind & 1) || head & 1u << 14 || version < 2)
        return spool_decode(start, end, version, d, e);
    unsigned n = (head >> 4 & 7) + 1;
    uint64_t ticks = d->ticks + spool_cut(spool_word(p + 2), n);
    p += 2 + n;
    n = (head >> 7 & 7) + 1;
    uint64_t v = spool_cut(spool_word(p), n);
    uint64_t delta = v >> 1 ^ (0 - (v & 1));
    uint64_t address = d->address + (head >> 15 ? delta : delta * 16);
    p += n;
    e->size = 0;
    if (sized >> kind & 1) {
        n = (head >> 10 & 7) + 1;
        e->size = spool_cut(spool_word(p), n);
        p += n;
    }
    e->has_stack = head >> 13 & 1;
    e->push = 0;
    if (e->has_stack) {
        uint32_t word;
        p = spool_short_leb(p, &word);
        if (p && word & 2)
            p = spool_short_leb(p, &e->push);
        if (!p || (size_t)(end - p) < (size_t)e->push * 3)
            return spool_decode(start, end, version, d, e);
        e->from_node = word & 1;
        e->base = word >> 2;
        e->frames = p;
        for (const uint8_t *frames_end = p + (size_t)e->push * 3; p < frames_end; p += 3)
            if (p[0] == 255 && p[1] == 255 && p[2] == 255) /* a raw pc follows */
                return spool_decode(start, end, version, d, e);
    }
    e->kind = (enum spool_kind)kind;
    e->ticks = d->ticks = ticks;
    e->address = d->address = address;
    e->extra = 0;
    return (size_t)(p - start);
}

/* Reads the next frame of an event and returns the place after it; *pc is set for a raw frame. */
static inline const uint8_t *spool_next_frame(const uint8_t *p, uint32_t *id, uint64_t *pc)
{
    *id = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
    if (__builtin_expect(*id != SPOOL_FRAME_RAW, 1))
        return p + 3;
    return spool_decode_frame(p, id, pc);
}

#endif
