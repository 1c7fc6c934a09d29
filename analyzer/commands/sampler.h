/*
 * sampler.h - resident-set samples of the recorded processes at a steady interval, from a thread of
 * its own, so that a long step of a collector delays none.
 *
 * The sampler reads /proc/PID/statm of every process it was told of and hands the figure to the
 * process's collector (collector_sample, CLOCK_BOOTTIME). A process that is gone gives no more
 * samples; before a collector is finished or freed, sampler_forget must have been called: after it
 * returns that collector is not touched any more. The functions are for one thread.
 */
#ifndef MPROF_SAMPLER_H
#define MPROF_SAMPLER_H

#include "collect.h"
#include <sys/types.h>

struct sampler;

/* NULL for interval_s 0 or where no thread can be had (errno); the functions below allow NULL. */
struct sampler *sampler_start(double interval_s);
void sampler_watch(struct sampler *s, pid_t pid, pid_t known_as, struct collector *collector);
void sampler_forget(struct sampler *s, const struct collector *collector);
void sampler_stop(struct sampler *s);

#endif
