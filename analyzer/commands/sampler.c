/* sampler.c - see sampler.h. */
#include "sampler.h"
#include "boot_clock.h"
#include "xalloc.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define INTERVAL_MIN 0.001 /* seconds */
#define INTERVAL_MAX 1e9
#define WATCHED_MAX  1024 /* processes: each costs an open file */
#define LOOKS        256  /* of a process that are kept */
#define ENDED_MAX    1024 /* processes whose looks are kept for a collector that may come */

struct look {
    uint64_t boottime_ns;
    struct resident resident;
};

struct watched {
    struct proc_identity process; /* here */
    pid_t known_as;               /* to the collector */
    int status;                   /* open, as resident.h opens it; -1: the process has ended */
    struct collector *collector;  /* NULL: nobody yet, or nobody any more */
    struct look *looks;           /* the last ones, in a ring of LOOKS, for whoever comes late */
    size_t look_count, look_capacity;
};

struct sampler {
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t wake;
    int stop;
    uint64_t interval_ns;
    struct newcomers *newcomers; /* NULL: none are looked for */
    struct watched **list;       /* the oldest first */
    size_t count, capacity;
    size_t ended; /* of these */
};

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void keep(struct watched *w, struct look look)
{
    if (w->look_count < LOOKS)
        w->looks = xgrow(w->looks, &w->look_capacity, w->look_count + 1, sizeof *w->looks);
    w->looks[w->look_count++ % LOOKS] = look;
    if (w->collector != NULL)
        collector_sample(w->collector, w->known_as, look.boottime_ns, look.resident);
}

static void sample_one(struct sampler *s, struct watched *w)
{
    struct look look;

    if (w->status < 0)
        return;
    if (!resident_read(w->status, &look.resident)) {
        close(w->status);
        w->status = -1;
        s->ended++;
        return;
    }
    look.boottime_ns = boot_clock_ns();
    if (look.resident.bytes > 0)
        keep(w, look);
}

static void stop_watching(struct watched *w)
{
    if (w->status >= 0)
        close(w->status);
    free(w->looks);
    free(w);
}

/* Of those that have ended the oldest go. */
static void drop_ended(struct sampler *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->count; i++)
        if (s->list[i]->status >= 0 || s->ended <= ENDED_MAX) {
            s->list[kept++] = s->list[i];
        } else {
            s->ended--;
            stop_watching(s->list[i]);
        }
    s->count = kept;
}

/* ---- who is watched ---- */

/* Is it the same process, as far as start times are known? */
static int is_same(const struct watched *w, struct proc_identity process)
{
    struct resident r;

    if (w->process.pid != process.pid)
        return 0;
    if (w->process.start_time != 0 && process.start_time != 0)
        return w->process.start_time == process.start_time;
    return w->status >= 0 && resident_read(w->status, &r);
}

/* The youngest comes to mind first: it is the one most often asked for. */
static struct watched *find(const struct sampler *s, struct proc_identity process)
{
    for (size_t i = s->count; i-- > 0;)
        if (is_same(s->list[i], process))
            return s->list[i];
    return NULL;
}

/* Its /proc/PID/status, which no later process of the pid is read through; -1: it has ended. */
static int open_status(struct proc_identity process)
{
    struct proc_stat stat;
    int status = resident_open(process.pid);

    if (status < 0 || process.start_time == 0 ||
        (proc_stat_read(process.pid, &stat) && stat.start_time == process.start_time))
        return status;
    close(status);
    return -1;
}

static struct watched *add(struct sampler *s, struct proc_identity process)
{
    int status = s->count - s->ended < WATCHED_MAX ? open_status(process) : -1;

    if (status < 0)
        return NULL;
    struct watched *w = xcalloc(1, sizeof *w);
    w->process = process;
    w->status = status;
    s->list = xgrow(s->list, &s->capacity, s->count + 1, sizeof *s->list);
    s->list[s->count++] = w;
    return w;
}

static void add_newcomer(void *context, struct proc_identity process)
{
    struct sampler *s = context;

    if (find(s, process) == NULL)
        add(s, process);
}

/* ---- the thread ---- */

static void sample_all(struct sampler *s)
{
    if (s->newcomers != NULL)
        newcomers_look(s->newcomers, add_newcomer, s);
    for (size_t i = 0; i < s->count; i++)
        sample_one(s, s->list[i]);
    drop_ended(s);
}

static void *sampler_main(void *argument)
{
    struct sampler *s = argument;
    uint64_t next = now_ns() + s->interval_ns;

    pthread_mutex_lock(&s->lock);
    while (!s->stop) {
        struct timespec until = {(time_t)(next / 1000000000u), (long)(next % 1000000000u)};
        if (pthread_cond_timedwait(&s->wake, &s->lock, &until) != ETIMEDOUT)
            continue;
        sample_all(s);
        uint64_t now = now_ns();
        while (next <= now) /* after a pause: no burst of samples */
            next += s->interval_ns;
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

struct sampler *sampler_start(double interval_s)
{
    pthread_condattr_t attributes;
    sigset_t all, before;

    if (interval_s <= 0)
        return NULL;
    struct sampler *s = xcalloc(1, sizeof *s);
    interval_s = interval_s < INTERVAL_MIN ? INTERVAL_MIN : interval_s;
    s->interval_ns = (uint64_t)((interval_s > INTERVAL_MAX ? INTERVAL_MAX : interval_s) * 1e9);
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&s->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&s->thread, NULL, sampler_main, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        free(s);
        errno = error;
        return NULL;
    }
    return s;
}

/* ---- for collectors ---- */

/* What was seen of the process since then, for a collector that has just come. */
static void catch_up(const struct watched *w, uint64_t since_ns)
{
    size_t first = w->look_count > LOOKS ? w->look_count - LOOKS : 0;

    for (size_t i = first; w->collector != NULL && i < w->look_count; i++) {
        const struct look *look = &w->looks[i % LOOKS];
        if (look->boottime_ns >= since_ns)
            collector_sample(w->collector, w->known_as, look->boottime_ns, look->resident);
    }
}

void sampler_find(struct sampler *s, struct newcomers *newcomers)
{
    if (s == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    s->newcomers = newcomers;
    pthread_mutex_unlock(&s->lock);
}

void sampler_watch(struct sampler *s, struct proc_identity process, pid_t known_as,
                   uint64_t since_ns, struct collector *collector)
{
    if (s == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    struct watched *w = find(s, process);
    if (w == NULL)
        w = add(s, process);
    if (w != NULL) {
        w->known_as = known_as;
        w->collector = collector;
        catch_up(w, since_ns);
        sample_one(s, w); /* at once, so that a short program has a sample, too */
    }
    pthread_mutex_unlock(&s->lock);
}

void sampler_forget(struct sampler *s, const struct collector *collector)
{
    if (s == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->count; i++)
        if (s->list[i]->collector == collector)
            s->list[i]->collector = NULL;
    pthread_mutex_unlock(&s->lock);
}

void sampler_stop(struct sampler *s)
{
    if (s == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    s->stop = 1;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    for (size_t i = 0; i < s->count; i++)
        stop_watching(s->list[i]);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    free(s->list);
    free(s);
}
