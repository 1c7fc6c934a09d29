/*
 * output_name.h - where a recording goes: the pattern that is handed to the recorder, and the name
 * that a process makes of it.
 *
 * A pattern is a path in which %p is the pid, %h the host, %q{VAR} an environment variable and %% a
 * percent sign; anything else after a % stays as it is. The recorder expands it in each process
 * (MPROF_OUTPUT); here it is expanded to know beforehand which file the root process will write.
 * The folder must be the same for all processes of a run, so %p is not allowed in it. The caller
 * frees the texts; after an error there are none. No state.
 */
#ifndef MPROF_OUTPUT_NAME_H
#define MPROF_OUTPUT_NAME_H

#include <sys/types.h>
#include <time.h>

enum output_name_error {
    OUTPUT_NAME_OK = 0,
    OUTPUT_NAME_EMPTY = -1,         /* no file after the last slash */
    OUTPUT_NAME_PID_IN_FOLDER = -2, /* %p before the last slash */
    OUTPUT_NAME_NO_FOLDER = -3,     /* errno says why the working folder cannot be found */
    OUTPUT_NAME_SLASH = -4,         /* a variable in the file's name contains a slash */
};

struct output_name {
    char *folder;  /* absolute, expanded */
    char *file;    /* pattern of the file's name within it */
    char *pattern; /* both, for MPROF_OUTPUT: the folder's own % are doubled */
};

/* `wanted`: as given with -o; NULL: the default, mprofile_YYYYmmddHHMMSS_PID.mprof here. */
int output_name_make(struct output_name *name, const char *wanted, time_t now);
void output_name_free(struct output_name *name);

/* The pattern's text in the process `pid`; with pid 0, NULL if it has a %p. */
char *output_name_expand(const char *pattern, pid_t pid);

#endif
