/*
 * recycle.h - gives the space of chunks that a live collector has taken in back to the recorder.
 *
 * A chunk that lies in a slot (preload/window.h) and has been read to its end is copied, in the
 * same form, to the end of the spool, and its slot is marked free. So the program writes to pages
 * that are mapped and in its cache, this process pays for new pages, and the spool still holds
 * every event: if the collector is killed at any moment, the next one starts over and misses
 * nothing.
 *
 * The spool is open for writing only while chunks are moved, so that whoever asks whether it has
 * writers (spool_state.h) does not find us. One thread.
 */
#ifndef MPROF_RECYCLE_H
#define MPROF_RECYCLE_H

#include "order.h"

struct recycler {
    int spool_fd; /* the caller's; -1: nothing is recycled */
    int has_begun;
    uint8_t *chunk; /* the one that is moved */
    size_t chunk_bytes;
};

/* spool_fd must stay open until recycle_end. */
void recycle_begin(struct recycler *r, int spool_fd);

/* Moves what can be moved. Gives up for good where the file cannot be written. */
void recycle_step(struct recycler *r, struct order *o);

/* Stops: the spool then says that nobody collects. */
void recycle_end(struct recycler *r);

#endif
