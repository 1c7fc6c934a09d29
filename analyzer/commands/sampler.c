/* sampler.c - see sampler.h. */
#include "sampler.h"
#include "boot_clock.h"
#include "xalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define INTERVAL_MIN 0.001 /* seconds */
#define INTERVAL_MAX 1e9
#define WATCHED_MAX  1024 /* processes: each costs an open file */

/* An open statm belongs to the process, not to the pid: a later process of the same pid is never
 * read through it. */
struct watched {
    pid_t pid;
    int statm;
    struct collector *collector;
};

struct sampler {
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t wake;
    int stop;
    uint64_t interval_ns;
    struct watched *list;
    size_t count, capacity;
};

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* 1 and the resident bytes, or 0: the process is gone. */
static int read_resident(int statm, uint64_t *bytes)
{
    char text[128];
    unsigned long long pages;
    ssize_t got = pread(statm, text, sizeof text - 1, 0);

    if (got <= 0)
        return 0;
    text[got] = '\0';
    if (sscanf(text, "%*u %llu", &pages) != 1)
        return 0;
    *bytes = pages * (uint64_t)sysconf(_SC_PAGESIZE);
    return 1;
}

/* 1, or 0: the process is gone. */
static int sample_one(const struct watched *w)
{
    uint64_t bytes;

    if (!read_resident(w->statm, &bytes))
        return 0;
    if (bytes > 0) /* a zombie has given its memory back */
        collector_sample(w->collector, w->pid, boot_clock_ns(), bytes);
    return 1;
}

static void sample_all(struct sampler *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->count; i++)
        if (sample_one(&s->list[i]))
            s->list[kept++] = s->list[i];
        else
            close(s->list[i].statm);
    s->count = kept;
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

void sampler_watch(struct sampler *s, pid_t pid, pid_t known_as, struct collector *collector)
{
    char path[64];

    if (s == NULL)
        return;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    int statm = open(path, O_RDONLY | O_CLOEXEC);
    if (statm < 0)
        return;
    pthread_mutex_lock(&s->lock);
    if (s->count >= WATCHED_MAX) {
        pthread_mutex_unlock(&s->lock);
        close(statm);
        return;
    }
    s->list = xgrow(s->list, &s->capacity, s->count + 1, sizeof *s->list);
    s->list[s->count] = (struct watched){known_as, statm, collector};
    sample_one(&s->list[s->count++]); /* at once, so that a short program has a sample, too */
    pthread_mutex_unlock(&s->lock);
}

void sampler_forget(struct sampler *s, const struct collector *collector)
{
    size_t kept = 0;

    if (s == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->count; i++)
        if (s->list[i].collector == collector)
            close(s->list[i].statm);
        else
            s->list[kept++] = s->list[i];
    s->count = kept;
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
        close(s->list[i].statm);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    free(s->list);
    free(s);
}
