/*
 * run_family.h - for run's closing lines: what the family of a program that only starts others
 * (leader.h) held together, and who of it most.
 *
 * Reads the recordings that the run has just completed once more, as the next command will.
 * Single-threaded; says in a sentence what cannot be read.
 */
#ifndef MPROF_RUN_FAMILY_H
#define MPROF_RUN_FAMILY_H

#include "gather.h"
#include "lineage.h"

struct run_family {
    struct recording *recording; /* of the program that was started */
    struct lineage lineage;
    struct image *sum; /* NULL: the program itself is worth showing */
    size_t biggest;    /* a relative */
};

/* folder: as it is shown before a recording's name. */
void run_family_open(struct run_family *f, const struct gather *g, const char *folder);
void run_family_close(struct run_family *f);

#endif
