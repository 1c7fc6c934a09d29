/*
 * life.h - which thread owns a state, and whether that thread still lives.
 *
 * The kernel is asked when somebody wants to know, so no thread has to report its end: the program
 * loses no key, and threads record until their very end. An uncertain answer counts as "it lives".
 * No locks, errno untouched. Any thread.
 */
#ifndef MPROF_LIFE_H
#define MPROF_LIFE_H

#include <pthread.h>
#include <stdint.h>

#define LIFE_FREE    0          /* nobody owns it */
#define LIFE_UNKNOWN UINT32_MAX /* an owner that nobody can ask about */

/* The kernel's number of the thread that owns this thread-local storage. That is not always the
 * caller: a vforked child runs on its parent's storage, and so may the child of a raw clone. */
uint32_t life_own(void);
/* The same for another thread, which must be alive. */
uint32_t life_of(pthread_t thread);

/* Can the caller ask? Not where a filter would punish it, and not in a process that only shares our
 * memory: a vforked child, which may even number threads differently (CLONE_NEWPID). */
int life_can_ask(void);

/* Is the thread certainly gone? For a caller that can ask. */
int life_is_over(uint32_t id);

#endif
