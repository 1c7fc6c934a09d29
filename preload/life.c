/* life.c - see life.h. */
#include "life.h"
#include "init.h"
#include "sys.h"

/* Sends no signal; the kernel only checks whether it could. */
static long ask(int32_t pid, uint32_t id)
{
    return SYS_CALL(SYS_tgkill, pid, id, 0, 0, 0, 0);
}

/* A clock's number holds the thread's: pthread_getcpuclockid reads that and does nothing else. */
uint32_t life_of(pthread_t thread)
{
    clockid_t clock;
    return pthread_getcpuclockid(thread, &clock) == 0 ? ~(uint32_t)(clock >> 3) : LIFE_UNKNOWN;
}

/* The stored number is out of date in the child of a raw fork, which has only this thread. Storage
 * that is not libc's may pass, as it is, to another thread when its own ends: nobody knows. */
uint32_t life_own(void)
{
    uint32_t id = (uint32_t)sys_tid(), stored;
    if (!id)
        return LIFE_UNKNOWN;
    stored = (int32_t)id == init_pid() ? id : life_of(pthread_self());
    if (stored == id || stored == LIFE_UNKNOWN)
        return stored;
    return sys_may(SYS_KIND_LIFE) && ask(init_pid(), stored) != -ESRCH ? stored : LIFE_UNKNOWN;
}

/* The kernel must know the caller by its own number, or the answers are about others. A process
 * whose parent lies outside its pid namespace could have our pid by chance. */
int life_can_ask(void)
{
    int32_t pid = sys_pid(), id = sys_tid();
    return sys_may(SYS_KIND_LIFE) && pid && pid == init_pid() && (id != pid || sys_parent_pid()) &&
           ask(pid, (uint32_t)id) == 0;
}

int life_is_over(uint32_t id)
{
    return id != LIFE_FREE && id != LIFE_UNKNOWN && ask(init_pid(), id) == -ESRCH;
}
