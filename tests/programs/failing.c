/*
 * failing.c - requests that cannot be met are no allocations: they are counted by stack, errno is
 * what it would be, and a failed realloc leaves the block.
 *
 * BUILD -O0 -Wno-use-after-free -Wno-deprecated-declarations
 * VALGRIND no: it counts a failed realloc as an allocation and a free
 *
 * One block of 500 lives through a failed realloc and a reallocarray whose product is beyond 64 bits,
 * grows to 600 and is freed. Each by_NAME fails once, by_posix_memalign twice: once more for an
 * alignment that there is not. Calls for 0 bytes do not fail, whatever they return. After each call
 * errno is printed, so that a recorded run is compared with a plain one.
 *
 * EXPECT allocations 2
 * EXPECT frees 2
 * EXPECT allocated_bytes 1100
 * EXPECT peak_bytes 600
 * EXPECT live_at_end_blocks 0
 * EXPECT temporary 1
 * EXPECT failed_allocations 12
 * EXPECT survive self allocations 2
 * EXPECT survive self own_peak_bytes 600
 * EXPECT by_malloc self absent 1
 * FAILED 2 18446744073709551615 survive main
 * FAILED 1 9223372036854771711 by_malloc main
 * FAILED 1 9223372036854771711 by_calloc main
 * FAILED 1 18446744073709551615 by_product main
 * FAILED 1 9223372036854771711 by_realloc main
 * FAILED 1 9223372036854771711 by_aligned_alloc main
 * FAILED 1 9223372036854771711 by_memalign main
 * FAILED 2 9223372036854771711 by_posix_memalign main
 * FAILED 1 9223372036854771711 by_valloc main
 * FAILED 1 9223372036854771711 by_pvalloc main
 */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile size_t huge = SIZE_MAX / 2 - 4096;

static void tell(const char *what, int result)
{
    char line[64];
    int bytes = snprintf(line, sizeof line, "%s: %d, errno %d\n", what, result, errno);
    write(1, line, (size_t)bytes);
    errno = 77;
}

/* Did the call fail the way it must? */
static int failed(const char *what, void *p)
{
    int right = !p && errno == ENOMEM;
    tell(what, p != NULL);
    return right;
}

static int survive(void)
{
    char *p = malloc(500);
    memset(p, 'x', 500);
    int good = failed("realloc", realloc(p, huge));
    good = good && failed("reallocarray", reallocarray(p, huge, 16));
    good = good && p[0] == 'x' && p[499] == 'x';
    free(realloc(p, 600));
    return good;
}

static int by_malloc(void)
{
    return failed("malloc", malloc(huge));
}

static int by_calloc(void)
{
    return failed("calloc", calloc(1, huge));
}

static int by_product(void)
{
    return failed("calloc", calloc(huge, 16));
}

static int by_realloc(void)
{
    return failed("realloc", realloc(NULL, huge));
}

static int by_aligned_alloc(void)
{
    return failed("aligned_alloc", aligned_alloc(64, huge));
}

static int by_memalign(void)
{
    return failed("memalign", memalign(64, huge));
}

static int by_posix_memalign(void)
{
    void *p = NULL;
    int memory = posix_memalign(&p, 64, huge);
    tell("posix_memalign", memory);
    int alignment = posix_memalign(&p, 3, 10);
    tell("posix_memalign", alignment);
    return memory == ENOMEM && alignment == EINVAL;
}

static int by_valloc(void)
{
    return failed("valloc", valloc(huge));
}

static int by_pvalloc(void)
{
    return failed("pvalloc", pvalloc(huge));
}

int main(void)
{
    errno = 77;
    int good = survive() && by_malloc() && by_calloc() && by_product() && by_realloc() &&
               by_aligned_alloc() && by_memalign() && by_posix_memalign() && by_valloc() &&
               by_pvalloc();
    return good ? 0 : 1;
}
