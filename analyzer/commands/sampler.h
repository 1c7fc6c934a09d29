/*
 * sampler.h - takes resident-set samples of the recorded processes at a steady interval, in a
 * thread of its own, so that a long step of a collector delays none.
 *
 * The sampler reads /proc/PID/status of every watched process and hands what it says of the
 * resident set to the process's collector (collector_sample, CLOCK_BOOTTIME). A process that is
 * gone gives no more samples. One that execs is watched on, and what was seen of it since is handed
 * to its new image's collector when that comes, which may be late. Call sampler_forget before a
 * collector is finished or freed: once it has returned, that collector is not touched any more. The
 * functions are for one thread.
 */
#ifndef MPROF_SAMPLER_H
#define MPROF_SAMPLER_H

#include "collect.h"
#include <sys/types.h>

struct sampler;

/* NULL for interval_s 0 or where no thread can be had (errno); the functions below allow NULL. */
struct sampler *sampler_start(double interval_s);
/* Watches `pid` for the collector, which knows the process as `known_as`, and no longer for another
 * one. since_ns: when the collector's image began (CLOCK_BOOTTIME). collector NULL: one will come.
 */
void sampler_watch(struct sampler *s, pid_t pid, pid_t known_as, uint64_t since_ns,
                   struct collector *collector);
void sampler_forget(struct sampler *s, const struct collector *collector);
void sampler_stop(struct sampler *s);

#endif
