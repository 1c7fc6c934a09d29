/* launch.c - see launch.h. */
#include "launch.h"
#include "xalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PRELOAD "LD_PRELOAD"

/* ---- files ---- */

char *launch_own_path(void)
{
    char path[PATH_MAX];
    ssize_t bytes = readlink("/proc/self/exe", path, sizeof path - 1);

    if (bytes <= 0)
        return NULL;
    path[bytes] = '\0';
    return xstrdup(path);
}

char *launch_find_library(const char *program)
{
    static const char *const places[] = {"", "../lib/", "../lib/mprof-c/"};
    const char *slash = strrchr(program, '/');
    char path[2 * PATH_MAX];

    for (size_t i = 0; slash != NULL && i < sizeof places / sizeof places[0]; i++) {
        snprintf(path, sizeof path, "%.*s/%slibmprof.so", (int)(slash - program), program,
                 places[i]);
        if (access(path, R_OK) == 0)
            return realpath(path, NULL);
    }
    return NULL;
}

static int can_execute(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

char *launch_find_program(const char *name)
{
    const char *folders = getenv("PATH");
    char path[2 * PATH_MAX];

    if (strchr(name, '/') != NULL)
        return access(name, F_OK) == 0 ? xstrdup(name) : NULL;
    if (folders == NULL)
        folders = "/bin:/usr/bin"; /* execvp's own default */
    while (*name != '\0') {
        size_t bytes = strcspn(folders, ":");
        snprintf(path, sizeof path, "%.*s%s%s", (int)bytes, folders, bytes ? "/" : "", name);
        if (can_execute(path))
            return xstrdup(path);
        if (folders[bytes] == '\0')
            return NULL;
        folders += bytes + 1;
    }
    return NULL;
}

/* ---- the environment ---- */

/* Is `entry` ("NAME=value") the variable `name`? */
static int is_variable(const char *entry, const char *name)
{
    size_t bytes = strlen(name);

    return strncmp(entry, name, bytes) == 0 && entry[bytes] == '=';
}

static char *make_entry(const char *name, const char *value)
{
    size_t bytes = strlen(name) + strlen(value) + 2;
    char *entry = xmalloc(bytes);

    snprintf(entry, bytes, "%s=%s", name, value);
    return entry;
}

/* The library, then what LD_PRELOAD already had, without the library itself. */
static char *make_preload(const char *library, const char *old)
{
    size_t room = strlen(library) + strlen(old) + 2;
    char *value = xmalloc(room);
    size_t used = (size_t)snprintf(value, room, "%s", library);

    while (*old != '\0') {
        size_t bytes = strcspn(old, " :");
        if (bytes > 0 && !(bytes == strlen(library) && strncmp(old, library, bytes) == 0))
            used += (size_t)snprintf(value + used, room - used, ":%.*s", (int)bytes, old);
        old += bytes + (old[bytes] != '\0');
    }
    char *entry = make_entry(PRELOAD, value);
    free(value);
    return entry;
}

static int is_replaced(const char *entry, const char *library,
                       const struct launch_setting *settings)
{
    if (library != NULL && is_variable(entry, PRELOAD))
        return 1;
    for (; settings->variable != NULL; settings++)
        if (is_variable(entry, settings->variable))
            return 1;
    return 0;
}

/* "" if there is no such variable. */
static const char *value_of(char *const *environment, const char *name)
{
    for (; *environment != NULL; environment++)
        if (is_variable(*environment, name))
            return *environment + strlen(name) + 1;
    return "";
}

char **launch_environment(char *const *environment, const char *library,
                          const struct launch_setting *settings)
{
    size_t room = 2, used = 0; /* LD_PRELOAD and the final NULL */

    for (size_t i = 0; environment[i] != NULL; i++)
        room++;
    for (const struct launch_setting *s = settings; s->variable != NULL; s++)
        room++;

    char **made = xcalloc(room, sizeof *made);
    for (size_t i = 0; environment[i] != NULL; i++)
        if (!is_replaced(environment[i], library, settings))
            made[used++] = xstrdup(environment[i]);
    for (; settings->variable != NULL; settings++)
        made[used++] = make_entry(settings->variable, settings->value);
    if (library != NULL)
        made[used++] = make_preload(library, value_of(environment, PRELOAD));
    return made;
}

void launch_free_environment(char **environment)
{
    for (char **entry = environment; entry != NULL && *entry != NULL; entry++)
        free(*entry);
    free(environment);
}

/* ---- signals ---- */

/* The signals whose disposition mprof-c changes, and how; in the order of launch_signals.old. */
static const struct {
    int signal;
    int ignored; /* else default */
} taken[] = {
    {SIGINT, 1},  {SIGQUIT, 1}, /* the terminal sends them to the program as well, which decides */
    {SIGPIPE, 1}, {SIGXFSZ, 1}, {SIGIO, 1}, /* the system call's error is enough */
    {SIGCHLD, 0}, /* if inherited as ignored, it would take the exit status away */
};
#define TAKEN (sizeof taken / sizeof taken[0])

void launch_take_signals(struct launch_signals *before, sigset_t *watched)
{
    static const int forwarded[] = {SIGTERM, SIGHUP};
    struct sigaction action;

    for (size_t i = 0; i < TAKEN; i++) {
        action = (struct sigaction){.sa_handler = taken[i].ignored ? SIG_IGN : SIG_DFL};
        sigaction(taken[i].signal, &action, &before->old[i]);
    }
    sigemptyset(watched);
    sigaddset(watched, SIGCHLD);
    for (size_t i = 0; i < sizeof forwarded / sizeof forwarded[0]; i++)
        if (sigaction(forwarded[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(watched, forwarded[i]);
    sigprocmask(SIG_BLOCK, watched, &before->mask);
}

static void give_signals_back(const struct launch_signals *before)
{
    for (size_t i = 0; i < TAKEN; i++)
        sigaction(taken[i].signal, &before->old[i], NULL);
    sigprocmask(SIG_SETMASK, &before->mask, NULL);
}

/* ---- the start ---- */

/* A damaged binary is not text, and nothing for the shell to guess at. */
static int is_text(const char *path)
{
    char begin[256];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, begin, sizeof begin) : -1;

    if (fd >= 0)
        close(fd);
    return got >= 0 && memchr(begin, '\0', (size_t)got) == NULL &&
           !(got >= 4 && memcmp(begin, "\177ELF", 4) == 0);
}

int launch_become(const char *program, char *const *argv, char *const *environment,
                  const struct launch_signals *before)
{
    give_signals_back(before);
    if (program != NULL)
        execve(program, argv, environment);
    if (program == NULL || (errno == ENOEXEC && is_text(program)))
        execvpe(argv[0], argv, environment);
    return errno;
}

static void run_child(const char *program, char *const *argv, char *const *environment,
                      const struct launch_signals *before, int error_pipe)
{
    int error = launch_become(program, argv, environment, before);
    while (write(error_pipe, &error, sizeof error) < 0 && errno == EINTR)
        ;
    _exit(127);
}

int launch_start(const char *program, char *const *argv, char *const *environment,
                 const struct launch_signals *before, pid_t *pid)
{
    int ends[2], error = 0;
    ssize_t got;

    /* A successful exec closes the pipe's end; a failed one sends its errno. */
    if (pipe2(ends, O_CLOEXEC) != 0)
        return errno;
    *pid = fork();
    if (*pid == 0)
        run_child(program, argv, environment, before, ends[1]);
    int fork_error = errno;
    close(ends[1]);
    if (*pid < 0) {
        close(ends[0]);
        return fork_error;
    }
    do {
        got = read(ends[0], &error, sizeof error);
    } while (got < 0 && errno == EINTR);
    close(ends[0]);
    if (got != sizeof error)
        return 0;
    while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return error;
}

void launch_die_of(int signal)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    struct rlimit no_core = {0, 0};
    sigset_t only;

    setrlimit(RLIMIT_CORE, &no_core);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* no core even where cores go into a pipe */
    sigaction(signal, &action, NULL);
    sigemptyset(&only);
    sigaddset(&only, signal);
    sigprocmask(SIG_UNBLOCK, &only, NULL);
    kill(getpid(), signal);
    _exit(128 + signal);
}
