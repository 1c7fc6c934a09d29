/* capture_ends.c - see capture_ends.h. */
#include "capture_ends.h"

#include <string.h>
#include <sys/stat.h>

#include "block.h"
#include "payloads.h"
#include "tables.h"
#include "xalloc.h"

static int check_header(const struct capture_header *h)
{
    if (h->magic != CAPTURE_MAGIC)
        return RECORDING_FOREIGN;
    if (h->version > CAPTURE_VERSION || (h->features & ~CAPTURE_FEATURES_KNOWN) != 0)
        return RECORDING_TOO_NEW;
    uint64_t sum =
        capture_checksum(CAPTURE_CHECKSUM_START, h, offsetof(struct capture_header, checksum));
    if (h->checksum != sum || h->tick_ns == 0)
        return RECORDING_DAMAGED;
    return RECORDING_OK;
}

int capture_read_header(int fd, struct capture_header *h, uint64_t *file_bytes)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return RECORDING_IO;
    *file_bytes = (uint64_t)status.st_size;
    if (*file_bytes == 0)
        return RECORDING_EMPTY;
    memset(h, 0, sizeof *h);
    size_t size = *file_bytes < sizeof *h ? (size_t)*file_bytes : sizeof *h;
    int rc = read_at(fd, 0, h, size);
    if (rc < 0)
        return RECORDING_IO;
    if (size == sizeof *h)
        return rc == 0 ? RECORDING_DAMAGED : check_header(h);
    /* Too short for a header: ours, cut, or something else? */
    uint64_t magic = CAPTURE_MAGIC;
    size_t compared = size < sizeof magic ? size : sizeof magic;
    return memcmp(&h->magic, &magic, compared) == 0 ? RECORDING_DAMAGED : RECORDING_FOREIGN;
}

int capture_read_tail(int fd, uint64_t file_bytes, struct capture_tail *tail)
{
    if (file_bytes < sizeof *tail)
        return 0;
    int rc = read_at(fd, file_bytes - sizeof *tail, tail, sizeof *tail);
    if (rc <= 0)
        return rc;
    return tail->magic == CAPTURE_TAIL_MAGIC && tail->file_bytes == file_bytes &&
           tail->checksum == capture_checksum(CAPTURE_CHECKSUM_START, tail,
                                              offsetof(struct capture_tail, checksum));
}

void forks_add(struct forks *forks, struct forked child)
{
    if (child.pid == 0)
        return;
    forks->list = xgrow(forks->list, &forks->capacity, forks->count + 1, sizeof *forks->list);
    forks->list[forks->count++] = child;
}

/* As many whole arguments as fit; the first is cut where it does not. */
static void add_argument(struct recording_identity *identity, const char *text)
{
    size_t bytes = strlen(text) + 1, room = sizeof identity->command - identity->command_bytes;
    if (bytes > room && identity->command_bytes > 0)
        return;
    bytes = bytes > room ? room : bytes;
    memcpy(identity->command + identity->command_bytes, text, bytes);
    identity->command_bytes += bytes;
    identity->command[identity->command_bytes - 1] = 0;
}

/* A file begins with STRINGS blocks and the HEAD that uses them; we look no further than this. */
#define BLOCKS_BEFORE_HEAD 16

static void identify_command(int fd, uint64_t file_bytes, struct recording_identity *identity)
{
    struct block_input input;
    struct capture_block head;
    struct bytes stored = {0}, payload = {0};
    struct image *image = image_new();
    struct tables tables = {.memory = image->memory};
    uint64_t at = sizeof(struct capture_header);
    block_input_open(&input, fd, file_bytes);
    for (int i = 0; i < BLOCKS_BEFORE_HEAD && block_fetch(&input, at, &head, &stored) > 0 &&
                    (head.type == BLOCK_STRINGS || head.type == BLOCK_HEAD) &&
                    block_unpack(&input, &head, &stored, &payload);
         i++) {
        at += sizeof head + head.stored_bytes;
        if (head.type == BLOCK_STRINGS && tables_read(&tables, BLOCK_STRINGS, &payload))
            continue;
        if (head.type == BLOCK_HEAD) {
            struct codec c = {.in = {payload.data, payload.data + payload.size, 0},
                              .strings = &tables.strings};
            code_head(&c, image);
            for (size_t k = 0; k < image->argc && !c.in.bad; k++)
                add_argument(identity, image->argv[k]);
        }
        break;
    }
    bytes_free(&stored);
    bytes_free(&payload);
    block_input_close(&input);
    tables_free(&tables);
    image_free(image);
}

static void identify_children(int fd, uint64_t file_bytes, struct forks *forks)
{
    struct capture_tail tail;
    struct capture_block head;
    struct block_input input;
    struct bytes stored = {0}, payload = {0};
    if (capture_read_tail(fd, file_bytes, &tail) <= 0 || tail.processes_offset == 0)
        return;
    block_input_open(&input, fd, file_bytes);
    if (block_fetch(&input, tail.processes_offset, &head, &stored) > 0 &&
        head.type == BLOCK_PROCESSES && block_unpack(&input, &head, &stored, &payload)) {
        struct codec c = {.in = {payload.data, payload.data + payload.size, 0}};
        size_t count = 0;
        code_count(&c, &count, 5);
        for (size_t i = 0; i < count && !c.in.bad; i++) {
            struct process p = {0};
            code_process_list(&c, &p, 1);
            if (!c.in.bad && p.serial != 0)
                forks_add(forks, (struct forked){p.pid, p.serial, p.parent, p.start_time});
        }
    }
    bytes_free(&stored);
    bytes_free(&payload);
    block_input_close(&input);
}

int capture_identify(int fd, struct recording_identity *identity, struct forks *forks)
{
    struct capture_header h;
    uint64_t file_bytes;
    int rc = capture_read_header(fd, &h, &file_bytes);
    if (rc != RECORDING_OK)
        return rc;
    memset(identity, 0, sizeof *identity);
    memcpy(identity->id, h.id, sizeof h.id);
    memcpy(identity->boot_id, h.boot_id, sizeof h.boot_id);
    identity->tree = h.tree;
    identity->pid = h.pid;
    identity->parent_pid = h.parent_pid;
    identity->start_time = h.start_time;
    identity->parent_start_time = h.parent_start_time;
    identity->epoch_ns = h.epoch_ns;
    identify_command(fd, file_bytes, identity);
    if (forks)
        identify_children(fd, file_bytes, forks);
    return RECORDING_OK;
}
