/* interpose_whose.c - see interpose_whose.h. */
#include "interpose_whose.h"
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

__attribute__((noinline)) int whose_is_left_alone(const struct arch_frame *caller)
{
    if (!real_works())
        return 1;
    if (!thread_has_storage())
        return is_lost();
    if (!real_ready() || own_work())
        return 1;
    if (!recorder_ready()) /* in a child without a place in the spool, the record is counted */
        return recorder_state != RECORDER_COUNTING;
    if (!thread_is_own())
        return is_lost();
    return loaded_is_allocator(caller->pc);
}
