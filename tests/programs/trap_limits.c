/*
 * trap_limits.c - next to no descriptors, no address space to spare, another root, a double fork.
 *
 * BUILD -O0
 * VALGRIND no: it does not run with such limits
 *
 * Child 1 may open no more than descriptor 3 and opens it all the time. Child 2 has its address space
 * limited to 1 MiB more than it has. Child 3 is in an empty root folder (where it may do so). Child 4 becomes a daemon: it is
 * gone, its child frees what both had. Child 1 makes 100 blocks of 8; children 1, 3 and the daemon make
 * and free 20,000 blocks of 32 bytes, child 2 makes 1 of 2 MiB in vain and 1,000 of 24.
 *
 * EXPECT allocations 1
 * EXPECT frees 1
 * EXPECT child 1 allocations 20100
 * EXPECT child 1 frees 20101
 * EXPECT child 1 lost 0
 * EXPECT child 2 allocations 1000
 * EXPECT child 2 frees 1000
 * EXPECT child 2 lost 0
 * EXPECT child 3 allocations 20000
 * EXPECT child 3 frees 20001
 * EXPECT child 3 lost 0
 * EXPECT child 4 allocations 0
 * EXPECT child 5 allocations 20000
 * EXPECT child 5 frees 20001
 * EXPECT child 5 inherited 1
 * EXPECT child 5 lost 0
 * EXPECT child 5 unmatched_frees 0
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void *given;

static void churn(void)
{
    for (int i = 0; i < 20000; i++)
        free(malloc(32));
    free(given);
}

static int few_descriptors(void)
{
    struct rlimit four = {4, 4};
    closefrom(3);
    if (setrlimit(RLIMIT_NOFILE, &four))
        return 1;
    for (int i = 0; i < 100; i++) {
        int fd = open("/dev/null", O_RDONLY);
        if (fd != 3 || open("/dev/null", O_RDONLY) >= 0)
            return 2;
        void *p = malloc(8); /* not freed before fd is closed */
        close(fd);
        free(p);
    }
    churn();
    return 0;
}

/* Bytes of address space in use. */
static rlim_t in_use(void)
{
    char text[64] = "";
    int fd = open("/proc/self/statm", O_RDONLY);
    read(fd, text, sizeof text - 1);
    close(fd);
    return strtoul(text, NULL, 10) * 4096;
}

static int little_space(void)
{
    static void *block[1000];
    rlim_t bytes = in_use() + (1 << 20);
    struct rlimit limit = {bytes, bytes};
    if (setrlimit(RLIMIT_AS, &limit))
        return 1;
    if (malloc(2 << 20) || errno != ENOMEM)
        return 2;
    for (int i = 0; i < 1000; i++)
        if (!(block[i] = malloc(24)))
            return 3;
    for (int i = 0; i < 1000; i++)
        free(block[i]);
    return 0;
}

static int other_root(void)
{
    mkdir("emptyroot", 0755);
    if (chroot("emptyroot") == 0 && chdir("/"))
        return 1;
    churn();
    return 0;
}

static int become_daemon(int out)
{
    if (daemon(1, 0))
        return 1;
    churn();
    write(out, "d", 1);
    return 0;
}

static int run(int (*work)(int), int (*plain)(void), int argument)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        _exit(plain ? plain() : work(argument));
    waitpid(child, &status, 0);
    return status;
}

int main(void)
{
    int ends[2];
    char c = 0;
    given = malloc(100);
    if (run(NULL, few_descriptors, 0))
        return 1;
    if (run(NULL, little_space, 0))
        return 2;
    if (run(NULL, other_root, 0))
        return 3;
    if (pipe(ends) || run(become_daemon, NULL, ends[1]))
        return 4;
    close(ends[1]);
    if (read(ends[0], &c, 1) != 1 || c != 'd' ||
        read(ends[0], &c, 1) != 0) /* the daemon has ended */
        return 5;
    free(given);
    return 0;
}
