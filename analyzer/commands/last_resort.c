/* last_resort.c - see last_resort.h. */
#include "last_resort.h"
#include "command.h"
#include "launch.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_TIME_LIMIT = 124 };

static struct last_resort resort;
static const char *name;
static int armed, root_ended;
static atomic_int taken;

/* ---- before the start ---- */

#define FILES_NEEDED 4 /* the folder, its watch, and the pipe that the program starts by */

int last_resort_has_files(void)
{
    int files[FILES_NEEDED], count = 0;

    while (count < FILES_NEEDED && (files[count] = open("/", O_PATH | O_CLOEXEC)) >= 0)
        count++;
    int is_enough = count == FILES_NEEDED || !last_resort_is_for(errno);
    while (count > 0)
        close(files[--count]);
    return is_enough;
}

int last_resort_is_for(int error)
{
    return error == EMFILE || error == ENFILE || error == EAGAIN || error == ENOMEM;
}

void last_resort_say(const char *program, int error, int is_recorded)
{
    complain("%s: runs in place of mprof-c run (%s)%s", program, strerror(error),
             is_recorded ? ", so nobody collects meanwhile; any command that reads its recording "
                           "(mprof-c list shows it) completes it"
                         : "");
    fflush(stderr);
}

/* ---- after it ---- */

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
