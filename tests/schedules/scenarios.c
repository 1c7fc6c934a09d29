/*
 * scenarios.c - programs of a few threads that allocate, free, pass blocks on, end and fork.
 *
 * Addresses come from a stack of free ones, so that what one thread frees another gets at once.
 * Between operations a thread records a long exec path now and then, which fills chunks: three
 * operations are a chunk. The calls are those of the hooks (preload/interpose.c): an allocation is
 * recorded when the address is its own, a free before it is let go of.
 */
#include "scenarios.h"
#include "init.h"
#include "points.h"
#include "record.h"
#include "world.h"

#include <string.h>
#include <unistd.h>

enum { PLACES = 6, SLOTS_OF_BLOCKS = 2, FILL = 1100 };

static struct {
    uintptr_t free[PLACES];
    int count;
    uintptr_t block[SLOTS_OF_BLOCKS]; /* that any thread may take */
} memory;

static char long_path[FILL + 1];

static void lay_out_memory(void)
{
    memory.count = 0;
    for (int i = 0; i < PLACES; i++)
        memory.free[memory.count++] = 0x10000 + 64u * (unsigned)i;
    memset(long_path, 'x', FILL);
    recorder_ready(); /* the start is over before there are threads: pthread_create allocates */
}

static struct ledger *own(void)
{
    return &world->ledger[world_self()];
}

/* A thread that jumps away leaves it open whether the operation was recorded. */
static __attribute__((noinline)) uintptr_t allocate(uint64_t size)
{
    uintptr_t p = memory.count ? memory.free[--memory.count] : 0;

    if (!p)
        return 0;
    point("allocated");
    own()->maybe_allocations++;
    own()->maybe_bytes += size;
    if (world_can_jump())
        return 0;
    record_alloc(ARCH_CALLER(), (void *)p, size);
    world_cannot_jump();
    own()->allocations++;
    own()->bytes += size;
    point("returned");
    return p;
}

static __attribute__((noinline)) void release(uintptr_t p)
{
    if (!p)
        return;
    own()->maybe_frees++;
    if (world_can_jump())
        return;
    record_free(ARCH_CALLER(), (void *)p);
    world_cannot_jump();
    own()->frees++;
    point("freeing");
    memory.free[memory.count++] = p;
}

/* A realloc that moves: to the address, if there is one, that was let go of last. Nobody jumps out
 * of it: who did would not know where the block is. */
static __attribute__((noinline)) uintptr_t move(uintptr_t p, uint64_t size)
{
    own()->maybe_frees++;
    own()->maybe_allocations++;
    own()->maybe_bytes += size;
    record_realloc_begin(ARCH_CALLER(), (void *)p);
    point("moving");
    uintptr_t to = memory.count ? memory.free[--memory.count] : p;
    if (to != p)
        memory.free[memory.count++] = p;
    point("moved");
    record_realloc_moved(ARCH_CALLER(), (void *)to, size);
    own()->frees++;
    own()->allocations++;
    own()->bytes += size;
    return to;
}

static __attribute__((noinline)) void fill(void)
{
    if (!recorder_ready() || world_can_jump())
        return;
    record_exec(long_path);
    world_cannot_jump();
}

/* A new block goes into a slot, and the one that was there is freed or moved, whoever made it. */
static void exchange(unsigned turn)
{
    uintptr_t p = allocate(100 + turn);
    uintptr_t *slot = &memory.block[turn % SLOTS_OF_BLOCKS], old = *slot;

    *slot = p;
    if (old && turn % 4 == 1)
        old = move(old, 1000 + turn);
    release(old);
}

static void work(unsigned operations)
{
    for (unsigned i = 0; i < operations; i++) {
        fill();
        exchange(i);
    }
}

/* ---- the programs ---- */

static void some_work(int actor)
{
    (void)actor;
    work(4);
}

static void much_work(int actor)
{
    (void)actor;
    work(12);
}

static void one_event(int actor)
{
    (void)actor;
    exchange(0);
}

/* Its first chunks come where others have windows, whose slots have been freed. */
static void late_work(int actor)
{
    for (int i = 0; i < 12; i++)
        world_yield();
    some_work(actor);
}

/* A thread ends, perhaps within an operation; a next one gets its state and goes on in its stream.
 */
static void two_lives(int actor)
{
    (void)actor;
    work(2);
    world_die();
    tls = (struct tls){0};
    point("next thread");
    work(2);
}

/* The same, but nobody comes after it. */
static void one_life(int actor)
{
    (void)actor;
    work(1);
    world_die();
}

static void child(void)
{
    world_cannot_jump();
    recorder_ready(); /* what the handler of the fork does, with signals held back */
    release(memory.block[0]);
    memory.block[0] = 0;
    work(3);
}

/* Forks between two pieces of work; the child frees what it inherits. */
static void forking(int actor)
{
    work(1);
    init_fork_prepare((uintptr_t)__builtin_frame_address(0));
    point("fork");
    if (world_fork(actor + 4) == 0) {
        child();
        return;
    }
    init_fork_returned();
    work(2);
}

static void start_two(void)
{
    lay_out_memory();
    world_spawn(1, some_work);
    world_spawn(2, some_work);
}

static void start_many(void)
{
    lay_out_memory();
    for (int i = 1; i <= 3; i++)
        world_spawn(i, one_event);
}

static void start_long(void)
{
    lay_out_memory();
    world_spawn(1, much_work);
    world_spawn(2, much_work);
}

static void start_lives(void)
{
    lay_out_memory();
    world_spawn(1, two_lives);
    world_spawn(2, two_lives);
}

/* Many claim places at once, so that a scan finds holes between them and behind its end. */
static void start_burst(void)
{
    lay_out_memory();
    for (int i = 1; i <= 6; i++)
        world_spawn(i, one_event);
}

/* The first one's state is there for two. */
static void start_heirs(void)
{
    lay_out_memory();
    world_spawn(1, one_life);
    world_spawn(2, some_work);
    world_spawn(3, some_work);
}

/* Two have filled windows when the third one begins. */
static void start_late(void)
{
    start_two();
    world_spawn(3, late_work);
}

static void start_forking(void)
{
    lay_out_memory();
    world_spawn(1, forking);
    world_spawn(2, some_work);
}

const struct scenario scenarios[] = {
    {"two threads", start_two},  {"first events", start_many},
    {"many chunks", start_long}, {"threads that end", start_lives},
    {"a fork", start_forking},   {"a burst", start_burst},
    {"heirs", start_heirs},      {"a late thread", start_late},
};
const int scenario_count = sizeof scenarios / sizeof *scenarios;
