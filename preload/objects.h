/*
 * objects.h - which loaded object an address lies in.
 *
 * glibc 2.35 and later answer with _dl_find_object: no lock, some nanoseconds. For older ones we
 * keep our own list, made with dl_iterate_phdr once per loader generation (loaded.h); then a thread
 * may have to wait, for a short time, while another's dlopen puts its object into ld.so's list.
 *
 * No allocation, no errno. Any thread, any signal handler: a handler that interrupts the making of
 * the list finds nothing (0), and the frame that it asked about stays unresolved.
 */
#ifndef MPROF_OBJECTS_H
#define MPROF_OBJECTS_H

#include <stdint.h>

/* A loaded object, or one segment of a program whose segments lie apart. */
struct object {
    uintptr_t start, end;
    const void *eh_frame_hdr; /* NULL: none; it may lie in another segment */
    const char *name;         /* as ld.so has it; "" for the program */
    uintptr_t bias;           /* address in memory - address in the file */
    const void *identity;     /* differs between any two objects loaded at the same time */
};

/* Looks for glibc's function. Call it before object_find; calling it again does no harm. */
void objects_start(void);

/* Do we keep our own list, because this glibc has no such function? */
int objects_are_listed(void);

/* Finds the object that pc lies in: 1, or 0 where none is known. */
int object_find(uintptr_t pc, struct object *object);

void objects_after_fork(void); /* in the child */

#endif
