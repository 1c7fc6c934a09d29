/* bytes.c - see bytes.h. */
#include "bytes.h"

#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

void bytes_grow(struct bytes *b, size_t more)
{
    if (b->capacity - b->size >= more)
        return;
    size_t capacity = b->capacity ? b->capacity * 2 : 64;
    if (capacity < b->size + more)
        capacity = b->size + more;
    b->data = xrealloc(b->data, capacity);
    b->capacity = capacity;
}

void bytes_append(struct bytes *b, const void *data, size_t size)
{
    if (size == 0)
        return;
    bytes_grow(b, size);
    memcpy(b->data + b->size, data, size);
    b->size += size;
}

void bytes_free(struct bytes *b)
{
    free(b->data);
    *b = (struct bytes){0};
}

struct cursor cursor_part(struct cursor *from, uint64_t size)
{
    if (from->bad || size > (uint64_t)(from->end - from->at)) {
        from->bad = 1;
        return (struct cursor){from->end, from->end, 1};
    }
    struct cursor part = {from->at, from->at + size, 0};
    from->at += size;
    return part;
}

uint64_t cursor_long_number(struct cursor *c)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && c->at < c->end; shift += 7) {
        uint8_t byte = *c->at++;
        if (shift == 63 && byte > 1)
            break; /* more than 64 bits */
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return value;
    }
    c->bad = 1;
    c->at = c->end;
    return 0;
}
