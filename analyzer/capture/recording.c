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
        return "is empty: the recording was lost before its first byte was written";
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

int recording_identify(const char *file, struct recording_identity *identity)
{
    int fd;
    int rc = open_file(file, &fd);
    if (rc != RECORDING_OK)
        return rc;
    rc = capture_identify(fd, identity);
    if (rc == RECORDING_FOREIGN)
        rc = spool_identify(fd, identity);
    int error = errno;
    close(fd);
    errno = error;
    return rc;
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
    int has_spool = recording_identify(spool, &other) == RECORDING_OK && other.is_spool &&
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
    int there = name == NULL ? RECORDING_FOREIGN : recording_identify(name, &other);
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
    int rc = recording_identify(spool, &identity);
    if (rc == RECORDING_OK)
        rc = identity.is_spool ? open_spool(r, spool, name, &identity) : RECORDING_FOREIGN;
    free(spool);
    return rc;
}

static int open_name(struct reader **r, const char *name)
{
    struct recording_identity identity;
    int rc = recording_identify(name, &identity);
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

const struct event_class *recording_classes(struct recording *r, size_t *count)
{
    return reader_classes(r->reader, count);
}

/* Timeline */

/* A timeline in the making: equal slices of [begin, end), each with a bucket unless it is empty. */
struct slices {
    uint64_t begin, width;
    struct bucket *buckets;
    size_t count;   /* of buckets so far, at least 1 */
    uint64_t slice; /* of the last one */
};

/* The first bucket is the level at the beginning. */
static struct slices begin_slices(uint64_t begin, uint64_t end, uint64_t level,
                                  struct bucket *buckets, size_t count)
{
    buckets[0] = (struct bucket){begin, level, begin, level, level};
    uint64_t width = (end - begin) / count + 1;
    return (struct slices){begin, width, buckets, 1, 0};
}

static void add_to_slices(struct slices *s, const struct bucket *b)
{
    uint64_t slice = b->begin_ns > s->begin ? (b->begin_ns - s->begin) / s->width : 0;
    struct bucket *last = &s->buckets[s->count - 1];
    if (slice > s->slice) {
        s->buckets[s->count++] = *b;
        s->slice = slice;
        return;
    }
    if (b->max_bytes > last->max_bytes) {
        last->max_bytes = b->max_bytes;
        last->max_ns = b->max_ns;
    }
    if (b->min_bytes < last->min_bytes)
        last->min_bytes = b->min_bytes;
    last->last_bytes = b->last_bytes;
}

static int timeline_of_summary(const struct process *p, uint64_t begin, uint64_t end,
                               struct bucket *buckets, size_t count)
{
    size_t first = 0;
    while (first < p->heap_count && p->heap[first].begin_ns < begin)
        first++;
    uint64_t level = first > 0 ? p->heap[first - 1].last_bytes : 0;
    struct slices s = begin_slices(begin, end, level, buckets, count);
    for (size_t i = first; i < p->heap_count && p->heap[i].begin_ns < end; i++)
        add_to_slices(&s, &p->heap[i]);
    return (int)s.count;
}

/* Is this only the first part of a step, because an allocation, its rest, follows? */
static int is_first_of_step(const struct event *e)
{
    return e->kind == EVENT_REALLOC_FREE || e->kind == EVENT_FREE_IMPLIED;
}

static int timeline_of_events(struct recording *r, uint32_t process, uint64_t begin, uint64_t end,
                              struct bucket *buckets, size_t count)
{
    struct slices s = {0};
    struct event e;
    struct bucket moment = {0}; /* after the previous event */
    int held = 0;               /* 1: it is the first part of a step */
    int rc = recording_seek(r, process, begin);
    if (rc != RECORDING_OK)
        return rc;
    while ((rc = recording_next(r, &e)) > 0 && e.ns < end) {
        if (s.count == 0 && e.ns >= begin)
            s = begin_slices(begin, end, moment.last_bytes, buckets, count);
        if (held && e.kind != EVENT_ALLOC && e.kind != EVENT_REALLOC_FREE)
            add_to_slices(&s, &moment);
        uint64_t level = reader_level(r->reader).heap;
        moment = (struct bucket){e.ns, level, e.ns, level, level};
        held = s.count > 0 && is_first_of_step(&e);
        if (s.count > 0 && !held)
            add_to_slices(&s, &moment);
    }
    if (s.count == 0)
        s = begin_slices(begin, end, moment.last_bytes, buckets, count);
    if (held)
        add_to_slices(&s, &moment);
    return rc < 0 ? rc : (int)s.count;
}

/* Would the events show more than the summary's buckets? They never do below a tick's length. */
static int events_are_finer(const struct process *p, uint64_t begin, uint64_t end, size_t count)
{
    size_t inside = 0;
    for (size_t i = 0; i < p->heap_count; i++)
        inside += p->heap[i].begin_ns >= begin && p->heap[i].begin_ns < end;
    return inside * 2 < count && end - begin > inside * (uint64_t)CAPTURE_TICK_NS;
}

int recording_timeline(struct recording *r, uint32_t process, uint64_t begin_ns, uint64_t end_ns,
                       struct bucket *buckets, size_t count)
{
    const struct process *p = image_process(recording_image(r), process);
    if (p == NULL || count == 0 || end_ns <= begin_ns)
        return 0;
    if (events_are_finer(p, begin_ns, end_ns, count))
        return timeline_of_events(r, process, begin_ns, end_ns, buckets, count);
    return timeline_of_summary(p, begin_ns, end_ns, buckets, count);
}
