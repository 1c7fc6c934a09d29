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

/* Adds a resident-set sample of process `pid`, taken from outside at `boottime_ns`
 * (CLOCK_BOOTTIME). */
void collector_sample(struct collector *c, int32_t pid, uint64_t boottime_ns, uint64_t rss_bytes);

/* Reports the pid, in our namespace, of a living process of the image: its mapped files may then be
 * looked at as it sees them. Without it, pids are believed if they are of our own namespace. */
void collector_lives(struct collector *c, uint32_t serial, int32_t pid);

/* Reports how process `pid` of this image ended, where the caller saw it. */
void collector_ended(struct collector *c, int32_t pid, struct ending ending);

/* Takes in all the rest (running: the program is alive, this is a snapshot), fills the image,
 * writes the summary. The image belongs to the collector, until collector_free. */
int collector_finish(struct collector *c, int running);
const struct image *collector_image(const struct collector *c);
void collector_free(struct collector *c); /* NULL is allowed */

#endif
