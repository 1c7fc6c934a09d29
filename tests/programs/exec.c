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
 * tests/e2e/test_exec.sh looks at the second. "execve" and "execveat" in the place of "first" do
 * the same by syscall(2) with that call's number.
 *
 * EXPECT allocations 6
 * EXPECT frees 2
 * EXPECT allocated_bytes 600
 * EXPECT peak_bytes 500
 * EXPECT before self own_peak_bytes 500
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
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

static void become(const char *way, const char *path, char *const argv[])
{
    if (strcmp(way, "execve") == 0)
        syscall(SYS_execve, path, argv, environ);
    else if (strcmp(way, "execveat") == 0)
        syscall(SYS_execveat, AT_FDCWD, path, argv, environ, 0);
    else
        execv(path, argv);
}

int main(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "second") == 0) {
        after();
        return 3;
    }
    char *second[] = {argv[0], "second", NULL};
    before();
    become(argv[1], "/nonexistent/program", second);
    block[5] = malloc(100);
    become(argv[1], "/proc/self/exe", second);
    return 1;
}
