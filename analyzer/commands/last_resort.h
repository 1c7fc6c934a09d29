/*
 * last_resort.h - what run does where there is no memory to collect with: the program goes on, run
 * waits for it and ends as it does, and what was recorded stays in the spools, which any later
 * command completes.
 *
 * Whoever wants memory that is not there ends the process with a sentence, libraries as well: that
 * end is caught here. From another thread than the main one it ends only that thread's work.
 */
#ifndef MPROF_LAST_RESORT_H
#define MPROF_LAST_RESORT_H

#include "supervise.h"

/* How supervise is called. */
struct last_resort {
    struct supervised *result;
    struct proc_identity root;
    const sigset_t *watched;
    double timeout_s;
    uint64_t begin_ns;
};

/* The program has been started, and is from now on waited for, whatever happens. What pointers
 * lead to stays the caller's, and there. */
void last_resort_begin(const struct last_resort *what);
void last_resort_name(const char *recording); /* stays there, too; none where nothing is recorded */
void last_resort_root_ended(void);            /* supervise has returned */
void last_resort_over(void);                  /* run ends as it should */

/* Returns 1 once some thread has ended its work. Any thread. */
int last_resort_taken(void);

/* Ends run then, as the program has ended, without waiting for anybody. */
void last_resort_end(void) __attribute__((noreturn));

/* The exit status that run has when the program has ended so; of a signal it dies here. */
int run_exit_status(const struct supervised *end);

#endif
