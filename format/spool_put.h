/*
 * spool_put.h - the encoder of spool.h, inline for the recorder: with a constant kind most of it
 * folds away. The mirror image of spool_decode.c: same order, same names.
 */
#ifndef MPROF_SPOOL_PUT_H
#define MPROF_SPOOL_PUT_H

#include "spool.h"

#include <string.h>

/* The value of spool_fields[kind], as an expression that folds. */
static inline __attribute__((always_inline)) unsigned spool_fields_of(enum spool_kind kind)
{
    switch (kind) {
    case SPOOL_ALLOC:
    case SPOOL_REALLOC_MOVED:
    case SPOOL_RANGE_BEGIN:
    case SPOOL_RANGE_MAP:
        return SPOOL_HAS_DELTA | SPOOL_HAS_SIZE;
    case SPOOL_FREE:
    case SPOOL_REALLOC_BEGIN:
        return SPOOL_HAS_DELTA;
    default:
        return spool_fields[kind];
    }
}

/* Stores v in as few bytes as hold it (1..8) and returns that number. Always writes 8 bytes: the
 * caller has room for them. */
static inline unsigned spool_put_int(uint8_t *out, uint64_t v)
{
    memcpy(out, &v, sizeof v);
    return (unsigned)(63 - __builtin_clzll(v | 1)) / 8 + 1;
}

/* May write 4 bytes: the caller has room for them. */
static inline size_t spool_put_leb(uint8_t *out, uint64_t v)
{
    size_t n = 0;
    if (__builtin_expect(v < 1u << 21, 1)) { /* without a branch on its length */
        uint32_t more = v > 0x7f, much = v > 0x3fff, low = (uint32_t)v;
        uint32_t word =
            (low & 0x7f) | more << 7 | (low << 1 & 0x7f00) | much << 15 | (low << 2 & 0x7f0000);
        memcpy(out, &word, sizeof word);
        return 1 + more + much;
    }
    while (v > 127) {
        out[n++] = (uint8_t)(v | 128);
        v >>= 7;
    }
    out[n++] = (uint8_t)v;
    return n;
}

static inline uint64_t spool_zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

/* Returns the number to store for an address, and sets the head's `odd` bit. */
static inline uint64_t spool_address_delta(struct spool_delta *d, uint64_t address, unsigned *odd)
{
    int64_t delta = (int64_t)(address - d->address);
    d->address = address;
    *odd = (delta & 15) != 0;
    return spool_zigzag(*odd ? delta : delta >> 4); /* nothing is shifted out */
}

static inline __attribute__((always_inline)) size_t
spool_put_event(uint8_t *out, struct spool_delta *d, const struct spool_event *e)
{
    unsigned fields = spool_fields_of(e->kind);
    uint8_t *p = out + 2;
    unsigned odd = 0, n;
    uint64_t ticks = e->ticks > d->ticks ? e->ticks : d->ticks;

    n = spool_put_int(p, ticks - d->ticks);
    d->ticks = ticks;
    p += n;
    unsigned head = (unsigned)e->kind | (n - 1) << 4;
    if (fields & (SPOOL_HAS_DELTA | SPOOL_HAS_VALUE)) {
        uint64_t v =
            fields & SPOOL_HAS_DELTA ? spool_address_delta(d, e->address, &odd) : e->address;
        n = spool_put_int(p, v);
        p += n;
        head |= (n - 1) << 7 | odd << 15;
    }
    if (fields & SPOOL_HAS_SIZE) {
        n = spool_put_int(p, e->size);
        p += n;
        head |= (n - 1) << 10;
    }
    if (e->extra) {
        p += spool_put_leb(p, e->extra);
        head |= 1u << 14;
    }
    if (e->has_stack) {
        p += spool_put_leb(p, (uint64_t)e->base << 2 | (e->push != 0) << 1 | (e->from_node != 0));
        if (e->push)
            p += spool_put_leb(p, e->push);
        head |= 1u << 13;
    }
    out[0] = (uint8_t)head;
    out[1] = (uint8_t)(head >> 8);
    return (size_t)(p - out);
}

static inline size_t spool_put_frame(uint8_t *out, uint32_t id, uint64_t pc)
{
    out[0] = (uint8_t)id;
    out[1] = (uint8_t)(id >> 8);
    out[2] = (uint8_t)(id >> 16);
    if (id != SPOOL_FRAME_RAW)
        return 3;
    memcpy(out + 3, &pc, sizeof pc);
    return SPOOL_FRAME_MAX;
}

#endif
