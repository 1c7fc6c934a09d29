/*
 * debuginfod_cache.h - where debuginfod-find (and gdb, which asks the same servers) has put the
 * debug file of a build id. Only names it: nothing is asked of a server. Any thread.
 */
#ifndef MPROF_DEBUGINFOD_CACHE_H
#define MPROF_DEBUGINFOD_CACHE_H

#include <stdbool.h>
#include <stddef.h>

/* build_id: in hexadecimal digits. Returns false where no cache is known, or `room` too small. */
bool debuginfod_cache_path(const char *build_id, char *path, size_t room);

#endif
