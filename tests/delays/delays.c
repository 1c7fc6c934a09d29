/*
 * delays.c - stands still at named points (format/points.h), in a recorder and an analyzer that are
 * built for it (make delays): a race that needs a thread to stand still between two of its steps
 * happens at will.
 *
 *   MPROF_DELAYS="laid out=200000:500,read=1000:20000"
 *
 * At the point "laid out", 200,000 times of a million, for 500 microseconds; and so on. "busy=1000:!10"
 * sends the thread signal 10 instead, so that a handler interrupts it there. Raw system calls only: a host's
 * errno stays what it is.
 */
#include "arch_x86_64.h"
#include "points.h"

#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { DELAYS = 16 };

static struct delay {
    const char *name; /* in the environment */
    size_t bytes;
    uint32_t per_million, us, signal;
} delays[DELAYS];
static int count = -1; /* not read yet */

static uint32_t read_number(const char **p)
{
    uint32_t number = 0;

    for (; **p >= '0' && **p <= '9'; ++*p)
        number = number * 10 + (uint32_t)(**p - '0');
    return number;
}

/* NAME=NUMBER:NUMBER or NAME=NUMBER:!NUMBER, and the comma behind it. 0 where it is something else. */
static int read_delay(const char **p, struct delay *d)
{
    const char *end = strchr(*p, '=');

    if (!end)
        return 0;
    d->name = *p;
    d->bytes = (size_t)(end - *p);
    *p = end + 1;
    d->per_million = read_number(p);
    if (**p != ':')
        return 0;
    ++*p;
    uint32_t is_signal = **p == '!';
    *p += is_signal;
    uint32_t number = read_number(p);
    d->us = is_signal ? 0 : number;
    d->signal = is_signal ? number : 0;
    *p += **p == ',';
    return 1;
}

static void read_delays(void)
{
    static const char name[] = "MPROF_DELAYS=";
    const char *p = "";
    int found = 0;

    for (char **e = environ; e && *e; e++)
        if (strncmp(*e, name, sizeof name - 1) == 0)
            p = *e + sizeof name - 1;
    while (found < DELAYS && *p && read_delay(&p, &delays[found]))
        found++;
    __atomic_store_n(&count, found, __ATOMIC_RELEASE);
}

static void delay(const struct delay *d)
{
    struct timespec pause = {d->us / 1000000, d->us % 1000000 * 1000};

    if (!d->signal) {
        arch_syscall(SYS_nanosleep, (long)&pause, 0, 0, 0, 0, 0);
        return;
    }
    long pid = arch_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0);
    arch_syscall(SYS_tgkill, pid, arch_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0), d->signal, 0, 0, 0);
}

/* The counter's low bits, stirred: no state that threads would share. */
static uint32_t random_of_a_million(void)
{
    return (uint32_t)((arch_ticks() * 0x9e3779b97f4a7c15u >> 33) % 1000000);
}

void point(const char *name)
{
    if (__atomic_load_n(&count, __ATOMIC_ACQUIRE) < 0)
        read_delays();
    for (int i = 0; i < count; i++)
        if (strncmp(name, delays[i].name, delays[i].bytes) == 0 && !name[delays[i].bytes] &&
            random_of_a_million() < delays[i].per_million)
            delay(&delays[i]);
}
