/* xalloc.c - memory that is there, or a sentence and the end. */
#include "xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_end(void *memory, size_t bytes)
{
    if (memory || bytes == 0)
        return memory;
    fprintf(stderr,
            "mprof-c: out of memory (%zu more bytes wanted); close other programs or use a machine "
            "with more memory\n",
            bytes);
    exit(1);
}

void *xmalloc(size_t bytes)
{
    return or_end(malloc(bytes), bytes);
}

void *xcalloc(size_t count, size_t bytes)
{
    size_t total;
    if (__builtin_mul_overflow(count, bytes, &total))
        return or_end(NULL, (size_t)-1);
    return or_end(calloc(count, bytes), total);
}

void *xaligned(size_t alignment, size_t bytes)
{
    return or_end(aligned_alloc(alignment, bytes), bytes);
}

void *xrealloc(void *old, size_t bytes)
{
    return or_end(realloc(old, bytes), bytes);
}

char *xstrdup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    return memcpy(xmalloc(bytes), text, bytes);
}

void *xgrow(void *array, size_t *capacity, size_t needed, size_t element_bytes)
{
    size_t total, want = *capacity < 16 ? 16 : *capacity * 2;

    if (needed <= *capacity)
        return array;
    if (want < needed)
        want = needed;
    if (__builtin_mul_overflow(want, element_bytes, &total))
        return or_end(NULL, (size_t)-1);
    array = xrealloc(array, total);
    memset((char *)array + *capacity * element_bytes, 0, (want - *capacity) * element_bytes);
    *capacity = want;
    return array;
}
