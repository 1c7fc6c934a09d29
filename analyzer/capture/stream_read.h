/*
 * stream_read.h - the events of one stream: its chunks in order, decoded one by one. A part of
 * order.h, which keeps the streams.
 */
#ifndef MPROF_STREAM_READ_H
#define MPROF_STREAM_READ_H

#include "order.h"

/* Adds a chunk in order of index; 0 where one of this or a later index is being read already. Of
 * one that is known a copy only tells where it lies now. */
int stream_add_chunk(struct stream *s, struct chunk_place place, int is_copy);

/* The stream went on in a chunk that has not been seen, while one behind that has. */
int stream_has_gap(const struct stream *s);

/* After is_stale, when the copies have been looked for. */
void stream_look_again(struct stream *s, const struct spool_file *file);

/* How many event bytes of its chunk come before the stream's present event, or with it. */
uint64_t stream_bytes(const struct stream *s, int with_present);

/* Goes on to the next event: the present one, if any, is consumed. 1: s->event is it. 0: all that
 * is known to be committed has been read. Bytes that are no events are left out up to the next
 * chunk, and s->spoiled is set. */
int stream_advance(struct stream *s, const struct spool_file *file);

/* Looks for an event that is wanted of `address`, the present one or one not later than `until` in
 * this chunk: its time, or 0. *events: how many events up to and with it. Changes nothing. */
uint64_t stream_find(const struct stream *s, const struct spool_file *file,
                     enum order_wanted wanted, uint64_t address, uint64_t until, size_t *events);

#endif
