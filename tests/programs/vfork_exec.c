/*
 * vfork_exec.c - becomes other programs again and again in vforked children, with a large environment;
 * test_vfork_exec.sh says how it is recorded.
 *
 * BUILD -O0
 *
 * vfork_exec PROGRAM STATUS
 *
 * Ten children, then two hundred more, are vforked and become PROGRAM, with 1,000 variables besides the
 * ones that are given; or leave with status 9, where there is no such program. Each must end with STATUS, and
 * the two hundred may leave no memory mapped here: else the exit status is 1 or 2. One block of 50.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { VARIABLES = 1000, MOST_KIB = 256 };
static char *variables[VARIABLES + 100];

static void fill_variables(void)
{
    int n = 0;
    for (; n < VARIABLES; n++)
        variables[n] = "FILLING=x";
    for (char **e = environ; *e && n < VARIABLES + 99; e++)
        variables[n++] = *e;
}

static int mapped_kib(void)
{
    static char status[4096];
    int fd = open("/proc/self/status", O_RDONLY);
    read(fd, status, sizeof status - 1);
    close(fd);
    const char *size = strstr(status, "VmSize:");
    return size ? atoi(size + 7) : 0;
}

static void become(int children, char *program, int wanted)
{
    char *arguments[] = {program, NULL};
    for (int i = 0; i < children; i++) {
        int status = 0;
        pid_t child = vfork();
        if (child == 0) {
            execve(program, arguments, variables);
            _exit(9);
        }
        if (waitpid(child, &status, 0) != child || status != wanted << 8)
            _exit(2);
    }
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 3;
    free(malloc(50));
    fill_variables();
    become(10, argv[1], atoi(argv[2]));
    int before = mapped_kib();
    become(200, argv[1], atoi(argv[2]));
    return mapped_kib() > before + MOST_KIB;
}
