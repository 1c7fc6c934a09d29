/* forking.c - forks: an entry for the child before, a process of its own afterwards. */
#include "init.h"
#include "loaded.h"
#include "points.h"
#include "record.h"
#include "sample.h"
#include "spool_map.h"
#include "sys.h"
#include "thread.h"
#include "unwind.h"
#include "vdso.h"

#include <signal.h>

/* In tls.forked.serial: there is no entry left. */
#define NO_ROOM UINT32_MAX

/* A handler that forked here would have its child write to the entry, too. */
static __attribute__((noinline)) struct spool_process *new_process(uint32_t flags, uint32_t *serial)
{
    struct sys_held held = sys_hold_signals();
    *serial = __atomic_fetch_add(&spool.control->process_count, 1, __ATOMIC_RELAXED);
    struct spool_process *p = spool_entry(&spool.header->processes, *serial);
    if (p) {
        p->flags = flags;
        p->parent = spool.process_serial;
        p->fork_ticks = init_ticks();
        p->fork_thread = tls.serial_plus_1 ? tls.serial_plus_1 - 1 : 0;
    }
    sys_release_signals(held);
    return p;
}

/* In which process we are, now that all before is stored. */
static uint32_t own_serial(void)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return __atomic_load_n(&spool.process_serial, __ATOMIC_RELAXED);
}

/* An entry for the child, and a FORK. Where that is lost, the entry says when it was. process: the
 * caller's. */
static void announce(uint32_t process)
{
    uint32_t serial;
    struct spool_process *p = new_process(0, &serial);
    if (!p) {
        tls.forked.serial = NO_ROOM;
        return;
    }
    __atomic_store_n(&p->state, 1, __ATOMIC_RELEASE);
    uint64_t ticks = record_fork(serial);
    tls.forked.serial = serial;
    if (process != own_serial())
        return;
    if (ticks) /* the FORK's own time: it must not seem later (thread_births) */
        p->fork_ticks = ticks;
    else
        __atomic_fetch_or(&p->flags, SPOOL_PROCESS_LATE, __ATOMIC_RELEASE);
}

/* A handler may fork meanwhile: its child, which comes back here, wants another entry. */
static void announce_own(void)
{
    uint32_t process;
    do {
        if (!recorder_ready())
            return;
        process = own_serial();
        announce(process);
    } while (process != own_serial());
}

/* In doubt, yes. Not inline, as that may be small. */
static __attribute__((noinline)) int is_on_alternate_stack(void)
{
    stack_t now = {0};
    return !sys_may(SYS_KIND_SELF) || SYS_CALL(SYS_sigaltstack, 0, &now, 0, 0, 0, 0) != 0 ||
           now.ss_flags & SS_ONSTACK;
}

/* Is the fork still under way, for whoever forks at `place`? Its caller is further out, or on
 * another stack; one that is not has been left by a jump. */
static int is_under_way(struct forked fork, uint32_t place)
{
    return fork.serial && ((int32_t)(fork.place - place) > 0 || is_on_alternate_stack());
}

/* The caller may be a handler: of a process that does not know yet that it was forked, and first
 * takes the serial that it has from its parent; or one that interrupts another fork, which goes on
 * afterwards. */
void init_fork_prepare(uintptr_t sp)
{
    int is_ready = recorder_ready();
    uint32_t place = (uint32_t)(sp / 16);
    tls.outer = is_under_way(tls.forked, place) ? tls.forked : (struct forked){0};
    tls.forked = (struct forked){.place = place};
    if (is_ready && !init_leave_children)
        announce_own();
    POINT("announced");
}

/* The serial is for that child alone: one that is born otherwise (clone) must not find it here. */
void init_fork_returned(void)
{
    uint32_t serial = tls.forked.serial;
    tls.forked = tls.outer;
    tls.outer = (struct forked){0};
    if (serial && serial != NO_ROOM)
        record_forked(serial);
}

/* Hardly ever do more streams than this have an event while a fork takes place. */
#define BIRTHS 128
static struct spool_birth births[BIRTHS];

/* Finds the child's place in the spool: NULL where there is no room for it. */
static struct spool_process *find_own_place(uint32_t serial)
{
    struct spool_process *p = serial ? spool_entry(&spool.header->processes, serial)
                                     : new_process(SPOOL_PROCESS_LATE, &serial);
    /* A parent that we cannot see lies outside our pid namespace. */
    uint32_t flags = sys_may(SYS_KIND_SELF) && !sys_parent_pid() ? SPOOL_PROCESS_ELSEWHERE : 0;
    flags |= spool.process->flags & SPOOL_PROCESS_ELSEWHERE;
    if (!p) {
        spool_unplaced();
        return NULL;
    }
    spool.process = p;
    spool.process_serial = serial;
    init_fill_process(p, flags);
    return p;
}

static int become_process(void)
{
    uint32_t serial = tls.forked.serial;
    struct forked outer = tls.outer;
    tls.forked.serial = 0;
    tls.outer = (struct forked){0};
    init_pid_changed();
    vdso_offset_read(); /* it may be in another time namespace than its parent */
    struct spool_process *p = find_own_place(serial);
    size_t birth_count = p && serial ? thread_births(p->fork_ticks, births, BIRTHS) : 0;
    loaded_after_fork();
    spool_after_fork();
    thread_after_fork();
    sample_after_fork();
    unwind_after_fork();
    if (!p) {
        recorder_state = RECORDER_COUNTING;
        return 0;
    }
    __atomic_store_n(recorder_alive, RECORDER_ALIVE, __ATOMIC_RELEASE);
    if (birth_count)
        record_birth(births, birth_count);
    tls.forked.place = outer.place;
    if (outer.serial) /* this process goes on within that fork, too, and has a child of its own */
        announce_own();
    return 1;
}

/* The spool is not touched from here on, also not by a hook that a handler's fork interrupted. */
static void become_nobody(void)
{
    static struct spool_process nobody;
    spool.process = &nobody;
    thread_after_fork_for_nothing();
    recorder_state = RECORDER_OFF;
}

/* In the child, alone or nearly so. The first to come does it; the others record nothing meanwhile.
 * No signal handler may jump out of it: then nobody would do it. */
int recorder_has_forked(void)
{
    uint32_t expected = 0;
    if (!__atomic_compare_exchange_n(recorder_alive, &expected, 1, 0, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE))
        return expected == RECORDER_ALIVE;
    if (init_leave_children) {
        become_nobody();
        return 0;
    }
    struct sys_held held = sys_hold_signals();
    int done = become_process();
    sys_release_signals(held);
    return done;
}

/* Wipes the word by hand where the kernel cannot (gVisor, Linux before 4.14). */
void init_fork_child(void)
{
    POINT("forked");
    int32_t pid = sys_pid();
    if (recorder_state == RECORDER_ON && pid && pid != init_pid())
        *recorder_alive = 0;
    if (recorder_state == RECORDER_COUNTING) /* its parent had no entry either */
        spool_unplaced();
    recorder_ready();
}
