/*
 * hide.h - hooks that nobody shall find.
 *
 * A hook for which there is nothing behind us (free_sized where libc has none, operator new in a
 * program without libstdc++) would make a function out of none: dlsym would find it, a weak
 * reference would not be null, and a plugin that brings a provider of its own would be bound to us
 * instead. And who comes later need not come by us where the provider calls malloc in the end, as
 * libstdc++'s operator new does: a plugin may bring another one.
 *
 * So at the first hooked call, which comes before any dlopen can be done, such hooks lose their
 * value in our own symbol table, and weak references that were bound to those without a provider
 * are made null again.
 *
 * Needs mprotect. Where that is refused all stays as it was.
 */
#ifndef MPROF_HIDE_H
#define MPROF_HIDE_H

#include "lookup.h"

/* is_needless: of a hook that has a provider, need nobody new come by it? */
void hide_hooks(int (*is_needless)(const char *name, const struct link_map *provider));

#endif
