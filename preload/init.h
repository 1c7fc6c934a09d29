/*
 * init.h - the recorder's life: its start at the first event, forks, exec and exit.
 *
 * The start does not wait for the constructor (ld.so may use our malloc before any constructor
 * runs) and reads what it needs with raw system calls. After it nothing is opened by path but
 * /proc/self/statm for a sample and /proc/self/stat in a forked child, neither behind a seccomp
 * filter that forbids it; the files of objects are asked for by stat (module_facts.h). The library
 * never prints; why it does not record stands in the spool's
 * control page, where there is a spool.
 */
#ifndef MPROF_INIT_H
#define MPROF_INIT_H

#include "arch_x86_64.h"
#include "spool.h"

#include <stdint.h>

enum recorder_state {
    RECORDER_NEW,
    RECORDER_STARTING,
    RECORDER_ON,
    RECORDER_OFF,
    RECORDER_COUNTING, /* a child that has no place in the spool: what it loses is counted */
};

extern int recorder_state;
extern uint32_t *recorder_alive; /* a word the kernel wipes in a forked child */
#define RECORDER_ALIVE 0x65766c61u

extern int init_constructed;    /* our constructor has run */
extern int init_leave_children; /* MPROF_CHILDREN=0: forked and exec'd ones are not recorded */

int recorder_start(void);      /* 1 when events can be recorded from here on */
int recorder_has_forked(void); /* the word was wiped: become a process of one's own; 1 when done */

/* One load and compare each while all is well. */
static inline int recorder_ready(void)
{
    if (__builtin_expect(recorder_state != RECORDER_ON, 0) &&
        (recorder_state != RECORDER_NEW || !recorder_start()))
        return 0;
    return __builtin_expect(*recorder_alive == RECORDER_ALIVE, 1) || recorder_has_forked();
}

/* The time: the processor's counter, or CLOCK_BOOTTIME ns where the kernel's clocksource is
 * another. */
extern int init_counter_serves; /* ticks are the processor's counter, and it may be read */
uint64_t init_ticks_slow(void);
static inline uint64_t init_ticks(void)
{
    return __builtin_expect(init_counter_serves, 1) ? arch_ticks() : init_ticks_slow();
}
/* The same, but the processor does not read it before the instructions in front are done. Where
 * threads share memory, an allocation's time is then not earlier than that of the free which made
 * room for it, and the order of a place's blocks is certain (doc/decisions.md). */
extern int init_has_threads; /* the process has, or had, several */
static inline uint64_t init_ticks_after(void)
{
    if (__builtin_expect(__atomic_load_n(&init_has_threads, __ATOMIC_RELAXED), 0))
        arch_wait_for_loads();
    return init_ticks();
}
void init_time_changed(void); /* sys_forbidden has another SYS_KIND_TIME */
struct spool_moment init_now(void);
int init_uses_counter(void);
void init_freeze_time(void); /* called before SYS_KIND_TIME is given up */

int32_t init_pid(void); /* of the process that records: in a vforked child its parent's */
const char *init_executable(void); /* paths of the start, "" unknown */
const char *init_folder(void);
long init_spool_fd(void); /* the spool, if it is still ours; kernels before 5.14 only; else -1 */

extern int recorder_free_stacks; /* MPROF_FREE_STACKS */

/* Called around the host's fork and by the exec hooks. */
void init_fork_prepare(void);
void init_fork_returned(void); /* in the parent */
void init_exec(const char *path);
void init_exec_failed(void);

#endif
