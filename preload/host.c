/* host.c - see host.h. */
#include "host.h"

/* Each runtime is known by its start function; programs that have it linked in export that, too. */
#define SANITIZERS(RUNTIME)                                                                        \
    RUNTIME(__asan_init)                                                                           \
    RUNTIME(__hwasan_init)                                                                         \
    RUNTIME(__lsan_init)                                                                           \
    RUNTIME(__tsan_init)                                                                           \
    RUNTIME(__msan_init)                                                                           \
    RUNTIME(__dfsan_init)                                                                          \
    RUNTIME(__memprof_init)

/* Weak: null where nobody defines them. */
#define DECLARE(name) extern void name(void) __attribute__((weak));
SANITIZERS(DECLARE)
extern const char *gnu_get_libc_version(void) __attribute__((weak));
extern const char mprof_c_is_left_alone[] __attribute__((weak)); /* in mprof-c, whatever its name */

int host_is_foreign(void)
{
#define IS_THERE(name) || name
    return !gnu_get_libc_version || mprof_c_is_left_alone SANITIZERS(IS_THERE);
}
