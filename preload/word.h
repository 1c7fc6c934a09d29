/*
 * word.h - changes what ld.so has written into an object's tables, also where that lies in pages
 * that are read-only by now.
 */
#ifndef MPROF_WORD_H
#define MPROF_WORD_H

#include "lookup.h"

/* Stores the value to a word of the object at this address. Does nothing where the kernel refuses,
 * or where the page's protection is not known. */
void word_store(const struct link_map *object, uintptr_t at, uintptr_t value);

#endif
