/* collecting.c - see collecting.h. */
#include "collecting.h"
#include "xalloc.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Milliseconds between two steps: */
#define STEP_FIRST_MS 1  /* to meet a short program while it runs */
#define STEP_BUSY_MS  10 /* much is recorded */
#define STEP_IDLE_MS  30 /* nothing is */

#define LOOK_NS     100000000u /* between two looks at who still runs */
#define MANY_EVENTS 1000
#define RUNNING_MAX 4096
#define STACK_BYTES (16u << 20) /* the thread's, whatever the user's limit: names nest deeply */

struct collecting {
    pthread_t thread;
    struct gather *gather; /* the thread's */
    pthread_mutex_t lock;  /* guards all below */
    pthread_cond_t wake;
    int has_thread, ending, done;
    struct root_end root_end;
    struct proc_identity *running;
    size_t running_count;
};

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void tell_who_runs(struct collecting *c)
{
    struct proc_identity *found = xmalloc(RUNNING_MAX * sizeof *found);
    size_t count = gather_running(c->gather, found, RUNNING_MAX);

    pthread_mutex_lock(&c->lock);
    free(c->running);
    c->running = found;
    c->running_count = count;
    pthread_mutex_unlock(&c->lock);
}

static struct timespec moment(uint64_t ns)
{
    return (struct timespec){(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
}

/* Waits at most `ms` milliseconds. Returns 1 when the root has ended. */
static int wait_for_end(struct collecting *c, int ms)
{
    struct timespec until = moment(now_ns() + (uint64_t)ms * 1000000u);

    pthread_mutex_lock(&c->lock);
    if (!c->ending)
        pthread_cond_timedwait(&c->wake, &c->lock, &until);
    int ending = c->ending;
    pthread_mutex_unlock(&c->lock);
    return ending;
}

static void finish(struct collecting *c)
{
    gather_end(c->gather, c->root_end);
    pthread_mutex_lock(&c->lock);
    c->done = 1;
    pthread_cond_broadcast(&c->wake);
    pthread_mutex_unlock(&c->lock);
}

static void *collecting_main(void *argument)
{
    struct collecting *c = argument;
    uint64_t look_ns = 0;
    int ms = STEP_FIRST_MS;

    do {
        int look = now_ns() >= look_ns;
        int64_t events = gather_step(c->gather, look);
        if (look) {
            tell_who_runs(c);
            look_ns = now_ns() + LOOK_NS;
        }
        ms = events > MANY_EVENTS ? STEP_BUSY_MS : 2 * ms < STEP_IDLE_MS ? 2 * ms : STEP_IDLE_MS;
    } while (!wait_for_end(c, ms));
    finish(c);
    return NULL;
}

struct collecting *collecting_start(struct gather *g)
{
    pthread_condattr_t attributes;
    pthread_attr_t thread_attributes;
    sigset_t all, before;
    struct collecting *c = xcalloc(1, sizeof *c);

    c->gather = g;
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&c->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&thread_attributes);
    pthread_attr_setstacksize(&thread_attributes, STACK_BYTES);
    c->has_thread = pthread_create(&c->thread, &thread_attributes, collecting_main, c) == 0;
    pthread_attr_destroy(&thread_attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return c;
}

size_t collecting_running(struct collecting *c, struct proc_identity *found, size_t max)
{
    if (c == NULL)
        return 0;
    pthread_mutex_lock(&c->lock);
    size_t count = c->running_count < max ? c->running_count : max;
    if (count > 0)
        memcpy(found, c->running, count * sizeof *found);
    pthread_mutex_unlock(&c->lock);
    return count;
}

void collecting_end(struct collecting *c, struct root_end end)
{
    pthread_mutex_lock(&c->lock);
    c->root_end = end;
    c->ending = 1;
    pthread_cond_broadcast(&c->wake);
    pthread_mutex_unlock(&c->lock);
    if (!c->has_thread)
        finish(c);
}

int collecting_wait(struct collecting *c, int ms)
{
    struct timespec until = moment(now_ns() + (uint64_t)(ms < 0 ? 0 : ms) * 1000000u);
    int rc = 0;

    pthread_mutex_lock(&c->lock);
    while (!c->done && rc == 0)
        rc = ms < 0 ? pthread_cond_wait(&c->wake, &c->lock)
                    : pthread_cond_timedwait(&c->wake, &c->lock, &until);
    int done = c->done;
    pthread_mutex_unlock(&c->lock);
    return done;
}

void collecting_free(struct collecting *c)
{
    if (c->has_thread)
        pthread_join(c->thread, NULL);
    pthread_cond_destroy(&c->wake);
    pthread_mutex_destroy(&c->lock);
    free(c->running);
    free(c);
}
