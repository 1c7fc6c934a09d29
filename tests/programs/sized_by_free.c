/*
 * sized_by_free.c - a library that brings C23's free_sized to a libc that has none; no case of its own.
 *
 * BUILD -O0 -shared -fPIC
 *
 * It comes down to free, which is the recorder's again: the block must be counted as freed once.
 */
#include <stdlib.h>
#include <unistd.h>

void free_sized(void *p, size_t size);
void free_sized(void *p, size_t size)
{
    write(1, &"0123456789"[size % 10], 1);
    free(p);
}

void free_aligned_sized(void *p, size_t alignment, size_t size);
void free_aligned_sized(void *p, size_t alignment, size_t size)
{
    write(1, &"abcdefghij"[(size + alignment) % 10], 1);
    free(p);
}
