/* supervise.c - see supervise.h. */
#include "supervise.h"
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MAX_MS 500         /* SIGCHLD ends a wait; but one may come before the wait begins */
#define GRACE_NS    2000000000u /* from TERM to KILL */
#define KILLED_NS   500000000u  /* from KILL to the end; some cannot be killed by us, or not now */
#define VICTIMS_MAX 8192

struct supervision {
    struct supervised *result;
    struct proc_identity root;
    struct collecting *collecting;
    int signal_fd;
    uint64_t limit_ns; /* when the time is up; then when the grace is; UINT64_MAX: never */
    size_t victim_count;
};

/* Of the time limit. */
static struct proc_identity victims[VICTIMS_MAX];

uint64_t supervise_clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t timeval_ns(struct timeval t)
{
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_usec * 1000u;
}

/* 1 when the root has ended. */
static int reap(struct supervision *s)
{
    struct rusage usage;

    if (wait4(s->root.pid, &s->result->status, WNOHANG, &usage) != s->root.pid)
        return 0;
    s->result->cpu_ns = timeval_ns(usage.ru_utime) + timeval_ns(usage.ru_stime);
    s->result->max_rss_bytes = (uint64_t)usage.ru_maxrss * 1024;
    return 1;
}

static void take_signals(struct supervision *s)
{
    struct signalfd_siginfo info;

    while (read(s->signal_fd, &info, sizeof info) == sizeof info)
        if (info.ssi_signo != SIGCHLD)
            kill(s->root.pid, (int)info.ssi_signo);
}

/* ---- the time limit ---- */

static void add_victims(struct supervision *s)
{
    struct proc_identity *free_part = victims + s->victim_count;
    size_t room = VICTIMS_MAX - s->victim_count;
    size_t found = proc_descendants(s->root.pid, free_part, room);

    found += collecting_running(s->collecting, free_part + found, room - found);
    s->victim_count += found;
}

/* A pid without a start time may be anybody's by now: it is neither signalled nor waited for. */
static int is_victim(struct proc_identity process)
{
    return process.start_time != 0 && process.pid != getpid() && proc_alive(process);
}

static void signal_victims(struct supervision *s, int signal)
{
    for (size_t i = 0; i < s->victim_count; i++)
        if (is_victim(victims[i]))
            kill(victims[i].pid, signal);
}

static void check_time(struct supervision *s)
{
    uint64_t now = supervise_clock_ns();

    if (now < s->limit_ns)
        return;
    add_victims(s);
    if (s->result->timed_out) {
        s->limit_ns = UINT64_MAX;
        kill(s->root.pid, SIGKILL);
        signal_victims(s, SIGKILL);
        return;
    }
    s->result->timed_out = 1;
    s->limit_ns = now + GRACE_NS;
    kill(s->root.pid, SIGTERM);
    signal_victims(s, SIGTERM);
    kill(s->root.pid, SIGCONT); /* a stopped one would never notice */
    signal_victims(s, SIGCONT);
}

static int any_victim(const struct supervision *s)
{
    for (size_t i = 0; i < s->victim_count; i++)
        if (is_victim(victims[i]))
            return 1;
    return 0;
}

/* The root is gone after the time limit; what it left behind has the rest of the grace or, where
 * that is over and all were killed, a moment to be gone. */
static void end_victims(struct supervision *s)
{
    const struct timespec pause = {0, 10000000};
    uint64_t now = supervise_clock_ns();
    uint64_t end_ns = s->limit_ns != UINT64_MAX ? s->limit_ns : now + KILLED_NS;

    while (any_victim(s) && supervise_clock_ns() < end_ns)
        nanosleep(&pause, NULL);
    add_victims(s);
    signal_victims(s, SIGKILL);
}

/* ---- the loop ---- */

static void wait_a_little(const struct supervision *s)
{
    struct pollfd watch = {.fd = s->signal_fd, .events = POLLIN};
    uint64_t now = supervise_clock_ns();
    uint64_t left_ms = s->limit_ns > now ? (s->limit_ns - now) / 1000000u + 1 : 0;

    poll(&watch, 1, left_ms < WAIT_MAX_MS ? (int)left_ms : WAIT_MAX_MS);
}

void supervise(struct supervised *result, struct proc_identity root, const sigset_t *watched,
               struct collecting *collecting, double timeout_s, uint64_t begin_ns)
{
    struct supervision s = {
        .result = result, .root = root, .collecting = collecting, .limit_ns = UINT64_MAX};

    *result = (struct supervised){0};
    s.signal_fd = signalfd(-1, watched, SFD_NONBLOCK | SFD_CLOEXEC);
    if (timeout_s > 0 && timeout_s < 1e9)
        s.limit_ns = begin_ns + (uint64_t)(timeout_s * 1e9);
    while (!reap(&s)) {
        take_signals(&s);
        check_time(&s);
        wait_a_little(&s);
    }
    result->wall_ns = supervise_clock_ns() - begin_ns;
    if (result->timed_out)
        end_victims(&s);
    if (s.signal_fd >= 0)
        close(s.signal_fd);
}
