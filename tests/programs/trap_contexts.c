/*
 * trap_contexts.c - a coroutine that moves from thread to thread, and one that is left for good.
 *
 * BUILD -O0 -pthread
 * VALGRIND no: it does not follow a stack from thread to thread
 *
 * A coroutine on a stack of 64 KiB (a mapping) makes a block of 25 in each of 40 turns (turn) and yields;
 * main and a second thread resume it in turn, and whoever resumed it frees the block. Before each turn
 * the resumer has made and freed a block of 15 of its own (own_work).
 *
 * EXPECT turn self allocations 40
 * EXPECT turn self own_peak_bytes 25
 * EXPECT turn self live_at_end_blocks 0
 * EXPECT own_work self allocations 40
 * EXPECT own_work self temporary 40
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

static ucontext_t coroutine, resumer;
static void *volatile made;
static pthread_barrier_t barrier;

static void turn(void)
{
    made = malloc(25);
}

static void body(void)
{
    for (;;) {
        turn();
        swapcontext(&coroutine, &resumer);
    }
}

static void own_work(void)
{
    free(malloc(15));
}

static void resume(void)
{
    own_work();
    swapcontext(&resumer, &coroutine);
    free(made);
}

static void *other(void *unused)
{
    for (int i = 0; i < 20; i++) {
        pthread_barrier_wait(&barrier);
        resume();
        pthread_barrier_wait(&barrier);
    }
    return unused;
}

int main(void)
{
    pthread_t thread;
    void *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    getcontext(&coroutine);
    coroutine.uc_stack.ss_sp = stack;
    coroutine.uc_stack.ss_size = 65536;
    makecontext(&coroutine, body, 0);
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&thread, NULL, other, NULL);
    for (int i = 0; i < 20; i++) {
        resume();
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
    }
    pthread_join(thread, NULL);
    return 0;
}
