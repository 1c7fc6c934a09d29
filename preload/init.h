/*
 * init.h - the recorder's life: its start at the first event, forks, exec and exit.
 *
 * The start does not wait for the constructor (ld.so may use our malloc before any constructor
 * runs) and reads what it needs with raw system calls. Once the constructor has opened libunwind,
 * nothing is opened by path but /proc/self/statm for a sample, /proc/self/stat and timens_offsets
 * in a forked child, /proc/self/status at the end (high_water.h) and, before an exec, that, the
 * library itself and the program (exec_environment.h), none of them behind a seccomp filter that
 * forbids it; the files of objects are asked about by stat (module_facts.h). The library never
 * prints; the spool's control page, where there is a spool, says why it does not record.
 */
#ifndef MPROF_INIT_H
#define MPROF_INIT_H

#include "arch_x86_64.h"
#include "own.h"
#include "spool.h"

#include <stdint.h>

enum recorder_state {
    RECORDER_NEW,
    RECORDER_STARTING,
    RECORDER_ON,
    RECORDER_OFF,
    RECORDER_COUNTING, /* a child without a place in the spool: what it loses is counted */
};

extern OWN int recorder_state;
extern OWN uint32_t *recorder_alive; /* a word that the kernel wipes in a forked child */
#define RECORDER_ALIVE 0x65766c61u

extern OWN int init_constructed;    /* our constructor has run */
extern OWN int init_leave_children; /* MPROF_CHILDREN=0: forked and exec'd ones are not recorded */

int recorder_start(void);      /* 1: events can be recorded from here on */
int recorder_has_forked(void); /* the word was wiped: becomes a process of its own; 1 when done */

/* One load and one compare each, while all is well. */
static inline int recorder_ready(void)
{
    if (__builtin_expect(recorder_state != RECORDER_ON, 0) &&
        (recorder_state != RECORDER_NEW || !recorder_start()))
        return 0;
    return __builtin_expect(*recorder_alive == RECORDER_ALIVE, 1) || recorder_has_forked();
}

/* The time: the processor's counter, or CLOCK_BOOTTIME ns if it is not the kernel's clocksource. */
extern OWN int init_counter_serves; /* ticks are the processor's counter, and it may be read */
uint64_t init_ticks_slow(void);
static inline uint64_t init_ticks(void)
{
    return __builtin_expect(init_counter_serves, 1) ? arch_ticks() : init_ticks_slow();
}
/* The same, but the processor does not read it before all earlier instructions are done. Where
 * threads share memory, an allocation's time is then not earlier than that of the free that made
 * room for it, so the order of the blocks at an address is certain (doc/decisions.md). */
extern OWN int init_has_threads; /* the process has, or had, several threads */
static inline uint64_t init_ticks_after(void)
{
    if (__builtin_expect(__atomic_load_n(&init_has_threads, __ATOMIC_RELAXED), 0))
        arch_wait_for_loads();
    return init_ticks();
}
void init_time_start(int uses_counter); /* before the first event */
void init_time_changed(void);           /* SYS_KIND_TIME in sys_forbidden has changed */
struct spool_moment init_now(void);
uint64_t init_epoch(struct spool_moment moment); /* CLOCK_REALTIME at that moment */
int init_uses_counter(void);
void init_freeze_time(void); /* called before SYS_KIND_TIME is given up */

int32_t init_pid(void); /* of the process that records: in a vforked child, its parent's */
void init_pid_changed(void);
/* What an entry says of the calling process. */
void init_fill_process(struct spool_process *p, uint32_t more_flags);
const char *init_executable(void); /* paths at the start, "" unknown */
const char *init_folder(void);
long init_spool_fd(void); /* the spool's, if still ours; else -1. Only for kernels before 5.14 */

extern OWN int recorder_free_stacks; /* MPROF_FREE_STACKS */

/* Called around the host's fork, by handlers for fork and by the hooks of _Fork and syscall
 * (forking.c). sp: the caller's. */
void init_fork_prepare(uintptr_t sp);
void init_fork_returned(void); /* in the parent */
void init_fork_child(void);    /* in the child */

/* Called by the exec hooks. */
void init_exec(const char *path);
void init_exec_failed(void);

/* Called before the process ends without destructors, or perhaps only the calling thread. Any
 * thread, also one without thread-local storage, a signal handler, or the child of a vfork. */
void init_leave(void);
void init_leave_thread(void);

#endif
