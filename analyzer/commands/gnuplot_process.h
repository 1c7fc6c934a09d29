/*
 * gnuplot_process.h - runs gnuplot on a script and gives back what it wrote.
 *
 * Script and output pass through memory: no file is written, and a gnuplot that fails leaves
 * nothing half written. gnuplot runs without the user's start-up files and settings
 * (own_environment.h). Blocks until it ends.
 */
#ifndef MPROF_GNUPLOT_PROCESS_H
#define MPROF_GNUPLOT_PROCESS_H

#include <stddef.h>

enum gnuplot_error {
    GNUPLOT_OK = 0,
    GNUPLOT_MISSING = -1, /* no program of that name */
    GNUPLOT_FAILED = -2,  /* it ended with an error; `messages` says which */
    GNUPLOT_IO = -3,      /* errno says why */
};

struct gnuplot_output {
    char *picture; /* standard output, NUL-terminated */
    size_t bytes;
    char *messages; /* the first line of standard error that says something */
};

int gnuplot_run(const char *script, size_t bytes, struct gnuplot_output *output);
void gnuplot_output_free(struct gnuplot_output *output);

#endif
