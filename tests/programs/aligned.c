/*
 * aligned.c - the memalign family, calloc, reallocarray, and the frees by other names.
 *
 * BUILD -O0 -Wl,-z,dynamic-undefined-weak
 * VALGRIND exact
 *
 *   aligned: posix_memalign 1000, aligned_alloc 640, memalign 300, valloc 5000: 6940 bytes
 *   arrays:  calloc(7, 11) = 77, reallocarray(NULL, 10, 8) = 80, reallocarray(p, 10, 20) = 200:
 *            3 allocations, 1 free, 357 bytes, 277 live (own peak)
 *   frees:   6 blocks of main's, 10 bytes each, released by cfree, free_sized and free_aligned_sized
 *            where there are such functions (libmprof exports them; glibc 2.36 does not), else free
 * The peak is 6940 + 277 + 60 = 7277. All is freed, in the order of allocation: the last block
 * allocated is not the first freed, so nothing is temporary.
 * Allocations 4 + 3 + 6 = 13, frees 13, bytes 6940 + 357 + 60 = 7357.
 *
 * EXPECT allocations 13
 * EXPECT frees 13
 * EXPECT allocated_bytes 7357
 * EXPECT peak_bytes 7277
 * EXPECT live_at_end_blocks 0
 * EXPECT temporary 0
 * EXPECT aligned self allocations 4
 * EXPECT aligned self own_peak_bytes 6940
 * EXPECT aligned self at_peak_bytes 6940
 * EXPECT arrays self allocations 3
 * EXPECT arrays self allocated_bytes 357
 * EXPECT arrays self own_peak_bytes 277
 * EXPECT main self own_peak_bytes 60
 * EXPECT posix_memalign self absent 1
 * EXPECT reallocarray self absent 1
 */
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

void cfree(void *p) __attribute__((weak));
void free_sized(void *p, size_t size) __attribute__((weak));
void free_aligned_sized(void *p, size_t alignment, size_t size) __attribute__((weak));

static int fits(void *p, uintptr_t alignment)
{
    return p && (uintptr_t)p % alignment == 0;
}

static int aligned(void *block[4])
{
    if (posix_memalign(&block[0], 64, 1000))
        return 0;
    block[1] = aligned_alloc(128, 640);
    block[2] = memalign(32, 300);
    block[3] = valloc(5000);
    return fits(block[0], 64) && fits(block[1], 128) && fits(block[2], 32) && fits(block[3], 4096);
}

static void arrays(void *block[2])
{
    block[0] = calloc(7, 11);
    block[1] = reallocarray(NULL, 10, 8);
    block[1] = reallocarray(block[1], 10, 20);
}

static void release(void *p, int how)
{
    if (how == 0 && cfree)
        cfree(p);
    else if (how == 1 && free_sized)
        free_sized(p, 10);
    else if (how == 2 && free_aligned_sized)
        free_aligned_sized(p, 16, 10);
    else
        free(p);
}

int main(void)
{
    void *block[4], *array[2], *small[6];
    if (!aligned(block))
        return 1;
    arrays(array);
    for (int i = 0; i < 6; i++)
        small[i] = malloc(10);
    for (int i = 0; i < 4; i++)
        free(block[i]);
    for (int i = 0; i < 2; i++)
        free(array[i]);
    for (int i = 0; i < 6; i++)
        release(small[i], i % 3);
    return 0;
}
