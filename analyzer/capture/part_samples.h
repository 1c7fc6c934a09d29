/*
 * part_samples.h - the samples of the resident set that a capture holds so far that is still being
 * written, or was left. `mprof-c run` takes them from outside, so a spool that is viewed meanwhile,
 * or that outlives it, has none.
 */
#ifndef MPROF_PART_SAMPLES_H
#define MPROF_PART_SAMPLES_H

#include "collect.h"

/* Hands the collector the samples in the open file, if that is a capture of the collector's own
 * recording. Whatever is not whole there yet is left out. fd -1: does nothing. */
void part_samples_give(int fd, struct collector *c);

#endif
