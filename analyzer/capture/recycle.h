/*
 * recycle.h - gives the recorder the space of chunks back that a live collector has taken in.
 *
 * A chunk that lies in a slot (preload/window.h) and has been read to its end is copied to the end
 * of the spool, in the same form, and its slot marked as free. So the program writes to pages that
 * are mapped and in its cache, the cost of new pages is this process's, and the spool still holds
 * every event: if the collector is killed at any moment, the next one begins anew and misses
 * nothing.
 *
 * The spool is opened for writing only while chunks are being moved: whoever asks whether a spool
 * has writers (spool_state.h) shall not find us. One thread.
 */
#ifndef MPROF_RECYCLE_H
#define MPROF_RECYCLE_H

#include "order.h"

struct recycler {
    int spool_fd; /* the caller's; -1: nothing is recycled */
    uint8_t *chunk;
};

/* spool_fd must stay open until recycle_end. */
void recycle_begin(struct recycler *r, int spool_fd);

/* Moves what can be moved. Gives up for good where the file cannot be written. */
void recycle_step(struct recycler *r, struct order *o);

/* Nobody collects any more. */
void recycle_end(struct recycler *r);

#endif
