/* spool_encode.c - event to bytes. The mirror image of spool_decode.c: same order, same names. */
#include "spool.h"

#include <string.h>

const uint8_t spool_fields[16] = {
    [SPOOL_ALLOC] = SPOOL_HAS_DELTA | SPOOL_HAS_SIZE,
    [SPOOL_FREE] = SPOOL_HAS_DELTA,
    [SPOOL_REALLOC_BEGIN] = SPOOL_HAS_DELTA,
    [SPOOL_REALLOC_MOVED] = SPOOL_HAS_DELTA | SPOOL_HAS_SIZE,
    [SPOOL_RANGE_BEGIN] = SPOOL_HAS_DELTA | SPOOL_HAS_SIZE,
    [SPOOL_RANGE_MAP] = SPOOL_HAS_DELTA | SPOOL_HAS_SIZE,
    [SPOOL_SAMPLE] = SPOOL_HAS_VALUE | SPOOL_HAS_SIZE,
    [SPOOL_THREAD] = SPOOL_HAS_VALUE | SPOOL_HAS_SIZE | SPOOL_HAS_PAYLOAD,
    [SPOOL_FORK] = SPOOL_HAS_VALUE,
    [SPOOL_EXEC] = SPOOL_HAS_SIZE | SPOOL_HAS_PAYLOAD,
    [SPOOL_LABEL] = SPOOL_HAS_VALUE | SPOOL_HAS_SIZE | SPOOL_HAS_PAYLOAD,
};

/* Stores v in as few bytes as hold it (1..8) and returns that number. Writes 8 bytes: room is
 * there. */
static inline unsigned put_int(uint8_t *out, uint64_t v)
{
    memcpy(out, &v, sizeof v);
    return v ? (unsigned)(71 - __builtin_clzll(v)) / 8 : 1;
}

static inline size_t put_leb(uint8_t *out, uint64_t v)
{
    size_t n = 0;
    while (v > 127) {
        out[n++] = (uint8_t)(v | 128);
        v >>= 7;
    }
    out[n++] = (uint8_t)v;
    return n;
}

static inline uint64_t zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

/* The address as the head's `odd` bit and a number to store. */
static inline uint64_t address_delta(struct spool_delta *d, uint64_t address, unsigned *odd)
{
    int64_t delta = (int64_t)(address - d->address);
    d->address = address;
    *odd = (delta & 15) != 0;
    return zigzag(*odd ? delta : delta / 16);
}

size_t spool_encode(uint8_t *out, struct spool_delta *d, const struct spool_event *e)
{
    unsigned fields = spool_fields[e->kind];
    uint8_t *p = out + 2;
    unsigned odd = 0, n;
    uint64_t ticks = e->ticks > d->ticks ? e->ticks : d->ticks;

    n = put_int(p, ticks - d->ticks);
    d->ticks = ticks;
    p += n;
    unsigned head = (unsigned)e->kind | (n - 1) << 4;
    if (fields & (SPOOL_HAS_DELTA | SPOOL_HAS_VALUE)) {
        uint64_t v = fields & SPOOL_HAS_DELTA ? address_delta(d, e->address, &odd) : e->address;
        n = put_int(p, v);
        p += n;
        head |= (n - 1) << 7 | odd << 15;
    }
    if (fields & SPOOL_HAS_SIZE) {
        n = put_int(p, e->size);
        p += n;
        head |= (n - 1) << 10;
    }
    if (e->weight) {
        p += put_leb(p, e->weight);
        head |= 1u << 14;
    }
    if (e->has_stack) {
        p += put_leb(p, (uint64_t)e->base << 2 | (e->push != 0) << 1 | (e->from_node != 0));
        if (e->push)
            p += put_leb(p, e->push);
        head |= 1u << 13;
    }
    out[0] = (uint8_t)head;
    out[1] = (uint8_t)(head >> 8);
    return (size_t)(p - out);
}

size_t spool_encode_frame(uint8_t *out, uint32_t id, uint64_t pc)
{
    out[0] = (uint8_t)id;
    out[1] = (uint8_t)(id >> 8);
    out[2] = (uint8_t)(id >> 16);
    if (id != SPOOL_FRAME_RAW)
        return 3;
    memcpy(out + 3, &pc, sizeof pc);
    return SPOOL_FRAME_MAX;
}
