/* last_resort.c - see last_resort.h. */
#include "last_resort.h"
#include "command.h"
#include "launch.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_TIME_LIMIT = 124 };

static struct last_resort resort;
static const char *name;
static int armed, root_ended;
static atomic_int taken;

int run_exit_status(const struct supervised *end)
{
    fflush(stderr);
    if (end->timed_out)
        return EXIT_TIME_LIMIT;
    if (WIFSIGNALED(end->status))
        launch_die_of(WTERMSIG(end->status));
    return WEXITSTATUS(end->status);
}

/* Threads that stand still may hold any lock but that of stderr: nothing is freed, no handler is
 * called. */
void last_resort_end(void)
{
    if (name)
        complain("%s: not collected to its end, for want of memory; what was recorded stays in "
                 "%s.spool and the spools of its children, and mprof-c report %s completes it",
                 name, name, name);
    _exit(run_exit_status(resort.result));
}

static void at_exit(void)
{
    if (!armed)
        return;
    if (gettid() != getpid()) {
        atomic_store(&taken, 1);
        for (;;)
            pause();
    }
    if (!root_ended)
        supervise(resort.result, resort.root, resort.watched, NULL, resort.timeout_s,
                  resort.begin_ns);
    last_resort_end();
}

void last_resort_begin(const struct last_resort *what)
{
    resort = *what;
    armed = atexit(at_exit) == 0;
}

void last_resort_name(const char *recording)
{
    name = recording;
}

void last_resort_root_ended(void)
{
    root_ended = 1;
}

void last_resort_over(void)
{
    armed = 0;
}

int last_resort_taken(void)
{
    return atomic_load(&taken);
}
