/*
 * bytes.h - a growing byte buffer, and a cursor that reads what is in one without trusting it.
 *
 * Numbers are LEB128: seven bits a byte, the lowest first, the top bit set on all bytes but the
 * last. Signed differences are zigzag (0, -1, 1, -2 .. become 0, 1, 2, 3 ..). The cursor never
 * reads past its end: there it returns 0 and sets `bad`, so that a decoder may read a whole record
 * and check once. Memory failure ends the analyzer (xalloc.h).
 */
#ifndef MPROF_BYTES_H
#define MPROF_BYTES_H

#include <stddef.h>
#include <stdint.h>

#define VARINT_MAX 10 /* bytes of the longest number */

struct bytes { /* zero it to begin; size <= capacity */
    uint8_t *data;
    size_t size, capacity;
};

void bytes_grow(struct bytes *b, size_t more); /* room for `more` bytes after size */
void bytes_append(struct bytes *b, const void *data, size_t size);
void bytes_free(struct bytes *b); /* also empties it */

static inline void bytes_number(struct bytes *b, uint64_t value)
{
    if (b->capacity - b->size < VARINT_MAX)
        bytes_grow(b, VARINT_MAX);
    while (__builtin_expect(value > 127, 0)) {
        b->data[b->size++] = (uint8_t)(value | 128);
        value >>= 7;
    }
    b->data[b->size++] = (uint8_t)value;
}

static inline uint64_t zigzag(uint64_t difference)
{
    return difference << 1 ^ (0 - (difference >> 63));
}

static inline uint64_t unzigzag(uint64_t code)
{
    return code >> 1 ^ (0 - (code & 1));
}

struct cursor {
    const uint8_t *at, *end;
    int bad; /* something did not fit; never cleared */
};

/* A cursor over the next `size` bytes of `from`, which moves past them. If they are not there, it
 * is empty and both are bad. */
struct cursor cursor_part(struct cursor *from, uint64_t size);
uint64_t cursor_long_number(struct cursor *c);

static inline uint64_t cursor_number(struct cursor *c)
{
    if (c->at < c->end && *c->at < 128)
        return *c->at++;
    return cursor_long_number(c);
}

#endif
