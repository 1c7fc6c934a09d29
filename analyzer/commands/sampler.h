/*
 * sampler.h - takes resident-set samples of the recorded processes at a steady interval, in a
 * thread of its own, so that a long step of a collector delays none.
 *
 * Before each round the sampler finds the processes that have begun since (newcomers.h), so that
 * they are watched also while whoever collects is busy. It reads /proc/PID/status of every watched
 * process and keeps the last 256 samples of it. Those since its image's begin are handed to the
 * image's collector when that comes, also where the process has ended by then, and from then on
 * each as it is taken (collector_sample, CLOCK_BOOTTIME). One that execs is watched on. A process
 * is a pid with its start time: a later process of the pid is another one.
 *
 * Call sampler_forget before a collector is finished or freed: once it has returned, that collector
 * is not touched any more. The functions are for one thread.
 */
#ifndef MPROF_SAMPLER_H
#define MPROF_SAMPLER_H

#include "collect.h"
#include "newcomers.h"
#include <sys/types.h>

struct sampler;

/* NULL for interval_s 0 or where no thread can be had (errno); the functions below allow NULL. */
struct sampler *sampler_start(double interval_s);
/* Has it find newcomers from now on, which only the sampler may use until sampler_stop. */
void sampler_find(struct sampler *s, struct newcomers *newcomers);
/* Watches the process for the collector, which knows it as `known_as`, and no longer for another
 * one. since_ns: when the collector's image began (CLOCK_BOOTTIME). collector NULL: one will come.
 */
void sampler_watch(struct sampler *s, struct proc_identity process, pid_t known_as,
                   uint64_t since_ns, struct collector *collector);
void sampler_forget(struct sampler *s, const struct collector *collector);
void sampler_stop(struct sampler *s);

#endif
