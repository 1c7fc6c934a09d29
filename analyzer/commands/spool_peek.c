/* spool_peek.c - see spool_peek.h. */
#include "spool_peek.h"
#include "quality_sum.h"
#include "spool_state.h"
#include "xalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_at(int fd, void *to, size_t bytes, uint64_t offset)
{
    return pread(fd, to, bytes, (off_t)offset) == (ssize_t)bytes;
}

static int check_header(const struct spool_header *h)
{
    if (h->magic == 0)
        return SPOOL_PEEK_NOT_YET;
    if (h->magic != SPOOL_MAGIC || h->version == 0)
        return SPOOL_PEEK_OTHER;
    if (h->version > SPOOL_VERSION)
        return SPOOL_PEEK_TOO_NEW;
    if (h->processes.entry_bytes != sizeof(struct spool_process) || h->processes.capacity == 0)
        return SPOOL_PEEK_OTHER;
    return SPOOL_PEEK_OK;
}

int spool_peek_open(struct spool_peek *p, int folder_fd, const char *name)
{
    struct stat st;

    *p = (struct spool_peek){.fd = -1};
    p->fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (p->fd < 0)
        return SPOOL_PEEK_IO;
    int rc = SPOOL_PEEK_OTHER;
    if (fstat(p->fd, &st) == 0) {
        p->inode = st.st_ino;
        if (S_ISREG(st.st_mode))
            rc = read_at(p->fd, &p->header, sizeof p->header, 0) ? check_header(&p->header)
                                                                 : SPOOL_PEEK_NOT_YET;
    }
    if (rc != SPOOL_PEEK_OK) {
        close(p->fd);
        p->fd = -1;
        return rc;
    }
    p->knows_pids = p->header.pid_space == 0 || p->header.pid_space == own_pid_space();
    const char *slash = strrchr(name, '/'); /* /proc/PID/maps may show another way to it */
    p->name = xstrdup(slash != NULL ? slash + 1 : name);
    return SPOOL_PEEK_OK;
}

void spool_peek_close(struct spool_peek *p)
{
    if (p->fd >= 0)
        close(p->fd);
    free(p->name);
    free(p->residents);
    free(p->successors);
    *p = (struct spool_peek){.fd = -1};
}

static int read_process(const struct spool_peek *p, uint32_t serial, struct spool_process *entry)
{
    uint64_t offset = p->header.processes.offset + (uint64_t)serial * sizeof *entry;

    return read_at(p->fd, entry, sizeof *entry, offset) && entry->state == 1;
}

static uint32_t process_count(const struct spool_peek *p)
{
    struct spool_control control;

    if (!read_at(p->fd, &control, sizeof control, SPOOL_PAGE))
        return p->looked;
    return spool_process_count(&p->header, &control);
}

static void add_newcomers(struct spool_peek *p)
{
    for (uint32_t count = process_count(p); p->looked < count; p->looked++) {
        p->residents = xgrow(p->residents, &p->capacity, p->count + 1, sizeof *p->residents);
        p->residents[p->count++] = (struct spool_resident){.serial = p->looked};
    }
}

/* The process of an entry, as it is known here. */
static struct proc_identity identify(const struct spool_peek *p, struct spool_resident *r,
                                     const struct spool_process *entry)
{
    struct proc_identity process = {entry->pid, entry->start_time};

    if (entry->pid == 0 || (p->knows_pids && !(entry->flags & SPOOL_PROCESS_ELSEWHERE)))
        return process;
    if (r->elsewhere == entry->pid)
        return r->process;
    r->elsewhere = entry->pid;
    process.pid = proc_find_inner(process);
    if (process.pid == 0)
        process.pid = -1; /* it is gone, or hidden from us */
    return process;
}

static struct spool_process read_resident(struct spool_peek *p, struct spool_resident *r)
{
    struct spool_process entry;

    if (!read_process(p, r->serial, &entry)) {
        entry = (struct spool_process){0};
        if (r->serial == 0) { /* the header knows that one, too */
            entry.pid = p->header.pid;
            entry.start_time = p->header.start_time;
        }
    }
    r->process = identify(p, r, &entry);
    return entry;
}

void spool_peek_meet(struct spool_peek *p)
{
    add_newcomers(p);
    for (size_t i = 0; i < p->count; i++)
        if (p->residents[i].process.pid == 0)
            read_resident(p, &p->residents[i]);
}

/* Is the process still there? */
static int check_resident(struct spool_peek *p, struct spool_resident *r)
{
    struct spool_process entry = read_resident(p, r);

    if (entry.pid == 0)
        return 1;
    if (!proc_alive(r->process))
        return 0;
    if (entry.end_kind != SPOOL_END_EXEC || process_has_mapped(r->process.pid, p->name, p->inode))
        return 1;
    p->successors =
        xgrow(p->successors, &p->successor_capacity, p->successor_count + 1, sizeof *p->successors);
    p->successors[p->successor_count++] = r->process;
    return 0;
}

size_t spool_peek_refresh(struct spool_peek *p)
{
    size_t kept = 0, there = 0;

    add_newcomers(p);
    for (size_t i = 0; i < p->count; i++)
        if (check_resident(p, &p->residents[i])) {
            there += p->residents[i].process.pid != 0;
            p->residents[kept++] = p->residents[i];
        }
    p->count = kept;
    return there;
}

int spool_peek_in_use(const struct spool_peek *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->residents[i].process.pid != 0)
            return 1;
    return spool_has_writer(p->fd);
}

uint32_t spool_peek_end(const struct spool_peek *p)
{
    struct spool_process entry;

    return read_process(p, 0, &entry) ? entry.end_kind : SPOOL_END_UNKNOWN;
}

static void add_unplaced(const struct spool_peek *p, struct loss *loss)
{
    struct spool_control control;
    struct spool_process all;

    if (!read_at(p->fd, &control, sizeof control, SPOOL_PAGE) || control.unplaced_processes == 0 ||
        !read_at(p->fd, &all, sizeof all, SPOOL_PAGE + SPOOL_UNPLACED_OFFSET))
        return;
    loss->unplaced += control.unplaced_processes;
    loss->unplaced_events += all.lost_allocations + all.lost_frees + all.lost_other;
}

size_t spool_peek_loss(const struct spool_peek *p, struct quality *sum)
{
    struct spool_process entry;
    size_t losers = 0;

    for (uint32_t i = 0, count = process_count(p); i < count; i++) {
        if (!read_process(p, i, &entry))
            continue;
        struct process process = {.quality.loss = {.allocations = entry.lost_allocations,
                                                   .frees = entry.lost_frees,
                                                   .bytes = entry.lost_bytes,
                                                   .others = entry.lost_other,
                                                   .maps = entry.lost_maps,
                                                   .mapped_bytes = entry.lost_mapped_bytes}};
        process_add_loss(&process);
        quality_add(sum, &process.quality, 0);
        losers += process.quality.lost > 0;
    }
    add_unplaced(p, &sum->loss);
    return losers;
}

void spool_peek_reason(int fd, char reason[SPOOL_REASON_BYTES])
{
    uint64_t offset = SPOOL_PAGE + offsetof(struct spool_control, reason);
    ssize_t got = pread(fd, reason, SPOOL_REASON_BYTES - 1, (off_t)offset);

    reason[got > 0 ? got : 0] = '\0';
}

/* If the disk had no room for the reason, the file is all hole, of the size it has with one. */
static int had_no_room(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_size == 2 * SPOOL_PAGE;
}

/* Was the process killed before the header was complete? Its magic comes last, its cap first. */
static int had_not_begun(int fd)
{
    static const struct spool_header nothing;
    struct spool_header h;
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_size > 2 * SPOOL_PAGE && read_at(fd, &h, sizeof h, 0) &&
           h.magic == 0 && (h.cap == (uint64_t)st.st_size || memcmp(&h, &nothing, sizeof h) == 0);
}

int spool_peek_refusal(int folder_fd, const char *name, char reason[SPOOL_REASON_BYTES])
{
    uint64_t magic = 1;
    int fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    reason[0] = '\0';
    if (fd < 0)
        return 0;
    if (read_at(fd, &magic, sizeof magic, 0) && magic == 0) {
        spool_peek_reason(fd, reason);
        if (reason[0] == '\0' && had_no_room(fd))
            strcpy(reason, "there is no space left in the folder");
        else if (reason[0] == '\0' && had_not_begun(fd))
            strcpy(reason, "its process ended before the recording had begun");
    }
    close(fd);
    return reason[0] != '\0';
}

int spool_peek_is_stub(int folder_fd, const char *name)
{
    char reason[SPOOL_REASON_BYTES];
    int fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int in_use = fd >= 0 && spool_has_writer(fd);

    if (fd >= 0)
        close(fd);
    return fd >= 0 && !in_use && spool_peek_refusal(folder_fd, name, reason);
}
