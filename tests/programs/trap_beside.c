/*
 * trap_beside.c - forks while another thread begins, or takes a sample; jumps out of a sample;
 * test_forks_beside.py runs each way with a recorder that stands still there.
 *
 * BUILD -O0 -pthread
 *
 * trap_beside WAY
 *   states   5 times a thread begins, and main forks. In the child main and another thread make and free
 *            20,000 blocks each. The threads stay
 *   samples  a thread makes and frees a block every 2 ms, and main forks 3 times. Each child makes and frees
 *            100 blocks, one every 2 ms
 *   jumps    a page is mapped and dropped 100 times, every 10 ms, while a timer's handler jumps away from
 *            there 5 times
 * Each child's status is 5. The status is the number of children that went wrong.
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

static int bad_children;

static void blocks(int number, useconds_t rest)
{
    for (int i = 0; i < number; i++) {
        free(malloc(24));
        if (rest)
            usleep(rest);
    }
}

static void wait_for(pid_t child)
{
    int status = 0;
    if (waitpid(child, &status, 0) != child || status != 5 << 8)
        bad_children++;
}

/* ---- a thread that begins ---- */

enum { THREADS = 5, BLOCKS = 20000 };
static atomic_int began;

static void *stay(void *unused)
{
    began++;
    blocks(1, 0);
    pause();
    return unused;
}

static void *child_thread(void *unused)
{
    blocks(BLOCKS, 0);
    return unused;
}

static void child_of_states(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, child_thread, NULL))
        _exit(6);
    blocks(BLOCKS, 0);
    pthread_join(thread, NULL);
    _exit(5);
}

/* On small stacks, of which libc keeps all in the child: there it frees nothing of its own. */
static void states(void)
{
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 1 << 16);
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        if (pthread_create(&thread, &small, stay, NULL))
            _exit(7);
        while (began == i)
            ;
        usleep(5000); /* it stands still for longer */
        pid_t child = fork();
        if (child == 0)
            child_of_states();
        wait_for(child);
    }
}

/* ---- a thread that takes samples ---- */

static void *busy(void *unused)
{
    blocks(1 << 30, 2000);
    return unused;
}

static void samples(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, busy, NULL))
        _exit(7);
    for (int i = 0; i < 3; i++) {
        usleep(100000);
        pid_t child = fork();
        if (child == 0) {
            blocks(100, 2000);
            _exit(5);
        }
        wait_for(child);
    }
}

/* ---- jumps ---- */

enum { TURNS = 100, JUMPS = 5 };
static sigjmp_buf back;
static volatile int jumped, turn;

static void jumper(int unused)
{
    (void)unused;
    jumped++;
    siglongjmp(back, 1);
}

static void jumps(void)
{
    struct sigaction action = {.sa_handler = jumper};
    struct itimerval soon = {{0, 0}, {0, 47000}}, never = {{0, 0}, {0, 0}};
    sigaction(SIGALRM, &action, NULL);
    sigsetjmp(back, 1);
    setitimer(ITIMER_REAL, jumped < JUMPS ? &soon : &never, NULL);
    while (turn < TURNS) {
        turn++;
        usleep(10000);
        munmap(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096);
    }
}

int main(int argc, char **argv)
{
    const char *way = argc > 1 ? argv[1] : "";
    blocks(1, 0);
    if (strcmp(way, "states") == 0)
        states();
    else if (strcmp(way, "samples") == 0)
        samples();
    else if (strcmp(way, "jumps") == 0)
        jumps();
    else
        return 99;
    return bad_children;
}
