/* xalloc.c - memory that is there, or a sentence and the end. */
#include "xalloc.h"

#include <limits.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void advise(void);
static atomic_int huge_pages;

/* Gives up what the heap would grow by beyond what is wanted. Returns 0 where it did before. */
static int save(void)
{
    return atomic_exchange(&huge_pages, 0) && mallopt(M_TOP_PAD, 0);
}

static void *or_end(void *memory, size_t bytes)
{
    if (atomic_load_explicit(&huge_pages, memory_order_relaxed))
        advise();
    if (memory || bytes == 0)
        return memory;
    fprintf(stderr,
            "mprof-c: out of memory (%zu more bytes wanted); close other programs or use a machine "
            "with more memory\n",
            bytes);
    exit(1);
}

void xalloc_too_many(const char *what, size_t most)
{
    fprintf(stderr,
            "mprof-c: the recording has more than %zu %s, which is more than can be told apart; "
            "record a smaller run of the program\n",
            most, what);
    exit(1);
}

void *xmalloc(size_t bytes)
{
    void *memory = malloc(bytes);
    return or_end(memory || !save() ? memory : malloc(bytes), bytes);
}

void *xcalloc(size_t count, size_t bytes)
{
    size_t total;
    if (__builtin_mul_overflow(count, bytes, &total))
        return or_end(NULL, (size_t)-1);
    void *memory = calloc(count, bytes);
    return or_end(memory || !save() ? memory : calloc(count, bytes), total);
}

void *xaligned(size_t alignment, size_t bytes)
{
    void *memory = aligned_alloc(alignment, bytes);
    return or_end(memory || !save() ? memory : aligned_alloc(alignment, bytes), bytes);
}

void *xrealloc(void *old, size_t bytes)
{
    void *memory = realloc(old, bytes);
    return or_end(memory || !save() ? memory : realloc(old, bytes), bytes);
}

/* ---- huge pages ---- */

#define MANY_BYTES (32u << 20)
#define HUGE_PAGE  ((uintptr_t)2 << 20)

static _Atomic uintptr_t advised; /* the heap is advised up to here; several threads take memory */

void xalloc_huge_pages(void)
{
    if (huge_pages)
        return;
    /* One heap, which grows in large steps and holds large blocks too. */
    huge_pages = mallopt(M_ARENA_MAX, 1) && mallopt(M_TOP_PAD, MANY_BYTES) &&
                 mallopt(M_MMAP_THRESHOLD, MANY_BYTES) && mallopt(M_TRIM_THRESHOLD, INT_MAX);
    advised = ((uintptr_t)sbrk(0) + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
}

/* Advises the kernel of what the heap has grown by; only the block that it grew for is in use. */
static void advise(void)
{
    uintptr_t end = (uintptr_t)sbrk(0) & ~(HUGE_PAGE - 1);
    uintptr_t begin = atomic_load_explicit(&advised, memory_order_relaxed);
    while (begin < end)
        if (atomic_compare_exchange_weak(&advised, &begin, end)) {
            madvise((void *)begin, end - begin, MADV_HUGEPAGE);
            return;
        }
}

char *xstrdup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    return memcpy(xmalloc(bytes), text, bytes);
}

void *xgrow_now(void *array, size_t *capacity, size_t needed, size_t element_bytes)
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
