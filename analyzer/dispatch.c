/* dispatch.c - finds and runs the command that argv names, and reports errors. */
#include "command.h"
#include "options.h"
#include "text.h"
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void complain(const char *format, ...)
{
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    char *clean = text_clean(text);
    fprintf(stderr, "mprof-c: %s\n", clean);
    free(clean);
}

const struct command *command_find(const struct command *const *table, const char *name)
{
    for (; *table; table++)
        if (strcmp((*table)->name, name) == 0)
            return *table;
    return NULL;
}

static int reader_is_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) > 0 && (out.revents & POLLERR);
}

/* A full disk must not pass for success; a reader that went away (head) needs no message. */
static int close_stdout(int status)
{
    errno = 0;
    int failed = fflush(stdout) != 0 || ferror(stdout);
    if (!failed)
        return status;
    if (errno != EPIPE && !reader_is_gone())
        complain("standard output: cannot be written: %s",
                 errno ? strerror(errno) : "an earlier write failed");
    return status == COMMAND_OK ? COMMAND_FAILED : status;
}

int command_dispatch(const struct command *const *table, int argc, char **argv)
{
    if (argc < 2) {
        options_overview(table, stderr);
        return COMMAND_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0) {
        options_overview(table, stdout);
        return close_stdout(COMMAND_OK);
    }
    if (strcmp(name, "--version") == 0) {
        puts("mprof-c " MPROF_VERSION);
        return close_stdout(COMMAND_OK);
    }
    const struct command *command = command_find(table, name);
    if (!command) {
        complain("'%s' is not %s; see mprof-c help", name,
                 name[0] == '-' ? "an option of mprof-c" : "a command");
        return COMMAND_USAGE;
    }
    struct invocation call = {command, table, argc - 1, argv + 1};
    return close_stdout(command->run(&call));
}
