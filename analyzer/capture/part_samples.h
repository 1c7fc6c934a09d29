/*
 * part_samples.h - the samples of the resident set that a capture holds so far that is still being
 * written. `mprof-c run` takes them from outside, so a spool that is viewed meanwhile has none.
 */
#ifndef MPROF_PART_SAMPLES_H
#define MPROF_PART_SAMPLES_H

#include "collect.h"

/* Hands the collector the samples in the file `part`, if that is a capture of the collector's own
 * recording. Whatever is not whole there yet is left out. */
void part_samples_give(const char *part, struct collector *c);

#endif
