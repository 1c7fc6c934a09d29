/*
 * trap_forks.c - children that no fork handler hears of, and forks at bad moments.
 *
 * BUILD -O0 -pthread
 * VALGRIND no: each process is a report of its own there
 *
 * main makes a block of 100. Child 1 is born by _Fork, child 2 by the system call clone, child 3 in a
 * signal handler; each frees the block and makes and frees 10 of 20. Then, while two threads load and
 * unload a library, start threads and allocate (unrest), 40 children are forked, each after another turn
 * of both threads: they make and free 10 of 20 and free the block, and start a thread that does so as
 * well, without the block.
 *
 * EXPECT give self allocations 1
 * EXPECT child 1 allocations 10
 * EXPECT child 1 frees 11
 * EXPECT child 1 inherited 1
 * EXPECT child 1 unmatched_frees 0
 * EXPECT child 2 allocations 10
 * EXPECT child 2 frees 11
 * EXPECT child 2 inherited 1
 * EXPECT child 2 unmatched_frees 0
 * EXPECT child 3 allocations 10
 * EXPECT child 3 frees 11
 * EXPECT child 3 inherited 1
 * EXPECT child 3 unmatched_frees 0
 * EXPECT child 43 frees 21
 * EXPECT child 43 unmatched_frees 0
 * EXPECT child 43 implied_frees 0
 * EXPECT child 43 lost 0
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void *given;
static volatile int stop, handled;
static atomic_int allocated, loaded; /* turns since the last fork */
static char library[4096];

static void give(void)
{
    given = malloc(100);
}

static void churn(void)
{
    for (int i = 0; i < 10; i++)
        free(malloc(20));
}

static void child_end(void)
{
    churn();
    free(given);
    _exit(5);
}

static int ended_well(pid_t child)
{
    int status = 0;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 5;
}

static void handler(int unused)
{
    (void)unused;
    pid_t child = fork();
    if (child == 0)
        child_end();
    handled = ended_well(child);
}

static void *short_one(void *unused)
{
    churn();
    return unused;
}

static void *allocate(void *unused)
{
    while (!stop) {
        void *p[8];
        for (int i = 0; i < 8; i++)
            p[i] = malloc(64);
        for (int i = 0; i < 8; i++)
            free(p[i]);
        allocated++;
        usleep(10);
    }
    return unused;
}

static void *unrest(void *unused)
{
    while (!stop) {
        pthread_t thread;
        void *handle = dlopen(library, RTLD_NOW);
        if (pthread_create(&thread, NULL, short_one, NULL) == 0)
            pthread_join(thread, NULL);
        if (handle)
            dlclose(handle);
        loaded++;
    }
    return unused;
}

static void await_unrest(void)
{
    for (allocated = loaded = 0; !allocated || !loaded;)
        usleep(50);
}

static int fork_in_unrest(void)
{
    pthread_t thread[2], own;
    int good = 1;
    pthread_create(&thread[0], NULL, allocate, NULL);
    pthread_create(&thread[1], NULL, unrest, NULL);
    for (int i = 0; i < 40 && good; i++) {
        await_unrest();
        pid_t child = fork();
        if (child == 0) {
            pthread_create(&own, NULL, short_one, NULL);
            pthread_join(own, NULL);
            child_end();
        }
        good = ended_well(child);
    }
    stop = 1;
    pthread_join(thread[0], NULL);
    pthread_join(thread[1], NULL);
    return good;
}

int main(int argc, char **argv)
{
    (void)argc;
    size_t n = 0, slash = 0;
    for (; argv[0][n]; n++)
        if ((library[n] = argv[0][n]) == '/')
            slash = n + 1;
    for (n = 0; "part_one"[n]; n++)
        library[slash + n] = "part_one"[n];
    library[slash + n] = 0;
    give();
    pid_t child = _Fork();
    if (child == 0)
        child_end();
    if (!ended_well(child))
        return 1;
    child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0)
        child_end();
    if (!ended_well(child))
        return 2;
    signal(SIGUSR1, handler);
    raise(SIGUSR1);
    if (!handled)
        return 3;
    return fork_in_unrest() ? 0 : 4;
}
