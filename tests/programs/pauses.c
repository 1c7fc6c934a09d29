/*
 * pauses.c - processes that record a little, stand still until a live collector has taken everything in, and go on.
 *
 * BUILD -O1 -pthread
 * VALGRIND no: each process is a report of its own there
 *
 * What is known to be drained in one step of the collector has events in the next one. In turn:
 *   child 1    one block, 0.2 s, another one (the process ends right after)
 *   child 2    the same with 1.2 s: longer than the collector takes to look for the dead
 *   child 3    two threads pause after each other, so a stream goes on that another thread began
 *   child 4    forks child 5, which pauses while its parent is gone, and frees what it has inherited
 *   main       pauses itself, with all children gone
 * "pauses quick" is child 1 alone.
 *
 * EXPECT allocations 4
 * EXPECT frees 4
 * EXPECT child 1 allocations 2
 * EXPECT child 1 frees 2
 * EXPECT child 2 allocations 2
 * EXPECT child 2 frees 2
 * EXPECT child 3 allocations 5
 * EXPECT child 3 frees 4
 * EXPECT child 4 allocations 2
 * EXPECT child 4 frees 1
 * EXPECT child 5 allocations 2
 * EXPECT child 5 frees 3
 * EXPECT child 5 unmatched_frees 0
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void *volatile p;

static void block(size_t bytes)
{
    p = malloc(bytes);
    free(p);
}

static void two_blocks(unsigned pause_us)
{
    block(10);
    usleep(pause_us);
    block(20);
}

static void *thread(void *unused)
{
    (void)unused;
    two_blocks(150000);
    return NULL;
}

static void two_threads(void)
{
    for (int i = 0; i < 2; i++) {
        pthread_t t;
        pthread_create(&t, NULL, thread, NULL); /* the first one makes a block of its own */
        pthread_join(t, NULL);
        usleep(150000);
    }
}

static void parent_and_child(void)
{
    int wait_here[2];
    char byte;

    p = malloc(30);
    if (pipe(wait_here) == 0 && fork() == 0) {
        close(wait_here[1]);
        if (read(wait_here[0], &byte, 1) != 0) /* until the parent is gone */
            _exit(1);
        usleep(1500000);
        free(p);
        two_blocks(200000);
        _exit(0);
    }
    block(40);
}

static void in_child(int which)
{
    static const unsigned pauses[] = {200000, 1200000};

    if (which < 2)
        two_blocks(pauses[which]);
    else if (which == 2)
        two_threads();
    else
        parent_and_child();
}

int main(int argc, char **argv)
{
    (void)argv;
    for (int i = 0; i < (argc > 1 ? 1 : 4); i++) {
        pid_t child = fork();
        if (child == 0) {
            in_child(i);
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
    if (argc > 1)
        return 0;
    two_blocks(100000);
    usleep(2200000); /* child 5 ends */
    two_blocks(100000);
    return 0;
}
