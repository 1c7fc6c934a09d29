/* spool_file.c - reading a spool's header, tables and chunk headers. */
#include "spool_file.h"
#include "collect.h"
#include "points.h"
#include "spool_state.h"
#include "xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KNOWN_FEATURES  SPOOL_FREE_STACKS
#define CHUNK_BYTES_MAX (1ull << 32)
#define INFO_MAX        (1u << 20)

size_t spool_file_read(const struct spool_file *f, uint64_t offset, void *to, size_t bytes)
{
    size_t done = 0;

    POINT("read");
    while (done < bytes && offset + done < INT64_MAX) {
        ssize_t n = pread(f->fd, (char *)to + done, bytes - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return done;
}

/* Process entries: as many as the control page says, but no more than lie before the table's last
 * byte that is not in a hole. (An absurd count would make us look for a million.) */
static uint32_t count_processes(const struct spool_file *f)
{
    const struct spool_table *table = &f->header.processes;
    uint64_t count = spool_process_count(&f->header, &f->control);
    uint64_t last = table->offset, at = last, end;

    if (__builtin_add_overflow(at, count * sizeof(struct spool_process), &end) || end > INT64_MAX)
        return 1;
    while (at < end) {
        off_t data = lseek(f->fd, (off_t)at, SEEK_DATA), hole;
        if (data < 0 && errno != ENXIO) /* the file system does not report holes */
            last = f->size;
        if (data < 0 || (uint64_t)data >= end || (hole = lseek(f->fd, data, SEEK_HOLE)) < 0)
            break;
        at = last = (uint64_t)hole;
    }
    uint64_t there = last > table->offset ? last - table->offset : 0;
    there = (there + sizeof(struct spool_process) - 1) / sizeof(struct spool_process);
    count = there < count ? there : count;
    return count ? (uint32_t)count : 1;
}

void spool_file_refresh(struct spool_file *f)
{
    struct stat status;

    if (fstat(f->fd, &status) == 0)
        f->size = (uint64_t)status.st_size;
    memset(&f->control, 0, sizeof f->control);
    spool_file_read(f, SPOOL_PAGE, &f->control, sizeof f->control);
    f->control.reason[sizeof f->control.reason - 1] = 0;
    f->process_count = count_processes(f);
}

static int check_header(const struct spool_header *h)
{
    if (h->magic != SPOOL_MAGIC)
        return COLLECT_NOT_A_SPOOL;
    if (h->version > SPOOL_VERSION || h->features & ~(uint32_t)KNOWN_FEATURES)
        return COLLECT_TOO_NEW;
    return h->version == 0 ? COLLECT_DAMAGED : COLLECT_OK;
}

int spool_file_open(struct spool_file *f, int fd)
{
    memset(f, 0, sizeof *f);
    f->fd = fd;
    spool_file_refresh(f);
    errno = 0;
    size_t got = spool_file_read(f, 0, &f->header, sizeof f->header);
    if (got < sizeof f->header) {
        if (errno)
            return COLLECT_IO;
        if (got == 0)
            return COLLECT_EMPTY;
        if (got < sizeof f->header.magic || f->header.magic != SPOOL_MAGIC)
            return COLLECT_NOT_A_SPOOL;
        return COLLECT_DAMAGED;
    }
    int error = check_header(&f->header);
    if (error)
        return error;
    f->process_count = count_processes(f);
    f->scanned = f->header.chunks_offset;
    if (f->scanned < 2 * SPOOL_PAGE || f->scanned % SPOOL_PAGE || f->scanned > f->size)
        f->scanned = 2 * SPOOL_PAGE; /* no sensible place: look everywhere */
    return COLLECT_OK;
}

void spool_file_close(struct spool_file *f)
{
    free(f->holes);
    free(f->free);
    memset(f, 0, sizeof *f);
}

/* ---- chunks ---- */

static int chunk_at(const struct spool_file *f, uint64_t offset, struct spool_chunk *chunk)
{
    return spool_file_read(f, offset, chunk, sizeof *chunk) == sizeof *chunk &&
           chunk->mark == SPOOL_CHUNK_MARK && chunk->offset == offset &&
           memcmp(chunk->id8, f->header.id, sizeof chunk->id8) == 0 &&
           chunk->bytes % SPOOL_PAGE == 0 && chunk->bytes > 0 && chunk->bytes <= CHUNK_BYTES_MAX;
}

/* The next page that is not a hole of the file itself, or `end` where there is none before it: a
 * hole beyond `end` may be claimed by now and become a chunk. */
static uint64_t next_page(const struct spool_file *f, uint64_t offset, uint64_t end)
{
    off_t data = lseek(f->fd, (off_t)(offset + SPOOL_PAGE), SEEK_DATA);

    if (data < 0)
        return errno == ENXIO ? end : offset + SPOOL_PAGE;
    uint64_t page = (uint64_t)data / SPOOL_PAGE * SPOOL_PAGE;
    return page < end ? page : end;
}

static void add_hole(struct spool_file *f, uint64_t begin, uint64_t end)
{
    f->holes = xgrow(f->holes, &f->hole_capacity, f->hole_count + 1, sizeof *f->holes);
    f->holes[f->hole_count++] = (struct spool_hole){begin, end};
}

void spool_file_watch(struct spool_file *f, uint64_t chunk_offset)
{
    f->free = xgrow(f->free, &f->free_capacity, f->free_count + 1, sizeof *f->free);
    f->free[f->free_count++] = (struct spool_free){chunk_offset};
}

static int is_free(const struct spool_chunk *chunk)
{
    return chunk->closed == SPOOL_CHUNK_MOVED || chunk->closed == SPOOL_CHUNK_TAKEN;
}

/* The chunk at this place, free or not. Whoever reuses a free one writes its state last, so a
 * header that says it is in use is read once more: now the rest is as new. */
static int look_at_chunk(const struct spool_file *f, uint64_t offset, struct spool_chunk *chunk)
{
    return chunk_at(f, offset, chunk) && (is_free(chunk) || chunk_at(f, offset, chunk));
}

/* Reports the free spaces that have become chunks. */
static void scan_free(struct spool_file *f,
                      void (*found)(void *context, const struct spool_chunk *chunk), void *context)
{
    size_t kept = 0;

    for (size_t i = 0; i < f->free_count; i++) {
        struct spool_chunk chunk;
        uint64_t at = f->free[i].offset;
        if (!look_at_chunk(f, at, &chunk) || is_free(&chunk)) {
            f->free[kept++].offset = at;
            continue;
        }
        found(context, &chunk);
    }
    f->free_count = kept;
}

/* Finds the chunks of [begin, end) and returns where it stopped, at `end` or beyond. */
static uint64_t scan_region(struct spool_file *f, uint64_t begin, uint64_t end,
                            void (*found)(void *context, const struct spool_chunk *chunk),
                            void *context)
{
    uint64_t at = begin, hole = 0;

    while (at < end) {
        struct spool_chunk chunk;
        if (!look_at_chunk(f, at, &chunk)) {
            hole = hole ? hole : at;
            at = next_page(f, at, end);
            continue;
        }
        if (hole)
            add_hole(f, hole, at);
        hole = 0;
        if (is_free(&chunk))
            spool_file_watch(f, at);
        else
            found(context, &chunk);
        at += chunk.bytes;
    }
    if (hole)
        add_hole(f, hole, end);
    return at > end ? at : end;
}

void spool_file_scan(struct spool_file *f,
                     void (*found)(void *context, const struct spool_chunk *chunk), void *context)
{
    struct spool_hole *old = f->holes;
    size_t old_count = f->hole_count;
    uint64_t end = f->control.carved;

    f->holes = NULL;
    f->hole_count = f->hole_capacity = 0;
    if (end < f->scanned)
        end = f->control.carved ? f->scanned : f->size; /* 0: the control page is gone */
    if (end > f->size || f->size < 2 * SPOOL_PAGE)      /* no spool ends within its control page */
        f->cut = 1;
    end = end < f->size ? end : f->size;
    if (f->scanned < end)
        f->scanned = scan_region(f, f->scanned, end, found, context);
    /* Holes come last: a chunk is initialised before its stream's next one is claimed, so the
     * predecessors of the chunks just found are visible by now. */
    for (size_t i = 0; i < old_count; i++)
        scan_region(f, old[i].begin, old[i].end, found, context);
    free(old);
    scan_free(f, found, context);
}

struct spool_progress spool_file_progress(const struct spool_file *f, uint64_t chunk_offset,
                                          uint64_t chunk_bytes, uint32_t sequence)
{
    struct {
        uint64_t commit;
        uint32_t busy, closed;
    } words = {0};
    struct spool_progress progress = {0};
    uint64_t room = chunk_bytes - sizeof(struct spool_chunk);

    spool_file_read(f, chunk_offset + offsetof(struct spool_chunk, commit), &words, sizeof words);
    progress.busy = words.busy != 0;
    progress.closed = words.closed != 0;
    if (words.commit >> 32 == sequence)
        progress.bytes = (uint32_t)words.commit;
    else
        progress.is_other = words.commit >> 32 > sequence;
    if (progress.bytes > room)
        progress.bytes = room;
    return progress;
}

/* ---- tables ---- */

static int read_entry(const struct spool_file *f, const struct spool_table *table, uint32_t i,
                      void *entry, size_t bytes)
{
    uint64_t offset;

    return i < table->capacity && table->entry_bytes == bytes &&
           !__builtin_add_overflow(table->offset, (uint64_t)i * bytes, &offset) &&
           spool_file_read(f, offset, entry, bytes) == bytes;
}

uint32_t spool_file_process_count(const struct spool_file *f)
{
    return f->process_count;
}

int spool_file_process(const struct spool_file *f, uint32_t serial, struct spool_process *entry)
{
    return read_entry(f, &f->header.processes, serial, entry, sizeof *entry) && entry->state == 1 &&
           (serial == 0 || entry->parent < serial);
}

uint64_t spool_file_unplaced(const struct spool_file *f, uint64_t *events)
{
    struct spool_control control = {0};
    struct spool_process all = {0};

    spool_file_read(f, SPOOL_PAGE, &control, sizeof control);
    if (control.unplaced_processes == 0 ||
        spool_file_read(f, SPOOL_PAGE + SPOOL_UNPLACED_OFFSET, &all, sizeof all) != sizeof all)
        return 0;
    *events = all.lost_allocations + all.lost_frees + all.lost_other;
    return control.unplaced_processes;
}

uint64_t spool_file_high_water(const struct spool_file *f, uint32_t serial)
{
    uint64_t mark = 0, offset = SPOOL_PAGE + SPOOL_HIGH_WATER_OFFSET + serial * sizeof mark;

    if (serial >= SPOOL_HIGH_WATER_COUNT ||
        spool_file_read(f, offset, &mark, sizeof mark) != sizeof mark)
        return 0;
    return mark;
}

int spool_file_module(const struct spool_file *f, uint32_t serial, struct spool_module *entry)
{
    if (!read_entry(f, &f->header.modules, serial, entry, sizeof *entry) || entry->state != 1)
        return 0;
    if (entry->path_bytes >= sizeof entry->path)
        entry->path_bytes = sizeof entry->path - 1;
    entry->path[entry->path_bytes] = 0;
    if (entry->build_id_bytes > sizeof entry->build_id)
        entry->build_id_bytes = 0;
    return 1;
}

int spool_file_pc(const struct spool_file *f, uint32_t id, struct spool_pc *entry)
{
    return id != 0 && read_entry(f, &f->header.pcs, id, entry, sizeof *entry) &&
           entry->flags & SPOOL_PC_VALID;
}

char *spool_file_string(const struct spool_file *f, struct spool_string string, size_t *bytes)
{
    const struct spool_header *h = &f->header;
    size_t wanted = string.bytes;

    if (h->info_bytes > INFO_MAX || (uint64_t)string.offset + wanted > h->info_bytes ||
        h->info_offset > f->size)
        wanted = 0;
    char *text = xcalloc(wanted + 1, 1);
    *bytes = spool_file_read(f, h->info_offset + string.offset, text, wanted);
    text[*bytes] = 0;
    return text;
}
