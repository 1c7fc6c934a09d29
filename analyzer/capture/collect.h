/*
 * collect.h - spool to capture: order the streams by time, match frees to allocations, keep the
 * exact figures, resolve symbols, write.
 *
 * A collector serves one spool. It may be stepped while the program runs (mprof-c run), or opened
 * on a dead program's spool and finished at once; the code is the same. It never makes the program
 * wait and holds memory for live blocks and distinct stacks, not for events. Single-threaded except
 * for collector_sample, which any thread may call.
 */
#ifndef MPROF_COLLECT_H
#define MPROF_COLLECT_H

#include "resident.h"
#include "summary.h"
#include "symbols.h"

struct collector;

enum collect_error {
    COLLECT_OK = 0,
    COLLECT_IO = -1, /* errno says why */
    COLLECT_NOT_A_SPOOL = -2,
    COLLECT_TOO_NEW = -3, /* a version or feature bit of a later mprof-c */
    COLLECT_DAMAGED = -4, /* header unreadable */
    COLLECT_EMPTY = -5,   /* a file without a byte */
};

/* spool_fd is read with pread only (but see collector_recycle) and stays the caller's; capture_fd
 * is written (-1: no capture, the image only). symbols may serve several collectors; NULL leaves
 * every frame unresolved. */
int collector_open(struct collector **c, int spool_fd, int capture_fd, struct symbolizer *symbols);

/* From here on each step returns the space it has consumed to the recorder, for which the spool is
 * written (recycle.h). If the spool cannot be written, this does nothing. */
void collector_recycle(struct collector *c);

/* Takes in what has been committed and is old enough to be in order. Returns the number of events
 * taken in, or a negative error. */
int64_t collector_step(struct collector *c);

/* Adds a look at the resident set of process `pid`, from outside, no later than `boottime_ns`
 * (CLOCK_BOOTTIME). One that may be of what the process has become by exec is left out: that is
 * another image's. */
void collector_sample(struct collector *c, int32_t pid, uint64_t boottime_ns,
                      struct resident resident);

/* Replaces what the capture holds so far by the samples of the resident set alone, for whoever
 * collects the spool anew (part_samples.h). Returns 1, or 0 where there are none, or they could not
 * be written. Only collector_free may follow. */
int collector_leave_samples(struct collector *c);

/* Adds samples that another collector has taken of the process with this serial. */
void collector_earlier_samples(struct collector *c, uint32_t serial, const struct sample *samples,
                               size_t count);

/* The highest resident set of process `pid`, where the caller knows it for certain. */
void collector_high_water(struct collector *c, int32_t pid, uint64_t mark);

/* Reports the pid, in our namespace, of a living process of the image: its mapped files may then be
 * looked at as it sees them. Without it, pids are believed if they are of our own namespace. */
void collector_lives(struct collector *c, uint32_t serial, int32_t pid);

/* Reports how many other recordings the family has, for its first one. */
void collector_family(struct collector *c, size_t beside);

/* Reports how process `pid` of this image ended, where the caller saw it, and when
 * (CLOCK_BOOTTIME): that counts where the recorder does not know its end. */
void collector_ended(struct collector *c, int32_t pid, struct ending ending, uint64_t boottime_ns);

/* Takes in all the rest (running: the program is alive, this is a snapshot), fills the image,
 * writes the summary. The image belongs to the collector, until collector_free. */
int collector_finish(struct collector *c, int running);
const struct image *collector_image(const struct collector *c);
void collector_free(struct collector *c); /* NULL is allowed */

#endif
