/*
 * exec.c - exec of itself: two images with one pid, and blocks that live at the exec are no leaks.
 *
 * BUILD -O0
 * VALGRIND no: it would follow the exec
 * ARGUMENTS first
 * EXIT 3
 *
 * The first image makes 5 blocks of 100, frees 2 in order, tries to exec a file that is not there,
 * makes 1 more of 100 and execs itself as "second", which makes 2 of 1000 and frees none.
 * A recording of the first image: 6 allocations, 2 frees, no leak, exit by exec.
 * tests/e2e/test_exec.sh looks at the second.
 *
 * EXPECT allocations 6
 * EXPECT frees 2
 * EXPECT allocated_bytes 600
 * EXPECT peak_bytes 500
 * EXPECT before self own_peak_bytes 500
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *block[6];

static void before(void)
{
    for (int i = 0; i < 5; i++)
        block[i] = malloc(100);
    free(block[0]);
    free(block[1]);
}

static void after(void)
{
    block[0] = malloc(1000);
    block[1] = malloc(1000);
    write(1, "second\n", 7);
}

int main(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "first") != 0) {
        after();
        return 3;
    }
    before();
    execl("/nonexistent/program", "program", NULL);
    block[5] = malloc(100);
    execl("/proc/self/exe", argv[0], "second", NULL);
    return 1;
}
