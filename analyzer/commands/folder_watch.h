/*
 * folder_watch.h - names of the spools that appear in a folder.
 *
 * A small folder is read, at first at each call, later fifty times a second: a watch of the
 * kernel's takes 10 to 20 ms to be given up, longer than most programs that are recorded run. Of a
 * large one the kernel reports each new file (inotify); where it cannot, or has lost some, the
 * folder is read again, now and then. A name may be reported twice, also of a file that was there
 * before. Single-threaded; the names belong to the watch and last for the call.
 */
#ifndef MPROF_FOLDER_WATCH_H
#define MPROF_FOLDER_WATCH_H

#include <stdint.h>

#define SPOOL_SUFFIX ".spool"

struct folder_watch {
    int folder_fd; /* the caller's */
    int notify_fd; /* -1: none */
    int is_large;
    uint64_t begin_ns, next_scan_ns;
};

typedef void folder_found(void *context, const char *name);

void folder_watch_open(struct folder_watch *w, int folder_fd);
void folder_watch_new(struct folder_watch *w, folder_found *found, void *context);
void folder_watch_all(struct folder_watch *w, folder_found *found, void *context);

/* Later calls read the folder. A thread waits for the kernel to give up its watch. */
void folder_watch_close(struct folder_watch *w);

#endif
