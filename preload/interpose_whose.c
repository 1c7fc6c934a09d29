/* interpose_whose.c - see interpose_whose.h. */
#include "interpose_whose.h"
#include "cramped.h"
#include "init.h"
#include "loaded.h"
#include "real.h"
#include "thread.h"

/* The program's, but this thread has no state that it could be recorded with. */
static int is_lost(void)
{
    spool_lost(SPOOL_NOTHING, 0);
    return 1;
}

/* ---- calls from within the real call of another hook ---- */

struct question {
    const struct arch_frame *caller;
    int answer;
};

static void do_ask(void *argument)
{
    struct question *q = argument;
    const struct thread *t = tls.thread;
    q->answer = walk_meets_hook(t ? &t->memo : NULL, arch_registers(q->caller));
}

static int is_inside_hook(const struct arch_frame *caller)
{
    struct question q = {caller, 0};
    if (cramped_perhaps((uintptr_t)caller))
        cramped_call(do_ask, &q);
    else
        do_ask(&q);
    return q.answer;
}

__attribute__((noinline)) int whose_is_left_alone(const struct arch_frame *caller)
{
    if (!real_works())
        return 1;
    if (recorder_state == RECORDER_OFF)
        return 1; /* before the kernel is asked: a filter may forbid that */
    if (!thread_has_storage())
        return is_lost();
    if (!real_ready())
        return 1;
    if (!recorder_ready()) /* in a child without a place in the spool, the record is counted */
        return recorder_state != RECORDER_COUNTING || own_work();
    if (!thread_is_own())
        return is_lost();
    return own_work() || loaded_is_allocator(caller->pc) || is_inside_hook(caller);
}
