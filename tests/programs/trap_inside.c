/*
 * trap_inside.c - handlers that fork, or jump away, while a hook opens a chunk or a thread begins;
 * test_signals_inside.py runs each way, with a recorder that stands still in these places, too.
 *
 * BUILD -O0 -pthread
 *
 * trap_inside WAY
 *   chunks  main maps and drops a page 50,000 times, until a timer's handler has forked 12 times at least.
 *           Each child comes back into the hook that was interrupted, maps and drops a page 15,000 times,
 *           makes and frees 50 blocks of 10, and leaves with status 5
 *   late    main maps and drops a page 20,000 times, and the timer's handler forks 12 times at least; each child
 *           comes back into the hook after 30 ms, when its parent has long gone on, makes and frees 50 blocks,
 *           and leaves with status 5
 *   begins  12 threads are interrupted in their first event, a mapping, by a handler that forks. Each child
 *           goes on there, starts another thread, and both map and drop a page 1,000 times, and make and free
 *           50 blocks
 *   nested  the same, but the thread makes and frees a block of 10 first, and what is interrupted is a handler
 *           that does so, too, and has interrupted a mapping. That block may be freed in the child
 *   jumps   the same as chunks, but the handler jumps away, 40 times; then 12 threads are interrupted as in
 *           begins, jump away, and make and free 50 blocks
 *   each    main maps and drops a page 240 times. A signal that comes in each event is answered by a handler that
 *           forks; the child goes on there, makes and frees 50 blocks, and leaves with status 5
 *   blocks  the same, but 60 calls deep main makes a block of 10, moves it to one of 500, and frees it, 150 times, so
 *           that a new stack often finds a chunk without room for it. The child goes on
 *           with that; then both make and free another block of 500
 *   raw     the same, with _Fork, which is the one that a handler may call
 *   again   the same as blocks, 20 times, and the children's events are struck, too: each child has children
 * main makes and frees 50 blocks, too. The status is the number of children that went wrong.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    FORKS = 12,
    JUMPS = 40,
    WARM = 10000,
    TURNS = 40000,
    CHILD_TURNS = 15000,
    LATE_TURNS = 20000,
    EACH_TURNS = 240,
    BLOCK_TURNS = 150,
    DEPTH = 60,
    AGAIN_TURNS = 20,
    PAIR_TURNS = 1000
};

static volatile int strikes, bad_children, in_child;
static pid_t (*make_child)(void) = fork;
static int generations = 1; /* that have children of their own */

static void turns(int number)
{
    for (int i = 0; i < number; i++)
        munmap(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096);
}

static void blocks(void)
{
    for (int i = 0; i < 50; i++)
        free(malloc(10));
}

static void on_signal(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    sigaction(number, &action, NULL);
}

/* ---- forks ---- */

/* Returns 1 in the child, where the hook that was interrupted goes on. */
static int fork_here(void)
{
    int status = 0;
    pid_t child = make_child();
    if (child == 0) {
        in_child++;
        return 1;
    }
    if (waitpid(child, &status, 0) != child || status != 5 << 8)
        bad_children++;
    strikes++;
    return 0;
}

static void forker(int unused)
{
    (void)unused;
    fork_here();
}

/* ---- a timer against main ---- */

/* At changing distances. A forked child does not inherit it. */
static void strike_once(void)
{
    struct itimerval once = {{0, 0}, {0, 700 + 137 * strikes}};
    setitimer(ITIMER_REAL, &once, NULL);
}

static void timed_forker(int number)
{
    forker(number);
    if (!in_child && strikes < FORKS)
        strike_once();
}

/* Until the timer has struck as often as it shall, and in a child until it is back. */
static void turns_under_fire(int number)
{
    strike_once();
    for (int i = 0; i < number && !in_child; i++)
        turns(1);
    while (strikes < FORKS && !in_child)
        munmap((void *)1, 4096); /* fails */
}

static void chunks(void)
{
    turns(WARM);
    on_signal(SIGALRM, timed_forker);
    turns_under_fire(TURNS);
    if (in_child)
        turns(CHILD_TURNS);
}

/* Does not wait for the child, which comes back later. */
static void late_forker(int unused)
{
    (void)unused;
    if (fork() == 0) {
        in_child = 1;
        usleep(30000);
    } else if (++strikes < FORKS) {
        strike_once();
    }
}

static void late(void)
{
    int status;
    on_signal(SIGALRM, late_forker);
    turns_under_fire(LATE_TURNS);
    while (!in_child && wait(&status) > 0)
        bad_children += status != 5 << 8;
}

/* ---- a signal in each event ---- */

/* Its own events have brought a signal, too: that one is dropped. */
static void forker_of_each(int number)
{
    const struct timespec now = {0, 0};
    sigset_t own;
    if (in_child >= generations || fork_here())
        return;
    sigemptyset(&own);
    sigaddset(&own, number);
    while (sigtimedwait(&own, NULL, &now) > 0)
        ;
}

static void each(void)
{
    on_signal(SIGUSR1, forker_of_each);
    for (int i = 0; i < EACH_TURNS && !in_child; i++)
        turns(1);
    on_signal(SIGUSR1, SIG_IGN);
}

static void move_block(int depth)
{
    if (depth > 0)
        move_block(depth - 1);
    else
        free(realloc(malloc(10), 500));
    strikes += 0; /* no call from the end of this function */
}

static void moved_blocks(int turns)
{
    on_signal(SIGUSR1, forker_of_each);
    for (int i = 0; i < turns && !in_child; i++)
        move_block(DEPTH);
    on_signal(SIGUSR1, SIG_IGN);
    free(malloc(500)); /* where the last one was */
}

static void of_blocks(void)
{
    moved_blocks(BLOCK_TURNS);
}

static void raw(void)
{
    make_child = _Fork;
    moved_blocks(BLOCK_TURNS);
}

static void again(void)
{
    generations = 2;
    moved_blocks(AGAIN_TURNS);
}

static sigjmp_buf back;

static void jumper(int unused)
{
    (void)unused;
    strikes++;
    siglongjmp(back, 1);
}

static void timed_jumps(void)
{
    turns(WARM);
    on_signal(SIGALRM, jumper);
    sigsetjmp(back, 1);
    if (strikes < JUMPS)
        strike_once();
    while (strikes < JUMPS)
        turns(1);
}

/* ---- main against threads that begin ---- */

/* How far a thread is: its first event comes next; the first one in a handler does; it may end. */
enum { NOWHERE, FIRST, FIRST_IN_HANDLER, OVER };
static atomic_int stage;

static void *child_thread(void *unused)
{
    turns(PAIR_TURNS);
    blocks();
    return unused;
}

static void pair_in_child(void)
{
    pthread_t other;
    if (pthread_create(&other, NULL, child_thread, NULL))
        _exit(6);
    turns(PAIR_TURNS);
    blocks();
    pthread_join(other, NULL);
    _exit(5);
}

static void *beginning_thread(void *unused)
{
    sigset_t all;
    sigfillset(&all);
    stage = FIRST;
    turns(1);
    pthread_sigmask(SIG_BLOCK, &all, NULL); /* too late for the fork */
    if (in_child)
        pair_in_child();
    return unused;
}

static void allocator(int unused)
{
    (void)unused;
    stage = FIRST_IN_HANDLER;
    free(malloc(10));
}

/* The first block brings libc's cache of blocks: from then on malloc takes no lock, and may be
 * interrupted by a fork. */
static void *nested_thread(void *unused)
{
    free(malloc(10));
    stage = FIRST;
    while (stage != OVER && !in_child)
        turns(1);
    if (in_child)
        pair_in_child();
    return unused;
}

static __thread sigjmp_buf thread_back;

static void thread_jumper(int unused)
{
    (void)unused;
    strikes++;
    siglongjmp(thread_back, 1);
}

static void *jumping_thread(void *unused)
{
    if (sigsetjmp(thread_back, 1) == 0) {
        stage = FIRST;
        for (;;)
            turns(1);
    }
    blocks();
    return unused;
}

static void wait_for(int wanted)
{
    while (stage != wanted)
        ;
}

/* After a moment that is another one each time. */
static void strike(pthread_t thread, int number)
{
    for (volatile int spin = strikes * 1000; spin > 0; spin--)
        ;
    pthread_kill(thread, number);
}

static void strike_nested(pthread_t thread)
{
    int before = strikes;
    strike(thread, SIGUSR2);
    wait_for(FIRST_IN_HANDLER);
    strike(thread, SIGUSR1);
    while (strikes == before)
        ;
    stage = OVER;
}

static void strike_threads(void *(*thread_main)(void *))
{
    for (strikes = 0; strikes < FORKS;) {
        pthread_t thread;
        stage = NOWHERE;
        if (pthread_create(&thread, NULL, thread_main, NULL))
            _exit(7);
        wait_for(FIRST);
        if (thread_main == nested_thread)
            strike_nested(thread);
        else
            strike(thread, SIGUSR1);
        pthread_join(thread, NULL);
    }
}

/* ---- which ---- */

static void jumps(void)
{
    timed_jumps();
    on_signal(SIGUSR1, thread_jumper);
    strike_threads(jumping_thread);
}

static void begins(void)
{
    on_signal(SIGUSR1, forker);
    strike_threads(beginning_thread);
}

static void nested(void)
{
    on_signal(SIGUSR1, forker);
    on_signal(SIGUSR2, allocator);
    strike_threads(nested_thread);
}

int main(int argc, char **argv)
{
    const char *way = argc > 1 ? argv[1] : "";
    void (*does)(void) = strcmp(way, "chunks") == 0   ? chunks
                         : strcmp(way, "late") == 0   ? late
                         : strcmp(way, "each") == 0   ? each
                         : strcmp(way, "blocks") == 0 ? of_blocks
                         : strcmp(way, "raw") == 0    ? raw
                         : strcmp(way, "again") == 0  ? again
                         : strcmp(way, "begins") == 0 ? begins
                         : strcmp(way, "nested") == 0 ? nested
                         : strcmp(way, "jumps") == 0  ? jumps
                                                      : NULL;
    if (!does)
        return 99;
    does();
    blocks();
    if (in_child)
        _exit(bad_children ? 6 : 5);
    return bad_children;
}
