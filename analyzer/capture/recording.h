/*
 * recording.h - a recording by its name, in whatever state it is.
 *
 * NAME is a capture, or its spool at NAME.spool while nobody has collected it. Opening collects
 * first where that is needed: into NAME.part, renamed to NAME when complete, then the spool is
 * removed; into memory where the folder cannot be written, where the program still runs (a
 * snapshot, image->running), or where another collector holds the spool's lock (flock).
 *
 * One owner, one thread.
 */
#ifndef MPROF_RECORDING_H
#define MPROF_RECORDING_H

#include "event.h"
#include "summary.h"
#include "timeline.h"

struct recording;

enum recording_error {
    RECORDING_OK = 0,
    RECORDING_MISSING = -1, /* neither NAME nor NAME.spool */
    RECORDING_IO = -2,      /* errno says why */
    RECORDING_EMPTY = -3,   /* a file without a byte */
    RECORDING_FOREIGN = -4, /* not a recording */
    RECORDING_TOO_NEW = -5, /* written by a later version */
    RECORDING_DAMAGED = -6, /* nothing in it can be read */
};

/* The second half of an error's sentence, such as "is not a recording"; for RECORDING_IO
 * strerror(errno). */
const char *recording_strerror(int error);

/* Reads the summary only: fast and small however many events there are. */
int recording_open(struct recording **r, const char *name);
const struct image *recording_image(const struct recording *r);
void recording_close(struct recording *r); /* NULL is allowed */

/* Events of one process from the checkpoint at or before begin_ns on. recording_next returns 1 and
 * an event, 0 at the end, or a negative error; recording_classes resolves an event's class. */
int recording_seek(struct recording *r, uint32_t process, uint64_t begin_ns);
int recording_next(struct recording *r, struct event *e);
const struct event_class *recording_classes(struct recording *r, size_t *count);
/* What lives of a series after the event that was read last; after a seek, at that checkpoint. */
uint64_t recording_level(const struct recording *r, enum series series);

/*
 * What lived of a process's series in [begin_ns, end_ns), into an empty timeline: the same line
 * that the summary has, cut, and drawn from the events where those show more. It begins at
 * begin_ns, with the level there, unless the process did nothing before. Returns RECORDING_OK or a
 * negative error. Times of events are exact to the capture's tick.
 */
int recording_timeline(struct recording *r, uint32_t process, enum series series, uint64_t begin_ns,
                       uint64_t end_ns, struct timeline *line);

/* Children that an image forked. */
struct forked {
    int32_t pid;
    uint32_t serial, parent; /* serials; 0 is the image's first process */
    uint64_t start_time;
};
struct forks {
    struct forked *list; /* in order of the recording; the owner frees it */
    size_t count, capacity;
};

/* What a capture or a spool says of itself at its ends; nothing is collected. */
struct recording_identity {
    uint8_t id[16], boot_id[16];
    uint64_t tree;
    int32_t pid, parent_pid;
    uint64_t start_time, parent_start_time;
    uint64_t epoch_ns;
    int is_spool;
    char command[256]; /* its beginning: arguments, each with its NUL */
    size_t command_bytes;
};

/* Adds the image's children to *forks; NULL: nobody asks for them. */
int recording_identify(const char *file, struct recording_identity *identity, struct forks *forks);

/* May a new recording take the file's place? 1 where there is none, an empty one, or a recording.
 */
int recording_may_replace(const char *file);

#endif
