/*
 * run_summary.h - the lines that `mprof-c run` closes with.
 *
 * The figures are those of the program that was started; where it replaced itself by exec they are
 * those of what it became, and the summary says so. Where it only starts others (leader.h) they are
 * those of its whole family, and the biggest process of that is named. The peak is memory's; where
 * something was mapped its two parts stand below it. What is not known, "lost"
 * and "quality", is summed over all processes of the family, as `report --tree` does. Writes only
 * to stderr.
 */
#ifndef MPROF_RUN_SUMMARY_H
#define MPROF_RUN_SUMMARY_H

#include "gather.h"
#include "supervise.h"

struct run_summary {
    const char *program; /* as it was started */
    const char *folder;  /* shown before a recording's name: "", or with a slash at its end */
    int named;           /* the user named the file: the hints name it, too */
    int expected;        /* a recording of the program could be expected */
    const struct supervised *supervised;
    const struct gather *gather; /* NULL: nothing was recorded */
};

void run_summary_print(const struct run_summary *s);

/* One sentence for each thing that went wrong with the recordings. */
void run_summary_complain(const struct run_summary *s);

/* One line of it: a name of at most 12 columns, and its text. */
void run_summary_line(const char *what, const char *text);

#endif
