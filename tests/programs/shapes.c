/*
 * shapes.c - blocks made below frames of every shape that a compiler writes (tests/unit/walk_shapes.h).
 *
 * BUILD -O2 -Wno-unknown-attributes
 * VALGRIND no: signals, coroutines and jumps
 *
 * A dance, always the same one: shapes call shapes, 25 deep, and now and then a block of 16 is made and
 * freed, until it has been 1500 (block). test_selfcheck_shapes.sh compiles it in other ways. With an
 * argument a timer strikes at up to 2 kHz meanwhile, whose handler makes and drops a mapping (strike).
 *
 * EXPECT block self allocations 1500
 * EXPECT block self live_at_end_blocks 0
 * EXPECT block self temporary 1500
 * EXPECT live_at_end_blocks 0
 * EXPECT truncated_stacks 0
 */
#include "../unit/walk_shapes.h"

#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#define BLOCKS  1500
#define DEEPEST 25

struct dancer {
    uint64_t random;
    int blocks;
};

__thread struct dancer *walk_dancing;
__thread int walk_depth;

static unsigned roll(struct dancer *d, unsigned sides)
{
    d->random = d->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(d->random >> 33) % sides;
}

static APART void block(struct dancer *d)
{
    void *volatile p = malloc(16);
    free(p);
    d->blocks++;
}

__attribute__((noinline, used)) void walk_next(struct dancer *d, int depth)
{
    for (unsigned times = 1 + roll(d, 2); times > 0 && d->blocks < BLOCKS; times--) {
        if (roll(d, 3) == 0)
            block(d);
        if (depth < DEEPEST && roll(d, 8) != 0)
            all_shapes[roll(d, sizeof all_shapes / sizeof *all_shapes)](d, depth + 1);
    }
}

/* Once: however long the handler takes, the dance gets on. */
static void start_timer(void)
{
    struct itimerval soon = {{0, 0}, {0, 500}};
    setitimer(ITIMER_REAL, &soon, NULL);
}

static void strike(int number)
{
    void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)number;
    munmap(p, 4096);
    start_timer();
}

static void handle(int signal_number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigaction(signal_number, &action, NULL);
}

int main(int argc, char **argv)
{
    static char alternate[4 << 20];
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    struct dancer d = {.random = 77};
    struct itimerval never = {{0, 0}, {0, 0}};
    (void)argv;
    sigaltstack(&stack, NULL);
    handle(SIGUSR1, handle_dancing, SA_NODEFER);
    handle(SIGUSR2, handle_dancing, SA_ONSTACK | SA_NODEFER);
    handle(SIGALRM, strike, SA_RESTART);
    if (argc > 1)
        start_timer();
    while (d.blocks < BLOCKS)
        walk_next(&d, 0);
    handle(SIGALRM, SIG_IGN, 0);
    setitimer(ITIMER_REAL, &never, NULL);
    write(1, "done\n", 5);
    return 0;
}
