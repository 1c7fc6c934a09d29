/*
 * life.h - whose a state is, and whether that thread still lives.
 *
 * The kernel is asked when somebody wants to know, so a thread's end need not be told: the program
 * loses no key, and threads record until their very end. An answer that is not certain is "it
 * lives". No locks, errno untouched.
 */
#ifndef MPROF_LIFE_H
#define MPROF_LIFE_H

#include <pthread.h>
#include <stdint.h>

#define LIFE_FREE    0          /* nobody's */
#define LIFE_UNKNOWN UINT32_MAX /* of one that nobody can ask about */

/* The kernel's number of the thread whose thread-local storage this is. It is not always the
 * caller: a vforked child runs on its parent's, and so may what a raw clone made. */
uint32_t life_own(void);
/* The same of another thread, which lives. */
uint32_t life_of(pthread_t thread);

/* Can the caller ask? Not where a filter would punish it, and not in a process that has only our
 * memory: a vforked child, perhaps one that counts threads otherwise (CLONE_NEWPID). */
int life_can_ask(void);

/* Is it certain that the thread is gone? For a caller that can ask. */
int life_is_over(uint32_t id);

#endif
