/*
 * objects.h - which loaded object an address lies in.
 *
 * glibc 2.35 and later answer with _dl_find_object: no lock, some nanoseconds. For older ones there
 * is a list of our own, made with dl_iterate_phdr once a loader generation (loaded.h); then a
 * thread may wait for another's dlopen to put its object into ld.so's list, which is short.
 *
 * No allocation, no errno. Any thread, any signal handler: whoever interrupts the making of the
 * list finds nothing (0), and the frame that it asked for is left unresolved.
 */
#ifndef MPROF_OBJECTS_H
#define MPROF_OBJECTS_H

#include <stdint.h>

/* A loaded object, or one segment of a program whose segments lie apart. */
struct object {
    uintptr_t start, end;
    const void *eh_frame_hdr; /* NULL: none; it may lie in another segment */
    const char *name;         /* as ld.so has it: "" is the program */
    uintptr_t bias;           /* address in memory - address in the file */
    const void *identity;     /* differs between two objects that are loaded at the same time */
};

/* Looks for glibc's function; before object_find, and as often as one likes. */
void objects_start(void);

/* Is there a list of our own, because this glibc has no such function? */
int objects_are_listed(void);

/* 1, or 0 where none is known. */
int object_find(uintptr_t pc, struct object *object);

void objects_after_fork(void); /* in the child */

#endif
