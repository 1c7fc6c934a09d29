/* world.c - the turn: who has it, who gets it, and who dies. */
#include "world.h"
#include "points.h"
#include "thread.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define STACK_BYTES (256u << 10)
#define STEP_NS     2000000u /* more than the millisecond of slack */
#define HANG_S      20

struct world *world;

/* Each process has its own: the coroutines of its actors, and whose stack it is on. */
static struct {
    ucontext_t context;
    struct tls tls;
    jmp_buf jump;
    void *stack;
    void (*run)(int actor);
} coroutines[ACTORS];
static int self;
static int is_off = 1; /* no world, or not to be disturbed */

uint64_t world_now(void)
{
    return world ? (world->now += STEP_NS) : 0;
}

int world_self(void)
{
    return self;
}

jmp_buf *world_jump_place(void)
{
    return &coroutines[self].jump;
}

void world_set_can_jump(int can)
{
    world->actors[self].can_jump = can;
}

/* ---- who is next ---- */

static uint64_t random_below(uint64_t n)
{
    world->random = world->random * 6364136223846793005u + 1442695040888963407u;
    return (world->random >> 33) % n;
}

static int is_ready(int actor)
{
    return actor >= 0 && actor < ACTORS && world->actors[actor].state == ACTOR_READY;
}

static int next_ready(int after)
{
    for (int i = 1; i <= ACTORS; i++)
        if (is_ready((after + i) % ACTORS))
            return (after + i) % ACTORS;
    return NOBODY;
}

static int random_ready(void)
{
    return next_ready((int)random_below(ACTORS));
}

/* Who goes on at a point that the present actor has come to. */
static int choose(void)
{
    const struct plan *plan = &world->plan;
    size_t i = world->preempted;

    if (i < PREEMPTIONS && plan->preemptions[i].at && world->points >= plan->preemptions[i].at) {
        world->preempted++;
        if (is_ready(plan->preemptions[i].to))
            return plan->preemptions[i].to;
    }
    if (plan->seed && random_below(plan->often) == 0)
        return random_ready();
    return self;
}

/* ---- giving the turn away ---- */

static void print_trace(void)
{
    uint64_t from = world->points > TRACE ? world->points - TRACE : 0;

    for (uint64_t i = from; i < world->points; i++)
        fprintf(stderr, "  point %lu: actor %d %s\n", (unsigned long)i,
                world->trace[i % TRACE].actor, world->trace[i % TRACE].point);
}

static void hang(void)
{
    fprintf(stderr, "nobody takes the turn of actor %d\n", world->turn);
    print_trace();
    abort();
}

/* Until it is the turn of an actor of this process: which one. */
static int wait_for_turn(void)
{
    const struct timespec patience = {HANG_S, 0};
    pid_t process = getpid();

    for (;;) {
        int turn = __atomic_load_n(&world->turn, __ATOMIC_SEQ_CST);
        if (world->actors[turn].process == process)
            return turn;
        if (syscall(SYS_futex, &world->turn, FUTEX_WAIT, turn, &patience, NULL, 0) < 0 &&
            errno == ETIMEDOUT)
            hang();
    }
}

static void pass_turn(int to)
{
    __atomic_store_n(&world->turn, to, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &world->turn, FUTEX_WAKE, ACTORS, NULL, NULL, 0);
}

/* The present actor stops here until it has the turn again. */
static void give_turn(int to)
{
    int before = self;

    if (to != before) {
        if (world->actors[to].process != getpid()) {
            pass_turn(to);
            to = wait_for_turn();
        } else {
            world->turn = to;
        }
        if (to != before) {
            coroutines[before].tls = tls;
            self = to;
            swapcontext(&coroutines[before].context, &coroutines[to].context);
            tls = coroutines[before].tls;
        }
    }
}

static void die(void)
{
    pid_t process = getpid();

    for (int i = 0; i < ACTORS; i++)
        if (world->actors[i].process == process && world->actors[i].state == ACTOR_READY)
            world->actors[i].state = ACTOR_DEAD;
    world->killed = 1;
    pass_turn(next_ready(self));
    kill(process, SIGKILL);
}

static void jump(void)
{
    world->jumped = 1;
    world->actors[self].can_jump = 0;
    _longjmp(coroutines[self].jump, 1);
}

void point(const char *name)
{
    if (is_off)
        return;
    world->trace[world->points++ % TRACE] = (struct trace_entry){self, name};
    if (self != COLLECTOR) {
        const struct plan *plan = &world->plan;
        if (plan->kill_at && !world->killed && world->points >= plan->kill_at)
            die();
        if (plan->jump_at && !world->jumped && world->points >= plan->jump_at &&
            world->actors[self].can_jump)
            jump();
    }
    give_turn(choose());
}

/* What fine plans know besides (yields.h). */
void fine_point(const char *name);
void fine_point(const char *name)
{
    if (!is_off && world->plan.fine)
        point(name);
}

void world_yield(void)
{
    give_turn(world->plan.seed ? random_ready() : next_ready(self));
}

/* ---- actors ---- */

static void leave(void)
{
    int to;

    world->actors[self].state = ACTOR_DONE;
    to = world->plan.seed ? random_ready() : next_ready(self);
    for (int i = 0; i < ACTORS; i++)
        if (is_ready(i) && world->actors[i].process == getpid())
            give_turn(to); /* and never comes back */
    pass_turn(to);
    _exit(0);
}

static void begin_actor(void)
{
    tls = (struct tls){0};
    coroutines[self].run(self);
    leave();
}

void world_spawn(int actor, void (*run)(int actor))
{
    ucontext_t *context = &coroutines[actor].context;

    if (!coroutines[actor].stack)
        coroutines[actor].stack =
            mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    getcontext(context);
    context->uc_stack.ss_sp = coroutines[actor].stack;
    context->uc_stack.ss_size = STACK_BYTES;
    context->uc_link = NULL;
    coroutines[actor].run = run;
    makecontext(context, begin_actor, 0);
    world->actors[actor] = (struct actor){ACTOR_READY, getpid(), world->processes - 1, 0};
}

/* A process that is not there would never take its turn. */
static pid_t fork_or_abort(void)
{
    pid_t pid = fork();

    if (pid < 0) {
        perror("fork");
        abort();
    }
    return pid;
}

void world_fork_program(void (*start)(void))
{
    world->turn = 1; /* nobody's until the program has made its actors */
    pid_t pid = fork_or_abort();

    if (pid != 0) {
        int waited = wait_for_turn();
        if (waited != COLLECTOR)
            abort();
        return;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    world->processes = 1;
    is_off = 1;
    start();
    is_off = 0;
    self = next_ready(COLLECTOR);
    world->turn = self;
    setcontext(&coroutines[self].context);
}

pid_t world_fork(int actor)
{
    world->actors[actor] = (struct actor){ACTOR_READY, 0, world->processes++, 0};
    pid_t pid = fork_or_abort();

    if (pid != 0) {
        world->actors[actor].process = pid;
        return pid;
    }
    coroutines[actor].tls = tls;
    while (wait_for_turn() != actor)
        ;
    self = actor;
    return 0;
}

/* ---- the whole ---- */

void world_begin(const struct plan *plan)
{
    if (!world)
        world =
            mmap(NULL, sizeof *world, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(world, 0, sizeof *world);
    world->plan = *plan;
    world->random = plan->seed;
    world->now = 1000000000;
    world->actors[COLLECTOR] = (struct actor){ACTOR_READY, getpid(), 0, 0};
    self = COLLECTOR;
    is_off = 0;
}

int world_goes_on(void)
{
    return next_ready(COLLECTOR) != COLLECTOR;
}

void world_end(int failed)
{
    is_off = 1;
    if (failed)
        print_trace();
    for (int i = 1; i < ACTORS; i++)
        if (world->actors[i].process > 0 && world->actors[i].process != getpid() &&
            world->actors[i].state == ACTOR_READY)
            kill(world->actors[i].process, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0)
        ;
}
