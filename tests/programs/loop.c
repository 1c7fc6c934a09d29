/*
 * loop.c - makes as many heap events as it is told, for scripts/bench-views; no case of its own.
 *
 * BUILD -O2
 *
 * loop EVENTS: half of them allocations. Sixteen call paths, sizes of 16 to 1039 bytes, 4096 blocks
 * live at a time.
 */
#include <stdlib.h>

#define BLOCKS 4096

static void *block[BLOCKS];

static __attribute__((noinline)) void *leaf(unsigned n)
{
    void *volatile p = malloc(16 + n % 1024);
    return p;
}

#define PATH(name, callee)                                                                         \
    static __attribute__((noinline)) void *name(unsigned n)                                        \
    {                                                                                              \
        void *volatile p = callee(n);                                                              \
        return p;                                                                                  \
    }

PATH(left1, leaf)
PATH(right1, leaf)

static __attribute__((noinline)) void *left2(unsigned n)
{
    void *volatile p = n & 1 ? left1(n) : right1(n);
    return p;
}

static __attribute__((noinline)) void *right2(unsigned n)
{
    void *volatile p = n & 1 ? left1(n) : right1(n);
    return p;
}

static __attribute__((noinline)) void *left3(unsigned n)
{
    void *volatile p = n & 2 ? left2(n) : right2(n);
    return p;
}

static __attribute__((noinline)) void *right3(unsigned n)
{
    void *volatile p = n & 2 ? left2(n) : right2(n);
    return p;
}

int main(int argc, char **argv)
{
    unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) / 2 : 1000;
    unsigned random = 1;
    for (unsigned long i = 0; i < count; i++) {
        random = random * 1664525 + 1013904223;
        void **slot = &block[random >> 20];
        free(*slot);
        *slot = random & 1u << 19 ? left3(random >> 8) : right3(random >> 8);
    }
    for (int i = 0; i < BLOCKS; i++)
        free(block[i]);
    return 0;
}
