/* collected.c - see collected.h. */
#include "collected.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect.h"
#include "part_samples.h"
#include "recording.h"
#include "spool_state.h"
#include "symbols.h"
#include "xalloc.h"

#define SPOOL_END ".spool"

/* Only the place failed, so memory may do. Not an error of recording.h. */
#define NOT_HERE 2

static int recording_error_of(int collect_error)
{
    switch (collect_error) {
    case COLLECT_NOT_A_SPOOL:
        return RECORDING_FOREIGN;
    case COLLECT_TOO_NEW:
        return RECORDING_TOO_NEW;
    case COLLECT_DAMAGED:
        return RECORDING_DAMAGED;
    case COLLECT_EMPTY:
        return RECORDING_EMPTY;
    }
    return collect_error < 0 ? RECORDING_IO : RECORDING_OK;
}

/* part: another collector's capture, of which the samples are taken; -1 none. */
static int collect(int spool_fd, int capture_fd, int running, int part)
{
    struct symbolizer *symbols = symbolizer_new();
    struct collector *collector = NULL;
    int rc = collector_open(&collector, spool_fd, capture_fd, symbols);
    if (rc == COLLECT_OK)
        part_samples_give(part, collector);
    if (rc == COLLECT_OK)
        rc = collector_finish(collector, running);
    int error = errno;
    collector_free(collector);
    symbolizer_free(symbols);
    errno = error;
    return recording_error_of(rc);
}

static int into_memory(struct reader **r, int spool_fd, int running, int part)
{
    int fd = memfd_create("mprof-c capture", MFD_CLOEXEC);
    if (fd < 0)
        return RECORDING_IO;
    int rc = collect(spool_fd, fd, running, part);
    if (rc != RECORDING_OK) {
        int error = errno;
        close(fd);
        errno = error;
        return rc;
    }
    return reader_open(r, fd);
}

/* An older NAME.part, which has the samples that its writer took; -1 none. */
static int open_part(const char *part)
{
    return open(part, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/* A new, locked NAME.part; one that its writer left behind unlocked is replaced. -1: not here. */
static int create_part(const char *part)
{
    for (int attempt = 0; attempt < 3; attempt++) {
        int fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd >= 0) {
            flock(fd, LOCK_EX | LOCK_NB);
            return fd;
        }
        if (errno != EEXIST)
            return -1;
        int orphan = open_part(part);
        if (orphan < 0)
            return -1;
        int free_to_go = flock(orphan, LOCK_EX | LOCK_NB) == 0 && recording_may_replace(part) &&
                         unlink(part) == 0;
        close(orphan);
        if (!free_to_go)
            return -1;
    }
    return -1;
}

static int give_name(const char *part, const char *capture, int replace)
{
    if (replace)
        return rename(part, capture);
    if (renameat2(AT_FDCWD, part, AT_FDCWD, capture, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS) /* the file system cannot do it */
        return -1;
    return access(capture, F_OK) == 0 ? -1 : rename(part, capture);
}

static int into_part(struct reader **r, int spool_fd, const char *part, int *complete)
{
    int left = open_part(part), fd = create_part(part);
    int rc = fd < 0 ? NOT_HERE : collect(spool_fd, fd, 0, left);
    if (left >= 0)
        close(left);
    if (fd < 0)
        return rc;
    if (rc != RECORDING_OK) {
        close(fd);
        unlink(part);
        return rc == RECORDING_IO ? NOT_HERE : rc; /* the disk may be full, for one */
    }
    rc = reader_open(r, fd);
    *complete = rc == RECORDING_OK && reader_is_whole(*r);
    if (rc != RECORDING_OK)
        unlink(part);
    return rc;
}

static int into_file(struct reader **r, int spool_fd, const char *spool, const char *capture,
                     int replace)
{
    char *part = NULL;
    int complete = 0;
    if (asprintf(&part, "%s.part", capture) < 0)
        return NOT_HERE;
    int rc = into_part(r, spool_fd, part, &complete);
    if (rc == RECORDING_OK) {
        if (complete && give_name(part, capture, replace) == 0)
            unlink(spool);
        else
            unlink(part); /* the reader's descriptor keeps its bytes */
    }
    free(part);
    return rc;
}

static int is_at(int fd, const char *path)
{
    struct stat here, there;
    return fstat(fd, &here) == 0 && stat(path, &there) == 0 && here.st_dev == there.st_dev &&
           here.st_ino == there.st_ino;
}

/* A snapshot, with the samples of whoever collects the spool meanwhile. */
static int as_it_is(struct reader **r, int spool_fd, const char *spool, int running)
{
    char *part = NULL;
    int bytes = (int)(strlen(spool) - strlen(SPOOL_END));
    if (bytes <= 0 || strcmp(spool + bytes, SPOOL_END) != 0 ||
        asprintf(&part, "%.*s.part", bytes, spool) < 0)
        part = NULL;
    int left = part ? open_part(part) : -1, rc = into_memory(r, spool_fd, running, left);
    int error = errno;
    if (left >= 0)
        close(left);
    free(part);
    errno = error;
    return rc;
}

int collect_spool(struct reader **r, const char *spool, const char *capture, int replace)
{
    int fd = open(spool, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? COLLECTED_ELSEWHERE : RECORDING_IO;
    int locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
    int rc = NOT_HERE;
    if (locked && !is_at(fd, spool)) {
        rc = COLLECTED_ELSEWHERE;
    } else {
        int alive = spool_is_alive(fd);
        if (locked && !alive && capture != NULL)
            rc = into_file(r, fd, spool, capture, replace);
        if (rc == NOT_HERE)
            rc = as_it_is(r, fd, spool, alive);
    }
    int error = errno;
    close(fd); /* and release the lock with it */
    errno = error;
    return rc;
}

void remove_leftover(const char *spool)
{
    int fd = open(spool, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && is_at(fd, spool) && !spool_is_alive(fd))
        unlink(spool);
    close(fd);
}
