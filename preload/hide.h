/*
 * hide.h - hooks that must not be found.
 *
 * A hook with nothing behind it (free_sized where libc has none, operator new in a program without
 * libstdc++) would pretend that there is a function: dlsym would find it, a weak reference would
 * not be null, and a plugin that brings its own provider would be bound to us instead. And where
 * the provider calls malloc in the end, as libstdc++'s operator new does, later callers need not go
 * through our hook: a plugin may bring another provider.
 *
 * So at the first hooked call, which comes before any dlopen, such hooks lose their value in our
 * own symbol table, and weak references that were bound to hooks without a provider become null
 * again.
 *
 * Needs mprotect; where that is refused, everything stays as it was.
 */
#ifndef MPROF_HIDE_H
#define MPROF_HIDE_H

#include "lookup.h"

/* Call once, at the first hooked call. is_needless: may later callers of a hook that has a provider
 * do without the hook? */
void hide_hooks(int (*is_needless)(const char *name, const struct link_map *provider));

#endif
