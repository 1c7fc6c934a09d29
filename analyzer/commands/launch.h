/*
 * launch.h - starts the program under the recorder: where the library is, the environment that the
 * program gets, fork and exec with the exec's error brought back, and the signals.
 *
 * The child differs from a child of the shell only in its environment: signal mask and
 * dispositions, process group and file descriptors are those that mprof-c itself was started with.
 * Functions return 0 or what the comment beside them says, and print nothing. The caller frees
 * texts and environments. Single-threaded: call them before any thread is started.
 */
#ifndef MPROF_LAUNCH_H
#define MPROF_LAUNCH_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

/* The recorder: libmprof.so beside `program`, or in lib/, lib/mprof-c/ beside its folder. NULL
 * where there is none. */
char *launch_find_library(const char *program);

/* The path of the running mprof-c, or NULL. */
char *launch_own_path(void);

/* The file that `name` would start, searched for in PATH as execvp does; NULL if there is none. */
char *launch_find_program(const char *name);

struct launch_setting {
    const char *variable, *value;
};

/* A copy of `environment` with the settings (ended by {0}) in it, and `library` (preload_name.h)
 * first in LD_PRELOAD (NULL: LD_PRELOAD stays as it is). Release with launch_free_environment. */
char **launch_environment(char *const *environment, const char *library,
                          const struct launch_setting *settings);
void launch_free_environment(char **environment);

struct launch_signals {
    sigset_t mask;
    struct sigaction old[8];
};

/* Prepares mprof-c to watch a program: ignores INT and QUIT, blocks CHLD, TERM and HUP for a
 * signalfd (TERM and HUP only where they were not ignored before), and keeps PIPE, XFSZ and IO from
 * ending it. *before keeps the old state for the child; *watched is the signalfd's set. */
void launch_take_signals(struct launch_signals *before, sigset_t *watched);

/* Starts `program`, the file that argv[0] means, as execvp would: text that names no interpreter
 * goes to the shell. Without a program (NULL), argv[0] is tried anyway, for its error. Returns 0
 * and *pid, or the errno of fork or exec; then no child is left. */
int launch_start(const char *program, char *const *argv, char *const *environment,
                 const struct launch_signals *before, pid_t *pid);

/* The same in mprof-c's own place: returns only where that fails, the errno of exec. */
int launch_become(const char *program, char *const *argv, char *const *environment,
                  const struct launch_signals *before);

/* Ends mprof-c by the signal that the program died of, without a core of its own. */
void launch_die_of(int signal) __attribute__((noreturn));

#endif
