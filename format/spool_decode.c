/* spool_decode.c - bytes to event. The mirror image of spool_encode.c; trusts nothing. */
#include "spool.h"

#include <string.h>

struct cursor {
    const uint8_t *p, *end;
    int bad; /* sticky: something did not fit */
};

static uint64_t get_int(struct cursor *c, unsigned n)
{
    uint64_t v = 0;
    if (c->bad || (size_t)(c->end - c->p) < n) {
        c->bad = 1;
        return 0;
    }
    memcpy(&v, c->p, n);
    c->p += n;
    return v;
}

static uint64_t get_leb(struct cursor *c)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint64_t b = get_int(c, 1);
        v |= (b & 127) << shift;
        if (!(b & 128))
            return v;
    }
    c->bad = 1;
    return 0;
}

static uint32_t get_leb32(struct cursor *c)
{
    uint64_t v = get_leb(c);
    if (v > UINT32_MAX)
        c->bad = 1;
    return (uint32_t)v;
}

static int64_t unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static uint64_t address_from(struct spool_delta *d, uint64_t v, unsigned odd)
{
    uint64_t delta = (uint64_t)unzigzag(v);
    d->address += odd ? delta : delta * 16;
    return d->address;
}

/* Steps over `count` frames: 3 bytes each, raw ones more. */
static void skip_frames(struct cursor *c, uint32_t count)
{
    for (uint32_t i = 0; i < count && !c->bad; i++)
        if (get_int(c, 3) == SPOOL_FRAME_RAW)
            get_int(c, 8);
}

/* Reads the base, and how many frames follow. */
static void get_stack(struct cursor *c, unsigned version, struct spool_event *e)
{
    uint64_t word = get_leb(c);
    e->has_stack = 1;
    if (version < 2) {
        e->base = (uint32_t)word;
        e->push = get_leb32(c);
    } else {
        e->from_node = word & 1;
        e->base = (uint32_t)(word >> 2);
        e->push = word & 2 ? get_leb32(c) : 0;
        word >>= 2;
    }
    if (word > UINT32_MAX)
        c->bad = 1;
}

size_t spool_decode(const uint8_t *start, const uint8_t *end, unsigned version,
                    struct spool_delta *d, struct spool_event *e)
{
    struct cursor c = {start, end, 0};
    unsigned head = (unsigned)get_int(&c, 2);

    memset(e, 0, sizeof *e);
    e->kind = (enum spool_kind)(head & 15);
    if (c.bad || e->kind == SPOOL_NOTHING)
        return 0;
    unsigned fields = spool_fields[e->kind];
    e->ticks = d->ticks += get_int(&c, (head >> 4 & 7) + 1);
    if (fields & (SPOOL_HAS_DELTA | SPOOL_HAS_VALUE)) {
        uint64_t v = get_int(&c, (head >> 7 & 7) + 1);
        e->address = fields & SPOOL_HAS_DELTA ? address_from(d, v, head >> 15) : v;
    }
    if (fields & SPOOL_HAS_SIZE)
        e->size = get_int(&c, (head >> 10 & 7) + 1);
    if (head & 1u << 14)
        e->extra = get_leb(&c);
    if (head & 1u << 13) {
        get_stack(&c, version, e);
        e->frames = c.p;
        skip_frames(&c, e->push);
    }
    if (fields & SPOOL_HAS_PAYLOAD) {
        e->payload = c.p;
        if (c.bad || e->size > (size_t)(c.end - c.p))
            return 0;
        c.p += e->size;
    }
    return c.bad ? 0 : (size_t)(c.p - start);
}

const uint8_t *spool_decode_frame(const uint8_t *p, uint32_t *id, uint64_t *pc)
{
    *id = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
    *pc = 0;
    if (*id != SPOOL_FRAME_RAW)
        return p + 3;
    memcpy(pc, p + 3, sizeof *pc);
    return p + SPOOL_FRAME_MAX;
}
