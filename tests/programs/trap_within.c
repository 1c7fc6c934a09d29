/*
 * trap_within.c - handlers that fork within a fork, and where a window goes; test_forks_within.py has a
 * recorder send the signals at such places.
 *
 * BUILD -O0 -pthread
 *
 * trap_within WAY [OUTER INNER]
 *   forks   20 times: main makes 20 blocks and forks by OUTER; both free them. A handler of SIGUSR1 forks by INNER;
 *           its child goes on in what was interrupted. OUTER, INNER: fork, raw (_Fork) or number (syscall)
 *   cramped main, then a thread, makes and frees a block 20 times; a handler on a small alternate stack forks by INNER, and
 *           its child goes on in what was interrupted
 *   nested  20 times: a handler interrupts main's hook, another one that handler's, and so on until the one of INNER,
 *           a signal's number, forks. Its child goes on 20 ms later; main frees 20 blocks meanwhile, as the child does
 *   window  a thread makes and frees 2,000,000 blocks; main maps memory and forks meanwhile, again and again. The
 *           child must have that memory
 * Each process makes and frees 50 blocks, too. Children leave with status 5; main's is the number of those that do not.
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 20, KEPT = 20, WINDOW_BLOCKS = 2000000, PIECES = 1000, PIECE = 64 << 10 };

static volatile int bad_children, is_handlers, strikes;
static void *kept[KEPT];

/* Each of its numbers in turn. */
static pid_t by_number(void)
{
    static int used;
    uint64_t arguments[8] = {0, 0, 0, 0, SIGCHLD};
#ifdef SYS_fork
    if (used++ % 3 == 0)
        return (pid_t)syscall(SYS_fork);
#endif
    pid_t child = -1;
    if (used % 3 == 2)
        child = (pid_t)syscall(SYS_clone3, arguments, sizeof arguments);
    return child >= 0
               ? child
               : (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); /* clone3 may be forbidden */
}

static pid_t (*outer)(void) = fork, (*inner)(void) = fork;

static void wait_for(pid_t child)
{
    int status = 0;
    if (waitpid(child, &status, 0) != child || status != 5 << 8)
        bad_children++;
}

static void blocks(void)
{
    for (int i = 0; i < 50; i++)
        free(malloc(10));
}

static void keep_blocks(void)
{
    for (int i = 0; i < KEPT; i++)
        kept[i] = malloc(500);
}

static void free_blocks(void)
{
    for (int i = 0; i < KEPT; i++)
        free(kept[i]);
}

static void leave_as_child(void)
{
    free_blocks();
    blocks();
    _exit(bad_children ? 6 : 5);
}

/* What a handler's own hooks have sent. */
static void drop_pending(int number)
{
    const struct timespec now = {0, 0};
    sigset_t own;
    sigemptyset(&own);
    sigaddset(&own, number);
    while (sigtimedwait(&own, NULL, &now) > 0)
        ;
}

/* ---- a fork within a fork ---- */

static void forker(int number)
{
    if (is_handlers)
        return;
    pid_t child = inner();
    if (child == 0) {
        is_handlers = 1;
        return;
    }
    wait_for(child);
    drop_pending(number);
}

static void forks(void)
{
    pid_t first = getpid();
    signal(SIGUSR1, forker);
    for (int i = 0; i < ROUNDS; i++) {
        keep_blocks();
        pid_t child = outer();
        if (child == 0)
            leave_as_child();
        free_blocks();
        wait_for(child);
        if (getpid() != first) { /* the handler's child; its blocks are free already */
            blocks();
            _exit(bad_children ? 6 : 5);
        }
    }
    signal(SIGUSR1, SIG_IGN);
}

/* ---- the same on a small alternate stack ---- */

enum { SMALL = 16 << 10, CRAMPED_ROUNDS = 20 };

static void on_small_stack(char *stack)
{
    stack_t small = {.ss_sp = stack, .ss_size = SMALL};
    struct sigaction action = {.sa_handler = forker, .sa_flags = SA_ONSTACK};
    if (sigaltstack(&small, NULL))
        _exit(8);
    sigaction(SIGUSR1, &action, NULL);
    for (int i = 0; i < CRAMPED_ROUNDS && !is_handlers; i++)
        free(malloc(20));
    signal(SIGUSR1, SIG_IGN);
    if (is_handlers) {
        blocks();
        _exit(bad_children ? 6 : 5);
    }
}

static void *cramped_thread(void *unused)
{
    static char stack[SMALL];
    on_small_stack(stack);
    return unused;
}

/* Main first: then the recorder's own stacks lie above the thread's. */
static void cramped(void)
{
    static char stack[SMALL];
    pthread_t thread;
    on_small_stack(stack);
    if (pthread_create(&thread, NULL, cramped_thread, NULL))
        _exit(7);
    pthread_join(thread, NULL);
}

/* ---- a fork in the innermost of several handlers ---- */

static const int levels[] = {SIGUSR1, SIGUSR2, 34, 35};
static int last_level;

static void handle_levels(void (*handler)(int))
{
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        signal(levels[i], handler);
}

static void go_deeper(int number)
{
    if (strikes || is_handlers)
        return;
    if (number != last_level) {
        free(malloc(20));
        return;
    }
    strikes = 1;
    if (fork() == 0) {
        is_handlers = 1;
        usleep(20000);
    }
}

static void nested(const char *level)
{
    int status;
    last_level = atoi(level);
    handle_levels(SIG_IGN);
    free(malloc(10)); /* from here on malloc takes no lock */
    for (int i = 0; i < ROUNDS; i++) {
        keep_blocks();
        strikes = 0;
        handle_levels(go_deeper);
        void *block = malloc(600);
        handle_levels(SIG_IGN);
        free(block);
        if (is_handlers)
            leave_as_child();
        free_blocks();
        while (wait(&status) > 0)
            bad_children += status != 5 << 8;
    }
}

/* ---- memory where a window was ---- */

static volatile int is_over;

static void *many_blocks(void *unused)
{
    for (int i = 0; i < WINDOW_BLOCKS; i++)
        free(malloc(10));
    is_over = 1;
    return unused;
}

/* All holes are filled, so that each place that has just become free is taken. */
static void map_and_fork(void)
{
    char *piece[PIECES];
    for (int i = 0; i < PIECES; i++)
        piece[i] = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pid_t child = _Fork();
    if (child == 0) {
        for (int i = 0; i < PIECES; i++)
            *piece[i] = 1;
        blocks();
        _exit(5);
    }
    wait_for(child);
    for (int i = 0; i < PIECES; i++)
        munmap(piece[i], PIECE);
}

static void window(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, many_blocks, NULL))
        _exit(7);
    while (!is_over)
        map_and_fork();
    pthread_join(thread, NULL);
}

static pid_t (*maker(const char *name))(void)
{
    return strcmp(name, "raw") == 0 ? _Fork : strcmp(name, "number") == 0 ? by_number : fork;
}

int main(int argc, char **argv)
{
    const char *way = argc > 1 ? argv[1] : "";
    if (argc > 3) {
        outer = maker(argv[2]);
        inner = maker(argv[3]);
    }
    if (strcmp(way, "forks") == 0)
        forks();
    else if (strcmp(way, "nested") == 0 && argc > 2)
        nested(argv[2]);
    else if (strcmp(way, "cramped") == 0)
        cramped();
    else if (strcmp(way, "window") == 0)
        window();
    else
        return 99;
    blocks();
    return bad_children;
}
