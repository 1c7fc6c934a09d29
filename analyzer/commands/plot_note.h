/*
 * plot_note.h - the foot of a picture: what is not exact in what it shows of recordings, and what
 * of them has no line of its own.
 */
#ifndef MPROF_PLOT_NOTE_H
#define MPROF_PLOT_NOTE_H

#include "plot.h"
#include "plot_family.h"

/* Arrays of `count`: of each recording its name, a line of it, and its family, NULL where one
 * process is shown. */
struct plot_noted {
    char *const *names;
    const struct plot_line *lines;
    struct plot_family *const *families;
    size_t count;
    int with_functions; /* are any drawn? */
};

/* NULL where there is nothing to say; free() it. Also complains of it. */
char *plot_note(const struct plot_noted *noted);

#endif
