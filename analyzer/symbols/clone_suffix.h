/*
 * clone_suffix.h - what compilers append to the names of functions that they made from others:
 * f.cold and f.part.0 are pieces of f; f.constprop.1, f.isra.0, f.lto_priv.0 and f.llvm.123 are
 * copies of f; suffixes may follow one another. The user wrote f.
 *
 * Only at the end and only in this form: Go, Zig and others have names with dots of their own.
 * Threads: any.
 */
#ifndef MPROF_CLONE_SUFFIX_H
#define MPROF_CLONE_SUFFIX_H

#include <stddef.h>

/* The length of a symbol's first `bytes` bytes without such suffixes; 0 only of an empty name. */
size_t length_without_clone(const char *symbol, size_t bytes);

#endif
