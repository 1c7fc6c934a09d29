/* stand_ins.c - what the recorder and the collector get from the world instead: the time, and a C
 * library without hooks. */
#include "host.h"
#include "life.h"
#include "real.h"
#include "start_facts.h"
#include "sys.h"
#include "vdso.h"
#include "world.h"

#include <time.h>

/* In place of real.c and host.c: there are no hooks, so the C library's functions are the
 * program's. */
int real_state = REAL_RESOLVED;
const void *const volatile real_relocated = (const void *)&real_relocated;
struct real real;

void real_resolve(void) {}

int host_is_foreign(void)
{
    return 0;
}

int real_malloc_is_ours(void)
{
    return 0;
}

/* In place of vdso.c. It is called first: signals cannot be held back here, so that a handler may
 * jump away at any point. */
void vdso_open(void)
{
    sys_forbidden |= SYS_KIND_SIGNALS;
}

void vdso_offset_read(void) {}

uint64_t vdso_boottime_ns(void)
{
    return world_now();
}

int64_t vdso_boottime_offset_ns(void)
{
    return 0;
}

/* In place of life.c: actors are threads, though the kernel sees one. */
static uint32_t lives[ACTORS];

void world_die(void)
{
    lives[world_self()]++;
}

uint32_t life_own(void)
{
    return 1 + (uint32_t)world_self() + ACTORS * lives[world_self()];
}

uint32_t life_of(pthread_t thread)
{
    (void)thread;
    return LIFE_UNKNOWN;
}

int life_can_ask(void)
{
    return 1;
}

int life_is_over(uint32_t id)
{
    return id != LIFE_FREE && id != LIFE_UNKNOWN && (id - 1) / ACTORS != lives[(id - 1) % ACTORS];
}

/* The clock is nanoseconds: the processor's counter would go its own way. */
struct start_facts *__real_start_facts_read(void);
struct start_facts *__wrap_start_facts_read(void);
struct start_facts *__wrap_start_facts_read(void)
{
    struct start_facts *facts = __real_start_facts_read();

    if (facts)
        facts->clock_is_counter = 0;
    return facts;
}

/* The collector's clocks. */
uint64_t __wrap_boot_clock_ns(void);
uint64_t __wrap_boot_clock_ns(void)
{
    return world_now();
}

int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
    uint64_t now = clock == CLOCK_MONOTONIC ? world_now() : 0;

    if (!now)
        return __real_clock_gettime(clock, time);
    *time = (struct timespec){(time_t)(now / 1000000000u), (long)(now % 1000000000u)};
    return 0;
}
