/*
 * trap_edges.c - the odd corners of the functions' contracts are those of the real ones.
 *
 * BUILD -O0 -Wno-alloc-size-larger-than -Wno-use-after-free
 * VALGRIND no: its own answers to some of these differ from glibc's
 *
 * refusals: nothing is counted; errno is ENOMEM where it has to be, a failing posix_memalign leaves
 * errno and the pointer alone. kept: malloc(0), calloc(0, 8), realloc(NULL, 0), aligned_alloc(64, 0),
 * posix_memalign(64, 0) are blocks of 0 bytes; all freed, free(NULL) is nothing. sizes:
 * malloc_usable_size is at least what was asked for and 0 of NULL. quiet: free leaves errno alone, also
 * of a block of its own mapping. 1 + 5 + 1 + 2 = 9 allocations.
 *
 * EXPECT allocations 9
 * EXPECT frees 9
 * EXPECT live_at_end_blocks 0
 * EXPECT kept self allocations 5
 * EXPECT kept self allocated_bytes 0
 * EXPECT refusals self allocations 1
 * EXPECT quiet self allocated_bytes 1048608
 */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

static volatile size_t half = SIZE_MAX / 2 + 2;
static volatile size_t huge = PTRDIFF_MAX;

/* The number of the first answer that is wrong, else 0. */
static int refusals(void)
{
    void *garbage = (void *)0x123;
    char *p = malloc(10);
    int good = 1;
    p[9] = 'x';
#define REFUSED(call) (errno = 0, (call) == NULL && errno == ENOMEM)
    good = good && REFUSED(malloc(huge + 1));
    good = good && REFUSED(calloc(half, 2)) && REFUSED(calloc(half, half));
    good = good && REFUSED(reallocarray(p, half, 2)) && REFUSED(reallocarray(NULL, half, 4));
    good = good && REFUSED(realloc(p, huge + 1)) && REFUSED(memalign(64, huge));
    good = good && REFUSED(valloc(huge)) && REFUSED(pvalloc(SIZE_MAX - 10)) &&
           REFUSED(aligned_alloc(64, huge));
    errno = 77;
    good = good && posix_memalign(&garbage, 64, huge) == ENOMEM && garbage == (void *)0x123;
    good = good && posix_memalign(&garbage, 3, 8) == EINVAL &&
           posix_memalign(&garbage, 0, 8) == EINVAL;
    good = good && garbage == (void *)0x123 && p[9] == 'x';
    free(p);
    return good;
}

static int kept(void)
{
    void *p[5] = {malloc(0), calloc(0, 8), realloc(NULL, 0), aligned_alloc(64, 0), NULL};
    int good = posix_memalign(&p[4], 64, 0) == 0 && (uintptr_t)p[4] % 64 == 0;
    for (int i = 0; i < 5; i++) {
        good = good && p[i];
        free(p[i]);
    }
    free(NULL);
    return good;
}

static int sizes(void)
{
    void *p = calloc(25, 4);
    int good = malloc_usable_size(p) >= 100 && malloc_usable_size(NULL) == 0;
    free(p);
    return good;
}

static int quiet(void)
{
    void *small = malloc(32), *mapped = malloc(1 << 20);
    errno = 77;
    free(small);
    free(mapped);
    return errno == 77;
}

int main(void)
{
    return !refusals() ? 1 : !kept() ? 2 : !sizes() ? 3 : !quiet() ? 4 : 0;
}
