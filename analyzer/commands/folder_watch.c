/* folder_watch.c - see folder_watch.h. */
#include "folder_watch.h"
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#define YOUNG_NS      30000000u
#define SCAN_SMALL_NS 20000000u /* between two readings */
#define SCAN_LARGE_NS 250000000u
#define SCAN_DEAR_NS  500000u /* such a folder is large */

static uint64_t ns_of(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t now_ns(void)
{
    return ns_of(CLOCK_MONOTONIC);
}

static uint64_t cpu_ns(void)
{
    return ns_of(CLOCK_THREAD_CPUTIME_ID);
}

static int is_spool_name(const char *name)
{
    size_t bytes = strlen(name), suffix = strlen(SPOOL_SUFFIX);

    return bytes > suffix && strcmp(name + bytes - suffix, SPOOL_SUFFIX) == 0;
}

void folder_watch_open(struct folder_watch *w, int folder_fd)
{
    *w = (struct folder_watch){.folder_fd = folder_fd, .notify_fd = -1, .begin_ns = now_ns()};
}

static void ask_kernel(struct folder_watch *w)
{
    char path[64];

    w->notify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w->notify_fd < 0)
        return;
    /* By the open folder, not by its name: it may be moved. */
    snprintf(path, sizeof path, "/proc/self/fd/%d", w->folder_fd);
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

/* When is a folder to be read again that has just been read? */
static uint64_t next_scan(const struct folder_watch *w, uint64_t now)
{
    if (w->is_large)
        return now + SCAN_LARGE_NS;
    return now - w->begin_ns < YOUNG_NS ? now : now + SCAN_SMALL_NS;
}

static void scan(struct folder_watch *w, folder_found *found, void *context)
{
    uint64_t begin = cpu_ns();

    if (now_ns() < w->next_scan_ns)
        return;
    folder_watch_all(w, found, context);
    if (!w->is_large && cpu_ns() - begin > SCAN_DEAR_NS) {
        w->is_large = 1;
        ask_kernel(w);
        folder_watch_all(w, found, context); /* what has come meanwhile */
    }
    w->next_scan_ns = next_scan(w, now_ns());
}

void folder_watch_new(struct folder_watch *w, folder_found *found, void *context)
{
    if (w->notify_fd < 0)
        scan(w, found, context);
    else if (read_notes(w, found, context))
        folder_watch_all(w, found, context);
}

static void *close_it(void *fd)
{
    close((int)(intptr_t)fd);
    return NULL;
}

void folder_watch_close(struct folder_watch *w)
{
    pthread_t thread;

    if (w->notify_fd >= 0) {
        if (pthread_create(&thread, NULL, close_it, (void *)(intptr_t)w->notify_fd) == 0)
            pthread_detach(thread);
        else
            close(w->notify_fd);
    }
    *w = (struct folder_watch){.folder_fd = w->folder_fd, .notify_fd = -1, .begin_ns = now_ns()};
}
