/*
 * failing.c - requests that cannot be met are no allocations, and a failed realloc leaves the block.
 *
 * BUILD -O0 -Wno-use-after-free
 * VALGRIND no: it counts a failed realloc as an allocation and a free
 *
 * One block of 500 lives through a failed realloc and a failed reallocarray, grows to 600 and is
 * freed. malloc, calloc (by its product, too), aligned_alloc and posix_memalign fail without trace.
 * errno is ENOMEM each time.
 *
 * EXPECT allocations 2
 * EXPECT frees 2
 * EXPECT allocated_bytes 1100
 * EXPECT peak_bytes 600
 * EXPECT live_at_end_blocks 0
 * EXPECT temporary 1
 * EXPECT survive self allocations 2
 * EXPECT survive self own_peak_bytes 600
 * EXPECT refused self absent 1
 */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static volatile size_t huge = SIZE_MAX / 2 - 4096;

/* Did the call fail the way it must? */
static int failed(void *p)
{
    int right = !p && errno == ENOMEM;
    errno = 0;
    return right;
}

static int survive(void)
{
    char *p = malloc(500);
    memset(p, 'x', 500);
    int good = failed(realloc(p, huge)) && failed(reallocarray(p, huge, 16));
    good = good && p[0] == 'x' && p[499] == 'x';
    free(realloc(p, 600));
    return good;
}

static int refused(void)
{
    void *p = NULL;
    int good = failed(malloc(huge)) && failed(calloc(1, huge)) && failed(calloc(huge, 16)) &&
               failed(aligned_alloc(64, huge)) && failed(memalign(64, huge));
    return good && posix_memalign(&p, 64, huge) == ENOMEM && posix_memalign(&p, 3, 10) == EINVAL;
}

int main(void)
{
    return survive() && refused() ? 0 : 1;
}
