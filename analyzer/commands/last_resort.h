/*
 * last_resort.h - what run does where it cannot collect: the program runs all the same, and what
 * was recorded stays in the spools, which any later command completes.
 *
 * Without files or processes that shows before the start: the program takes run's own place.
 * Without memory it may show later: the program goes on, run waits for it and ends as it does.
 *
 * Whoever wants memory that is not there ends the process with a sentence, libraries as well: that
 * end is caught here. From another thread than the main one it ends only that thread's work.
 */
#ifndef MPROF_LAST_RESORT_H
#define MPROF_LAST_RESORT_H

#include "supervise.h"

/* Are there descriptors enough to begin with? */
int last_resort_has_files(void);

/* Does this error of launch_start say that run itself cannot go on, whatever the program is? */
int last_resort_is_for(int error);

/* Says that the program is to take run's place, because of this error. */
void last_resort_say(const char *program, int error, int is_recorded);

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
