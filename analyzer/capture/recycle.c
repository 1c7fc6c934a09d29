/* recycle.c - copying chunks, freeing slots. */
#include "recycle.h"
#include "points.h"
#include "xalloc.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOT_MAX (512u << 10) /* larger chunks are in no slot (preload/window.h) */

/* The spool, open for writing, and its control page. */
struct writable {
    int fd;
    struct spool_control *control;
};

static int open_writable(struct writable *w, int spool_fd)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", spool_fd);
    w->fd = open(path, O_RDWR | O_CLOEXEC);
    if (w->fd < 0)
        return 0;
    w->control = mmap(NULL, SPOOL_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, w->fd, SPOOL_PAGE);
    if (w->control != MAP_FAILED)
        return 1;
    close(w->fd);
    return 0;
}

static void close_writable(struct writable *w)
{
    munmap(w->control, SPOOL_PAGE);
    close(w->fd);
}

static int write_at(int fd, const void *from, size_t bytes, uint64_t offset)
{
    POINT("write");
    return pwrite(fd, from, bytes, (off_t)offset) == (ssize_t)bytes;
}

/* A spool may have been emptied; writing here must not make it grow again. */
static int has_control(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && status.st_size >= 2 * SPOOL_PAGE;
}

static int set_collector(int spool_fd, uint32_t pid)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", spool_fd);
    int fd = has_control(spool_fd) ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return 0;
    int done =
        write_at(fd, &pid, sizeof pid, SPOOL_PAGE + offsetof(struct spool_control, collector_pid));
    close(fd);
    return done;
}

void recycle_begin(struct recycler *r, int spool_fd)
{
    r->spool_fd = set_collector(spool_fd, (uint32_t)getpid()) ? spool_fd : -1;
    r->has_begun = 1;
}

void recycle_end(struct recycler *r)
{
    if (r->has_begun && r->spool_fd >= 0)
        set_collector(r->spool_fd, 0);
    free(r->chunk);
    *r = (struct recycler){.spool_fd = -1};
}

/* ---- the control page, which is gone once the program truncates its spool ---- */

static _Thread_local sigjmp_buf *volatile way_out;

static void page_is_gone(int signal)
{
    sigjmp_buf *out = way_out;

    if (out == NULL) { /* not our fault: it comes again at once and kills us */
        sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
        return;
    }
    way_out = NULL;
    siglongjmp(*out, 1);
}

static void install_handler(void)
{
    sigaction(SIGBUS, &(struct sigaction){.sa_handler = page_is_gone, .sa_flags = SA_NODEFER},
              NULL);
}

/* Claims room at the end, as the recorder does. 0: there is none. */
static uint64_t carve_there(struct spool_control *control, uint64_t cap, uint64_t bytes)
{
    uint64_t at = __atomic_load_n(&control->carved, __ATOMIC_RELAXED);

    do {
        if (at % SPOOL_PAGE || at + bytes > cap)
            return 0;
    } while (!__atomic_compare_exchange_n(&control->carved, &at, at + bytes, 1, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    return at;
}

/* The same where the page may not be there. */
static uint64_t carve(struct spool_control *control, uint64_t cap, uint64_t bytes)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    sigjmp_buf out;
    sigset_t fault, before;
    volatile uint64_t at = 0;

    pthread_once(&once, install_handler);
    sigemptyset(&fault);
    sigaddset(&fault, SIGBUS);
    pthread_sigmask(SIG_UNBLOCK, &fault, &before); /* a blocked one would kill us */
    if (sigsetjmp(out, 0) == 0) {
        way_out = &out;
        at = carve_there(control, cap, bytes);
    }
    way_out = NULL;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return at;
}

enum move_result {
    MOVED,
    STAYS,   /* it cannot be read, or need not be moved any more: we were too slow */
    NOT_YET, /* its stream has gone on, but has not closed it yet */
    FAILED,  /* the file cannot be written */
};

/* The copy counts once its mark is there; the original counts until its state says otherwise. In
 * between both count, and are the same. */
static enum move_result move(struct recycler *r, struct writable *w, const struct spool_file *file,
                             const struct chunk_place *place)
{
    r->chunk = xgrow(r->chunk, &r->chunk_bytes, place->bytes, 1);
    struct spool_chunk *copy = (struct spool_chunk *)r->chunk;
    uint32_t mark = SPOOL_CHUNK_MARK, moved = SPOOL_CHUNK_MOVED;

    if (spool_file_read(file, place->offset, copy, sizeof *copy) != sizeof *copy ||
        copy->sequence != place->sequence || !(copy->flags & SPOOL_CHUNK_SLOT))
        return STAYS;
    if (copy->closed != SPOOL_CHUNK_CLOSED)
        return copy->closed == SPOOL_CHUNK_OPEN ? NOT_YET : STAYS;
    if (spool_file_read(file, place->offset, copy, place->bytes) != place->bytes)
        return STAYS;
    uint64_t used = sizeof *copy + (uint32_t)copy->commit;
    if (copy->commit >> 32 != copy->sequence || used > place->bytes)
        return STAYS;
    copy->bytes = (used + SPOOL_PAGE - 1) / SPOOL_PAGE * SPOOL_PAGE;
    copy->offset = carve(w->control, file->header.cap, copy->bytes);
    if (copy->offset == 0)
        return FAILED;
    copy->busy = 0;
    copy->flags = SPOOL_CHUNK_COPY;
    copy->mark = 0;
    if (write_at(w->fd, copy, used, copy->offset) &&
        write_at(w->fd, &mark, sizeof mark, copy->offset) &&
        write_at(w->fd, &moved, sizeof moved, place->offset + offsetof(struct spool_chunk, closed)))
        return MOVED;
    return FAILED;
}

/* Moves the chunks that the stream has left behind. Returns 0 where the file cannot be written. */
static int move_chunks(struct recycler *r, struct writable *w, struct order *o, struct stream *s)
{
    for (; s->moved < s->current; s->moved++) {
        const struct chunk_place *place = &s->chunks[s->moved];
        if (!place->is_slot || place->bytes > SLOT_MAX)
            continue;
        if (w->fd < 0 && !open_writable(w, r->spool_fd))
            return 0;
        enum move_result result = move(r, w, o->file, place);
        if (result == NOT_YET)
            break;
        if (result == FAILED)
            return 0;
        if (result == MOVED)
            spool_file_watch(o->file, place->offset);
    }
    return 1;
}

void recycle_step(struct recycler *r, struct order *o)
{
    struct writable w = {-1, NULL};
    int going = 1;

    for (size_t i = 0; i < o->stream_count && r->spool_fd >= 0 && going; i++)
        if (o->streams[i])
            going = move_chunks(r, &w, o, o->streams[i]);
    if (w.fd >= 0)
        close_writable(&w);
    if (!going)
        r->spool_fd = -1;
}
