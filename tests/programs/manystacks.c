/*
 * manystacks.c - a program that goes through thousands of stacks, again and again.
 *
 * BUILD -O0
 * VALGRIND no: it keeps fewer stacks than these
 *
 * left and right call each other by the bits of a number, twelve deep; leaf makes and frees a block of 30. There are
 * 4,096 such stacks, and so many rounds of all as it is told: more than a chunk can show.
 *
 * EXPECT leaf self allocations 40960
 * EXPECT main inclusive allocations 40960
 * EXPECT left inclusive allocations 40950
 * EXPECT right inclusive allocations 40950
 */
#include <stdlib.h>

#define DEPTH 12

static void left(unsigned path, int depth);
static void right(unsigned path, int depth);

static void leaf(void)
{
    free(malloc(30));
}

static void go_on(unsigned path, int depth)
{
    if (depth == DEPTH)
        leaf();
    else if (path >> depth & 1)
        left(path, depth + 1);
    else
        right(path, depth + 1);
}

static void left(unsigned path, int depth)
{
    go_on(path, depth);
}

static void right(unsigned path, int depth)
{
    go_on(path, depth);
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? atol(argv[1]) : 10;
    for (long i = 0; i < rounds; i++)
        for (unsigned path = 0; path < 1u << DEPTH; path++)
            go_on(path, 0);
    return 0;
}
