/* recording.c - see recording.h. */
#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture_ends.h"
#include "collected.h"
#include "reader.h"
#include "spool_state.h"
#include "xalloc.h"

struct recording {
    struct reader *reader;
};

const char *recording_strerror(int error)
{
    switch (error) {
    case RECORDING_OK:
        return "is a recording";
    case RECORDING_MISSING:
        return "does not exist; give the name of a recording (mprof-c list shows them)";
    case RECORDING_EMPTY:
        return "is empty: there is no recording in it";
    case RECORDING_FOREIGN:
        return "is not a recording; give a file that mprof-c run or libmprof.so wrote";
    case RECORDING_TOO_NEW:
        return "was written by a later version of mprof-c; use that version to read it";
    case RECORDING_DAMAGED:
        return "is damaged so that nothing in it can be read";
    }
    return strerror(errno);
}

/* Names */

static int ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size > end_size && strcmp(text + size - end_size, end) == 0;
}

static char *with_end(const char *name, const char *end)
{
    char *text = xmalloc(strlen(name) + strlen(end) + 1);
    return strcat(strcpy(text, name), end);
}

static char *without_end(const char *name, const char *end)
{
    char *text = xstrdup(name);
    text[strlen(name) - strlen(end)] = 0;
    return text;
}

/* RECORDING_OK for a regular file, else an error. */
static int check_kind(int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return RECORDING_IO;
    if (S_ISREG(status.st_mode))
        return RECORDING_OK;
    errno = EISDIR;
    return S_ISDIR(status.st_mode) ? RECORDING_IO : RECORDING_FOREIGN;
}

/* Opens a regular file for reading; never waits for a pipe's other end. */
static int open_file(const char *file, int *fd)
{
    *fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? RECORDING_MISSING : RECORDING_IO;
    int rc = check_kind(*fd), error = errno;
    if (rc == RECORDING_OK)
        return rc;
    close(*fd);
    *fd = -1;
    errno = error;
    return rc;
}

int recording_identify(const char *file, struct recording_identity *identity, struct forks *forks)
{
    int fd;
    int rc = open_file(file, &fd);
    if (rc != RECORDING_OK)
        return rc;
    rc = capture_identify(fd, identity, forks);
    if (rc == RECORDING_FOREIGN)
        rc = spool_identify(fd, identity, forks);
    int error = errno;
    close(fd);
    errno = error;
    return rc;
}

int recording_may_replace(const char *file)
{
    struct recording_identity identity;
    int rc = recording_identify(file, &identity, NULL);
    return rc == RECORDING_OK || rc == RECORDING_MISSING || rc == RECORDING_EMPTY ||
           rc == RECORDING_TOO_NEW;
}

static int same_recording(const struct recording_identity *a, const struct recording_identity *b)
{
    return memcmp(a->id, b->id, sizeof a->id) == 0;
}

/* Opening */

static int open_capture_file(struct reader **r, const char *file)
{
    int fd;
    int rc = open_file(file, &fd);
    return rc == RECORDING_OK ? reader_open(r, fd) : rc;
}

/* Opens a capture at `file` for the recording NAME: as it is, or collected anew where its spool is
 * still there and the capture is incomplete. */
static int open_capture(struct reader **r, const char *file, const char *name,
                        const struct recording_identity *identity)
{
    struct recording_identity other;
    char *spool = with_end(name, ".spool");
    int has_spool = recording_identify(spool, &other, NULL) == RECORDING_OK && other.is_spool &&
                    same_recording(identity, &other);
    int rc = open_capture_file(r, file);
    if (has_spool && rc == RECORDING_OK && !reader_is_whole(*r)) {
        reader_close(*r);
        *r = NULL;
        rc = collect_spool(r, spool, name, strcmp(file, name) == 0);
    } else if (has_spool && rc == RECORDING_OK && strcmp(file, name) == 0) {
        remove_leftover(spool);
    }
    free(spool);
    return rc;
}

/* Opens a spool whose capture is to be NAME (NULL: in memory only). */
static int open_spool(struct reader **r, const char *spool, const char *name,
                      const struct recording_identity *identity)
{
    struct recording_identity other;
    int there = name == NULL ? RECORDING_FOREIGN : recording_identify(name, &other, NULL);
    if (there == RECORDING_OK && !other.is_spool && same_recording(identity, &other))
        return open_capture(r, name, name, &other);
    return collect_spool(r, spool, there == RECORDING_MISSING ? name : NULL, 0);
}

static int open_spool_file(struct reader **r, const char *file,
                           const struct recording_identity *identity)
{
    char *name = ends_with(file, ".spool") ? without_end(file, ".spool") : NULL;
    int rc = open_spool(r, file, name, identity);
    free(name);
    return rc;
}

static int open_part_file(struct reader **r, const char *file,
                          const struct recording_identity *identity)
{
    char *name = without_end(file, ".part");
    int rc = open_capture(r, file, name, identity);
    free(name);
    return rc;
}

static int open_spool_of(struct reader **r, const char *name)
{
    struct recording_identity identity;
    char *spool = with_end(name, ".spool");
    int rc = recording_identify(spool, &identity, NULL);
    if (rc == RECORDING_OK)
        rc = identity.is_spool ? open_spool(r, spool, name, &identity) : RECORDING_FOREIGN;
    free(spool);
    return rc;
}

static int open_name(struct reader **r, const char *name)
{
    struct recording_identity identity;
    int rc = recording_identify(name, &identity, NULL);
    if (rc == RECORDING_MISSING)
        return open_spool_of(r, name);
    if (rc != RECORDING_OK)
        return rc;
    if (identity.is_spool)
        return open_spool_file(r, name, &identity);
    if (ends_with(name, ".part"))
        return open_part_file(r, name, &identity);
    return open_capture(r, name, name, &identity);
}

int recording_open(struct recording **r, const char *name)
{
    struct reader *reader = NULL;
    int rc = COLLECTED_ELSEWHERE;
    *r = NULL;
    for (int attempt = 0; attempt < 5 && rc == COLLECTED_ELSEWHERE; attempt++)
        rc = open_name(&reader, name);
    if (rc != RECORDING_OK)
        return rc == COLLECTED_ELSEWHERE ? RECORDING_MISSING : rc;
    *r = xcalloc(1, sizeof **r);
    (*r)->reader = reader;
    return RECORDING_OK;
}

const struct image *recording_image(const struct recording *r)
{
    return reader_image(r->reader);
}

void recording_close(struct recording *r)
{
    if (r == NULL)
        return;
    reader_close(r->reader);
    free(r);
}

/* Events */

int recording_seek(struct recording *r, uint32_t process, uint64_t begin_ns)
{
    return reader_seek(r->reader, process, begin_ns);
}

int recording_next(struct recording *r, struct event *e)
{
    return reader_next(r->reader, e);
}

uint64_t recording_level(const struct recording *r, enum series series)
{
    struct heap_level level = reader_level(r->reader);
    uint64_t heap = series == SERIES_MAPPED ? 0 : level.heap;
    return heap + (series == SERIES_HEAP ? 0 : level.mapped);
}

const struct event_class *recording_classes(struct recording *r, size_t *count)
{
    return reader_classes(r->reader, count);
}
