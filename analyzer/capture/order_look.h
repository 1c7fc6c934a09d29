/*
 * order_look.h - what there is to be read of a spool that may be growing: its chunks, what is
 * committed in them, who is busy. A part of order.h, which takes the events.
 */
#ifndef MPROF_ORDER_LOOK_H
#define MPROF_ORDER_LOOK_H

#include "order.h"

/* order.c: the stream has an event now. */
void order_has_event(struct order *o, struct stream *s);

/* On to the stream's next event: 1, or 0 where there is none; then it may hold others back. */
int order_read_on(struct order *o, struct stream *s);

#endif
