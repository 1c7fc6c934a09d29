/* yields.h - comes in front of each source of the recorder in tests/schedules: every atomic access
 * is a point of fine plans, in front of it. The rest of what threads share is written between such
 * accesses, by one thread at a time. */
#ifndef TESTS_YIELDS_H
#define TESTS_YIELDS_H

void fine_point(const char *name);

#define __atomic_load_n(...)     (fine_point("load"), __atomic_load_n(__VA_ARGS__))
#define __atomic_store_n(...)    (fine_point("store"), __atomic_store_n(__VA_ARGS__))
#define __atomic_fetch_add(...)  (fine_point("add"), __atomic_fetch_add(__VA_ARGS__))
#define __atomic_add_fetch(...)  (fine_point("add"), __atomic_add_fetch(__VA_ARGS__))
#define __atomic_fetch_or(...)   (fine_point("or"), __atomic_fetch_or(__VA_ARGS__))
#define __atomic_fetch_and(...)  (fine_point("and"), __atomic_fetch_and(__VA_ARGS__))
#define __atomic_exchange_n(...) (fine_point("exchange"), __atomic_exchange_n(__VA_ARGS__))
#define __atomic_compare_exchange_n(...)                                                           \
    (fine_point("compare"), __atomic_compare_exchange_n(__VA_ARGS__))

/* The constructor would record this very program: its processes are begun by hand. */
#define constructor used
#define destructor  used

#endif
