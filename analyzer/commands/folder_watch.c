/* folder_watch.c - see folder_watch.h. */
#include "folder_watch.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#define SCAN_EVERY_NS 250000000u

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int is_spool_name(const char *name)
{
    size_t bytes = strlen(name), suffix = strlen(SPOOL_SUFFIX);

    return bytes > suffix && strcmp(name + bytes - suffix, SPOOL_SUFFIX) == 0;
}

void folder_watch_open(struct folder_watch *w, int folder_fd)
{
    char path[64];

    *w = (struct folder_watch){.folder_fd = folder_fd};
    w->notify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w->notify_fd < 0)
        return;
    /* By the open folder, not by its name: it may be moved. */
    snprintf(path, sizeof path, "/proc/self/fd/%d", folder_fd);
    if (inotify_add_watch(w->notify_fd, path, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0) {
        close(w->notify_fd);
        w->notify_fd = -1;
    }
}

void folder_watch_all(struct folder_watch *w, folder_found *found, void *context)
{
    struct dirent *entry;
    int fd = openat(w->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;

    if (folder == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while ((entry = readdir(folder)) != NULL)
        if (is_spool_name(entry->d_name))
            found(context, entry->d_name);
    closedir(folder);
}

/* Returns 1 if the kernel had to drop some names. */
static int read_notes(struct folder_watch *w, folder_found *found, void *context)
{
    char notes[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t got;
    int dropped = 0;

    while ((got = read(w->notify_fd, notes, sizeof notes)) > 0)
        for (char *p = notes; p < notes + got;) {
            const struct inotify_event *note = (const struct inotify_event *)p;
            if (note->mask & IN_Q_OVERFLOW)
                dropped = 1;
            else if (note->len > 0 && is_spool_name(note->name))
                found(context, note->name);
            p += sizeof *note + note->len;
        }
    return dropped;
}

void folder_watch_new(struct folder_watch *w, folder_found *found, void *context)
{
    if (w->notify_fd >= 0) {
        if (read_notes(w, found, context))
            folder_watch_all(w, found, context);
    } else if (now_ns() >= w->next_scan_ns) {
        folder_watch_all(w, found, context);
        w->next_scan_ns = now_ns() + SCAN_EVERY_NS;
    }
}

void folder_watch_close(struct folder_watch *w)
{
    if (w->notify_fd >= 0)
        close(w->notify_fd);
    w->notify_fd = -1;
}
