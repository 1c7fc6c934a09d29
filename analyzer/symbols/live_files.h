/*
 * live_files.h - a living process's files as it sees them itself: below its own root, and what it
 * has mapped although no path leads there any more (deleted, replaced, a memfd).
 *
 * Paths only: whoever opens one checks what it is. Threads: any. Failure: false.
 */
#ifndef MPROF_LIVE_FILES_H
#define MPROF_LIVE_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { LIVE_PATH = 8192 };

/* /proc/PID/root and the path, where that leads elsewhere than the path does for us. */
bool live_path_below_root(int32_t pid, const char *path, char to[LIVE_PATH]);

/* What is mapped at an address of the process: the n-th way to open it, from 0 on. */
bool live_path_mapped(int32_t pid, uint64_t address, unsigned n, char to[LIVE_PATH]);

#endif
