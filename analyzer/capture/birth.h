/*
 * birth.h - what a forked child inherits of what happens while it is being forked.
 *
 * The parent's other threads go on between the SPOOL_FORK event and the moment at which the kernel
 * copies their memory, so the live table at the event's time is not the child's. What they do until
 * the fork returns is noted in the child's `birth`; the child reports how far each of their streams
 * had come in its memory (SPOOL_LABEL_BIRTH), and the notes up to there are applied.
 *
 * Owner: the child's subject. The parent's subject lists the children being forked. One thread.
 */
#ifndef MPROF_BIRTH_H
#define MPROF_BIRTH_H

#include <stddef.h>
#include <stdint.h>

struct subject;
struct lane;
struct classes;
struct spool_event;

/* A block that appeared (class is not 0) or was freed. */
struct birth_event {
    uint64_t address, ticks;
    uint32_t stream, class;
};

struct birth {
    struct subject *parent;     /* while it lists the child; else NULL */
    struct birth_event *events; /* in the order of the parent's */
    size_t count, capacity;
};

/* `parent` is forking `child`, which has begun. */
void birth_begin(struct subject *child, struct subject *parent);

/* `child`'s fork has returned in the parent. */
void birth_end(struct subject *child);

/* Notes an event that the lane has taken, for the children that its process is forking. */
void birth_note(struct lane *lane, const struct spool_event *e);

/* Applies the notes, up to the positions in the child's SPOOL_LABEL_BIRTH. */
void birth_apply(struct subject *child, const struct classes *classes, const void *positions,
                 size_t bytes);

/* Call before the subject is closed: clears its part as a child and as a parent. */
void birth_clear(struct subject *s);

#endif
