/*
 * world.h - a small world in which recorder and collector run against each other, one step at a
 * time, in an order that a plan decides.
 *
 * Actors are coroutines: actor 0 is the collector, the others are threads of the recorded program.
 * Processes are real ones (a fork is fork, a kill is SIGKILL), and all but the one whose turn it is
 * wait. Each POINT of the code (format/points.h), and with `fine` each atomic access too, calls
 * point(): there the plan may give the turn to another actor. So a plan is an order of all steps,
 * and the same plan is the same run.
 *
 * The struct lies in shared memory. Only whoever has the turn touches it.
 */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include <setjmp.h>
#include <stdint.h>
#include <sys/types.h>

enum { ACTORS = 8, COLLECTOR = 0, PREEMPTIONS = 2, TRACE = 1 << 16, NOBODY = -1 };

enum actor_state { ACTOR_NONE, ACTOR_READY, ACTOR_DONE, ACTOR_DEAD };

/* Takes the turn from whoever has it when `at` points have passed, and gives it to `to`. */
struct preemption {
    uint64_t at;
    int to;
};

struct plan {
    int scenario;
    int fine;       /* points at atomic accesses, too */
    uint64_t seed;  /* of random switches; 0: there are none, but the preemptions */
    uint32_t often; /* one switch in so many points */
    struct preemption preemptions[PREEMPTIONS]; /* in order; at 0: none */
    uint64_t kill_at;                           /* the point at which a process dies, 0 none */
    uint64_t jump_at; /* .. at which a thread jumps out of what it is doing, 0 none */
};

/* What a thread knows to have done. An operation under way may be in the capture or not. */
struct ledger {
    uint64_t allocations, frees, bytes;
    uint64_t maybe_allocations, maybe_frees, maybe_bytes;
};

struct actor {
    enum actor_state state;
    pid_t process;
    uint32_t serial; /* of its process in the spool */
    int can_jump;    /* it is within an operation that it may jump out of */
};

struct trace_entry {
    int actor;
    const char *point;
};

struct world {
    int turn; /* an actor; a futex */
    struct plan plan;
    uint64_t random, points, now;
    size_t preempted; /* preemptions that have been made */
    struct actor actors[ACTORS];
    struct ledger ledger[ACTORS];
    uint32_t processes; /* of the recorded program */
    int killed, jumped;
    struct trace_entry trace[TRACE];
};

extern struct world *world;

/* Begins a world by this plan; the caller is the collector and has the turn. */
void world_begin(const struct plan *plan);

/* The collector's: a process whose actors are made by `start` (world_spawn), then run. */
void world_fork_program(void (*start)(void));
/* A thread of the calling process; it runs when the plan says so. */
void world_spawn(int actor, void (*run)(int actor));
/* The calling actor forks: 0 in the child, which is `actor` from here on. */
pid_t world_fork(int actor);

int world_self(void);
/* The thread is no more: from here on the actor is another one. */
void world_die(void);
/* From world_can_jump to world_cannot_jump the plan may have the actor jump out of what it does, as
 * a signal handler would: world_can_jump returns once more then, with 1. */
#define world_can_jump()    (world_set_can_jump(1), _setjmp(*world_jump_place()))
#define world_cannot_jump() world_set_can_jump(0)
void world_set_can_jump(int can);
jmp_buf *world_jump_place(void);

/* The collector gives the turn away; how often it gets it back is the plan's. */
void world_yield(void);

/* May some recorded thread still run? */
int world_goes_on(void);
/* Ends processes that are left, and prints the last points passed where `failed`. */
void world_end(int failed);

/* The time, which moves by more than the collector's slack with each look. */
uint64_t world_now(void);

#endif
