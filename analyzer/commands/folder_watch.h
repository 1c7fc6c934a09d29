/*
 * folder_watch.h - names of the spools that appear in a folder.
 *
 * The kernel reports each new file (inotify); where it cannot, or has lost some, the folder is read
 * again. Files that were there before the watch began are reported only by folder_watch_all. A name
 * may be reported twice. Single-threaded; the names belong to the watch and last for the call.
 */
#ifndef MPROF_FOLDER_WATCH_H
#define MPROF_FOLDER_WATCH_H

#include <stdint.h>

#define SPOOL_SUFFIX ".spool"

struct folder_watch {
    int folder_fd; /* the caller's */
    int notify_fd; /* -1: none */
    uint64_t next_scan_ns;
};

typedef void folder_found(void *context, const char *name);

void folder_watch_open(struct folder_watch *w, int folder_fd);
void folder_watch_new(struct folder_watch *w, folder_found *found, void *context);
void folder_watch_all(struct folder_watch *w, folder_found *found, void *context);
void folder_watch_close(struct folder_watch *w);

#endif
