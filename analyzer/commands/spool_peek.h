/*
 * spool_peek.h - whose spool is this, and which of its processes still run?
 *
 * Reads the header, the control page and the table of processes of an open spool, nothing else, and
 * trusts none of them. A process has left the spool when it is gone, or when it runs another image
 * since an exec. In doubt it is still there. Single-threaded, prints nothing.
 */
#ifndef MPROF_SPOOL_PEEK_H
#define MPROF_SPOOL_PEEK_H

#include "proc_stat.h"
#include "spool.h"
#include "summary.h"

enum spool_peek_result {
    SPOOL_PEEK_OK = 1,
    SPOOL_PEEK_NOT_YET = 0, /* its header is not complete */
    SPOOL_PEEK_OTHER = -1,  /* no spool */
    SPOOL_PEEK_IO = -2,     /* errno says why */
    SPOOL_PEEK_TOO_NEW = -3 /* a spool of a later version */
};

struct spool_resident { /* a process of the spool that has not left it, as far as is known */
    uint32_t serial;
    struct proc_identity process; /* pid 0: the entry was not complete yet */
    pid_t elsewhere; /* not 0: what it calls itself, in a pid namespace that is not ours */
    int told;
};

struct spool_peek {
    int fd; /* owned, read only */
    char *name;
    uint64_t inode;
    struct spool_header header;
    int knows_pids;  /* the first process lives in our pid namespace */
    uint32_t looked; /* entries before this are in `residents` or have left */
    struct spool_resident *residents;
    size_t count, capacity;
    struct proc_identity *successors; /* processes that left by exec, not looked at since */
    size_t successor_count, successor_capacity;
};

/* On anything but SPOOL_PEEK_OK nothing stays open; `inode` says which file it was, 0 for none. */
int spool_peek_open(struct spool_peek *p, int folder_fd, const char *name);
void spool_peek_close(struct spool_peek *p);

/* Adds who has come since the last look to the residents, whether it has left meanwhile or not. */
void spool_peek_meet(struct spool_peek *p);

/* Looks again who has come and who has left. Returns how many processes are still there. */
size_t spool_peek_refresh(struct spool_peek *p);

/* Is the spool still being written by anyone, in this or another pid namespace? As refresh found
 * it, and as far as the file system knows who has it mapped. */
int spool_peek_in_use(const struct spool_peek *p);

/* How the image's first process ended as the recorder saw it: enum spool_end. */
uint32_t spool_peek_end(const struct spool_peek *p);

/* Adds what the spool's processes have lost so far to `sum`, except loss.since_ns. Returns how many
 * of them have lost anything. */
size_t spool_peek_loss(const struct spool_peek *p, struct quality *sum);

#define SPOOL_REASON_BYTES 256

/* The recorder's reason for recording nothing (more), "" if there is none. */
void spool_peek_reason(int fd, char reason[SPOOL_REASON_BYTES]);

/* Is the file what a recorder leaves that could not begin: one without a header? Returns 1 and why,
 * never "". */
int spool_peek_refusal(int folder_fd, const char *name, char reason[SPOOL_REASON_BYTES]);

/* The same, and no recorder is at it any more: nothing is lost with the file. */
int spool_peek_is_stub(int folder_fd, const char *name);

#endif
