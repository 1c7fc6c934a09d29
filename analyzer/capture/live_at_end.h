/* live_at_end.h - the blocks live at a process's end, by the stack that allocated them. */
#ifndef MPROF_LIVE_AT_END_H
#define MPROF_LIVE_AT_END_H

#include "subject.h"

/* Fills process->leaks, biggest first, in memory of the image. Inherited blocks are no leaks. */
void leaks_fill(const struct subject *s, struct image *image, const struct classes *classes,
                struct process *process);

/* The same of its mapped memory, by the stack of the call that made it memory. */
void mapped_leaks_fill(const struct subject *s, struct image *image, struct process *process);

#endif
