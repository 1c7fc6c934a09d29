/*
 * run_missing.h - the lines of run's summary that say what is not in the recordings of a family:
 * programs of which only mappings are, those that were not recorded, recordings that are cut.
 */
#ifndef MPROF_RUN_MISSING_H
#define MPROF_RUN_MISSING_H

#include "gather.h"

/* To standard error; nothing where nothing is missing. */
void run_missing_print(const struct gather *g);

#endif
