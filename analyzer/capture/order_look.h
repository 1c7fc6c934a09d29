/*
 * order_look.h - finds what can be read of a spool that may still grow: its chunks, what is
 * committed in them, and which streams are busy. A part of order.h, which takes the events.
 */
#ifndef MPROF_ORDER_LOOK_H
#define MPROF_ORDER_LOOK_H

#include "order.h"

/* In order.c: queues a stream that now has an event. */
void order_has_event(struct order *o, struct stream *s);

/* Moves the stream on to its next event. Returns 0 where there is none; the stream may then hold
 * others back. */
int order_read_on(struct order *o, struct stream *s);

#endif
