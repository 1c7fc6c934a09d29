/* reader.c - see reader.h. */
#include "reader.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture_ends.h"
#include "reader_parts.h"
#include "xalloc.h"

/* Blocks */

int reader_block(struct reader *r, uint64_t offset, uint32_t type, uint32_t process,
                 struct bytes *payload)
{
    struct capture_block head;
    int rc = block_fetch(&r->input, offset, &head, &r->stored);
    if (rc <= 0)
        return rc;
    if (head.type != type || head.process != process)
        return 0;
    return block_unpack(&r->input, &head, &r->stored, payload);
}

struct codec reader_codec(struct reader *r)
{
    return (struct codec){.in = {r->payload.data, r->payload.data + r->payload.size, 0},
                          .strings = &r->tables.strings};
}

int reader_is_table(uint32_t type)
{
    return (type >= BLOCK_STRINGS && type <= BLOCK_STACKS) || type == BLOCK_OBJECTS;
}

int reader_add_head(struct reader *r)
{
    struct codec c = reader_codec(r);
    code_head(&c, r->image);
    return !c.in.bad;
}

void reader_begin_processes(struct reader *r, size_t count)
{
    struct image *image = r->image;
    image->processes = arena_take(image->memory, (count + 1) * sizeof *image->processes);
    image->process_count = count;
    for (uint32_t i = 0; i < count; i++) {
        image->processes[i].serial = i;
        image->processes[i].ending.exec = "";
    }
}

/* Keeps what comes in blocks of its own, not in the SUMMARY. */
static void keep_details(struct process *to, const struct process *from)
{
    to->quality.selfcheck_compared = from->quality.selfcheck_compared;
    to->quality.selfcheck_differences = from->quality.selfcheck_differences;
    to->quality.loss = from->quality.loss;
    to->quality.shortened = from->quality.shortened;
    to->quality.left_out = from->quality.left_out;
    to->differences = from->differences;
    to->difference_count = from->difference_count;
    to->threads = from->threads;
    to->thread_usage_count = from->thread_usage_count;
    to->failures = from->failures;
    to->failure_count = from->failure_count;
}

int reader_get_summary(struct reader *r, uint32_t serial)
{
    struct codec c = reader_codec(r);
    struct process whole = {0};
    if (serial >= r->image->process_count)
        return 0;
    keep_details(&whole, &r->image->processes[serial]);
    if (!code_process(&c, &whole, r->image, r->header.version) || whole.serial != serial)
        return 0;
    process_memory_is_heap(&whole);
    whole.series_unknown = process_has_mappings(&whole); /* until MAPPED is read */
    r->image->processes[serial] = whole;
    return 1;
}

int reader_get_mapped(struct reader *r, uint32_t serial)
{
    struct codec c = reader_codec(r);
    if (serial >= r->image->process_count ||
        !code_mapped(&c, &r->image->processes[serial], r->image))
        return 0;
    r->image->processes[serial].series_unknown = 0;
    return 1;
}

int reader_get_lost(struct reader *r, uint32_t serial)
{
    struct codec c = reader_codec(r);
    return serial < r->image->process_count && code_lost(&c, &r->image->processes[serial]);
}

int reader_get_bounds(struct reader *r, uint32_t serial)
{
    struct codec c = reader_codec(r);
    return serial < r->image->process_count && code_bounds(&c, &r->image->processes[serial]);
}

int reader_get_modules(struct reader *r)
{
    struct codec c = reader_codec(r);
    return code_modules(&c, r->image);
}

int reader_get_family(struct reader *r)
{
    struct codec c = reader_codec(r);
    return code_family(&c, r->image);
}

int reader_get_selfcheck(struct reader *r, uint32_t serial)
{
    struct codec c = reader_codec(r);
    return serial < r->image->process_count &&
           code_selfcheck(&c, &r->image->processes[serial], r->image);
}

int reader_get_threads(struct reader *r, uint32_t serial)
{
    struct codec c = reader_codec(r);
    return serial < r->image->process_count &&
           code_threads(&c, &r->image->processes[serial], r->image);
}

int reader_get_failed(struct reader *r, uint32_t serial)
{
    struct codec c = reader_codec(r);
    return serial < r->image->process_count &&
           code_failed(&c, &r->image->processes[serial], r->image);
}

/* A complete file */

static size_t count_blocks(const struct reader *r, uint32_t type)
{
    size_t count = 0;
    for (size_t i = 0; i < r->index_count; i++)
        count += r->index[i].type == type;
    return count;
}

static int read_index(struct reader *r)
{
    struct capture_tail tail;
    int rc = capture_read_tail(r->fd, r->input.file_bytes, &tail);
    if (rc <= 0)
        return rc;
    rc = reader_block(r, tail.index_offset, BLOCK_INDEX, 0, &r->payload);
    if (rc <= 0)
        return rc;
    struct codec c = reader_codec(r);
    size_t count = 0;
    code_state(&c, r->image);
    code_count(&c, &count, 6);
    r->index = xgrow(r->index, &r->index_capacity, count + 1, sizeof *r->index);
    code_index(&c, r->index, count);
    r->index_count = count;
    return !c.in.bad;
}

/* What an image is made of besides its tables. The late parts need the complete tables. */
struct part {
    uint32_t type;
    int is_late;
    int (*of_image)(struct reader *r); /* or */
    int (*of_process)(struct reader *r, uint32_t serial);
};
static const struct part parts[] = {
    {BLOCK_HEAD, 0, reader_add_head, NULL},       {BLOCK_SUMMARY, 1, NULL, reader_get_summary},
    {BLOCK_MAPPED, 1, NULL, reader_get_mapped},   {BLOCK_LOST, 1, NULL, reader_get_lost},
    {BLOCK_BOUNDS, 1, NULL, reader_get_bounds},   {BLOCK_MODULES, 1, reader_get_modules, NULL},
    {BLOCK_FAMILY, 1, reader_get_family, NULL},   {BLOCK_SELFCHECK, 1, NULL, reader_get_selfcheck},
    {BLOCK_THREADS, 1, NULL, reader_get_threads}, {BLOCK_FAILED, 1, NULL, reader_get_failed},
};

static const struct part *part_of(uint32_t type)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].type == type)
            return &parts[i];
    return NULL;
}

/* Reads the block if its turn is now: tables and the other early parts first. */
static int read_entry(struct reader *r, const struct index_entry *e, int late)
{
    const struct part *part = part_of(e->type);
    if (part ? part->is_late != late : late || !reader_is_table(e->type))
        return 1;
    int rc = reader_block(r, e->offset, e->type, e->process, &r->payload);
    if (rc <= 0)
        return rc;
    if (!part)
        return tables_read(&r->tables, (enum capture_block_type)e->type, &r->payload);
    return part->of_image ? part->of_image(r) : part->of_process(r, e->process);
}

/* Reads the blocks of the index that an image is made of: its tables, or what needs these. */
static int read_indexed(struct reader *r, int late)
{
    int rc = 1;
    if (late)
        reader_begin_processes(r, count_blocks(r, BLOCK_SUMMARY));
    for (size_t i = 0; i < r->index_count && rc > 0; i++)
        rc = read_entry(r, &r->index[i], late);
    return rc;
}

static int read_complete(struct reader *r)
{
    int rc = read_index(r);
    if (rc > 0)
        rc = read_indexed(r, 0);
    if (rc <= 0)
        return rc;
    tables_give(&r->tables, r->image);
    rc = read_indexed(r, 1);
    image_settle_series(r->image);
    image_count_gaps(r->image);
    return rc > 0 && r->image->process_count == 0 ? 0 : rc;
}

/* Opening */

/* An empty image with what the header says. */
static void begin_image(struct reader *r)
{
    const struct capture_header *h = &r->header;
    struct image *image = image_new();
    memcpy(image->id, h->id, sizeof image->id);
    memcpy(image->boot_id, h->boot_id, sizeof image->boot_id);
    image->tree = h->tree;
    image->pid = h->pid;
    image->parent_pid = h->parent_pid;
    image->start_time = h->start_time;
    image->parent_start_time = h->parent_start_time;
    image->epoch_ns = h->epoch_ns;
    image->start_kind = h->start_kind;
    image->kinds_untold = reader_kinds_untold(r);
    image_free(r->image);
    tables_free(&r->tables);
    r->image = image;
    r->tables.memory = image->memory;
    r->tables.version = h->version;
    r->index_count = r->listed = 0;
}

static int read_all(struct reader *r)
{
    uint64_t file_bytes;
    int rc = capture_read_header(r->fd, &r->header, &file_bytes);
    if (rc != RECORDING_OK)
        return rc;
    block_input_open(&r->input, r->fd, file_bytes);
    begin_image(r);
    rc = read_complete(r);
    r->whole = rc > 0;
    if (rc == 0) {
        begin_image(r);
        return reader_read_cut(r);
    }
    return rc < 0 ? RECORDING_IO : RECORDING_OK;
}

int reader_open(struct reader **r, int fd)
{
    struct reader *new = xcalloc(1, sizeof *new);
    new->fd = fd;
    int rc = read_all(new);
    if (rc != RECORDING_OK) {
        reader_close(new);
        new = NULL;
    }
    *r = new;
    return rc;
}

void reader_close(struct reader *r)
{
    if (r == NULL)
        return;
    if (r->in_segment)
        segment_reader_free(&r->segment);
    blocks_clear(&r->blocks);
    block_input_close(&r->input);
    image_free(r->image);
    tables_free(&r->tables);
    free(r->index);
    bytes_free(&r->stored);
    bytes_free(&r->payload);
    bytes_free(&r->segment_payload);
    close(r->fd);
    free(r);
}

const struct image *reader_image(const struct reader *r)
{
    return r->image;
}

int reader_is_whole(const struct reader *r)
{
    return r->whole;
}

/* Events */

static int read_classes(struct reader *r)
{
    if (r->classes_read != 0)
        return r->classes_read > 0;
    r->classes_read = -1;
    r->tables.stack_count = r->image->stack_count;
    for (size_t i = 0; i < r->index_count; i++) {
        const struct index_entry *e = &r->index[i];
        if (e->type == BLOCK_CLASSES &&
            (reader_block(r, e->offset, e->type, e->process, &r->payload) <= 0 ||
             !tables_read(&r->tables, BLOCK_CLASSES, &r->payload)))
            return 0;
    }
    r->classes_read = 1;
    return 1;
}

const struct event_class *reader_classes(struct reader *r, size_t *count)
{
    int good = read_classes(r);
    *count = good ? r->tables.class_count : 0;
    return good ? r->tables.classes : NULL;
}

int reader_seek(struct reader *r, uint32_t process, uint64_t begin_ns)
{
    uint64_t tick = begin_ns / r->header.tick_ns;
    if (!read_classes(r))
        return RECORDING_DAMAGED;
    if (r->in_segment)
        segment_reader_free(&r->segment);
    r->in_segment = r->follows = 0;
    r->process = process;
    r->level = (struct heap_level){0, 0};
    r->next = 0;
    int found = 0;
    for (size_t i = 0; i < r->index_count; i++) {
        const struct index_entry *e = &r->index[i];
        if (e->type != BLOCK_EVENTS || e->process != process)
            continue;
        /* Takes the last segment that begins before the tick: it may hold events of the tick. */
        if (!found || e->first_tick < tick)
            r->next = i;
        found = 1;
    }
    return RECORDING_OK;
}

/* The most blocks that can live where the segment at `place` of the index begins: one for each
 * earlier event, and each event takes a byte or more. So a small file cannot make us use much
 * memory. */
static uint64_t blocks_before(struct reader *r, size_t place)
{
    uint64_t most = 0;
    for (size_t i = 0; i < place; i++) {
        const struct index_entry *e = &r->index[i];
        struct capture_block head;
        if (e->type != BLOCK_EVENTS || e->process != r->process ||
            read_at(r->fd, e->offset, &head, sizeof head) <= 0)
            continue;
        most += e->events < head.raw_bytes ? e->events : head.raw_bytes;
    }
    return most < BLOCKS_MAX ? most : BLOCKS_MAX - 1;
}

/* Puts the blocks of a checkpoint, at most *left, into r->blocks; which allocations they come from
 * is unknown. */
static int read_checkpoint(struct reader *r, uint64_t offset, uint64_t *left)
{
    int rc = reader_block(r, offset, BLOCK_CHECKPOINT, r->process, &r->payload);
    struct codec c = reader_codec(r);
    size_t count = 0;
    if (rc <= 0)
        return rc;
    code_count(&c, &count, 2);
    struct checkpoint_entry *entries = xcalloc(count + 1, sizeof *entries);
    code_checkpoint(&c, entries, count);
    int good = !c.in.bad;
    for (size_t i = 0; i < count && good; i++) {
        good = entries[i].class > 0 && entries[i].class < r->tables.class_count &&
               entries[i].blocks <= *left;
        *left -= good ? entries[i].blocks : 0;
        for (uint32_t k = 0; good && k < entries[i].blocks; k++)
            blocks_add_unknown(&r->blocks, entries[i].class);
    }
    free(entries);
    return good;
}

/* The first of the checkpoints of the segment at `place` (a long one is several blocks), or
 * `place`. */
static size_t first_checkpoint(const struct reader *r, size_t place)
{
    size_t first = place;
    for (size_t i = place; i-- > 0;) {
        const struct index_entry *e = &r->index[i];
        if (e->process != r->process)
            continue;
        if (e->type == BLOCK_CHECKPOINT)
            first = i;
        else if (e->type == BLOCK_EVENTS || first < place)
            break;
    }
    return first;
}

static int read_checkpoints(struct reader *r, size_t place)
{
    size_t i = first_checkpoint(r, place);
    uint64_t left = i < place ? blocks_before(r, place) : 0;
    int rc = 1;
    for (; i < place && rc > 0; i++)
        if (r->index[i].type == BLOCK_CHECKPOINT && r->index[i].process == r->process)
            rc = read_checkpoint(r, r->index[i].offset, &left);
    return rc;
}

/* Has r->blocks hold what lives where the segment at `place` of the index begins: the blocks of the
 * previous segment's end or, where reading begins here, those of its checkpoint. */
static int begin_blocks(struct reader *r, size_t place)
{
    int rc = 1;
    if (!r->follows) {
        blocks_clear(&r->blocks);
        blocks_follow_births(&r->blocks);
        rc = read_checkpoints(r, place);
    }
    blocks_begin_segment(&r->blocks);
    r->follows = 1;
    return rc;
}

/* Opens the next segment of the process: 1, 0 at the end, or an error. */
static int next_segment(struct reader *r)
{
    for (; r->next < r->index_count; r->next++) {
        const struct index_entry *e = &r->index[r->next];
        if (e->type != BLOCK_EVENTS || e->process != r->process)
            continue;
        int names = reader_names_blocks(r);
        int rc = names ? begin_blocks(r, r->next) : 1;
        if (rc > 0)
            rc = reader_block(r, e->offset, e->type, e->process, &r->segment_payload);
        if (rc < 0)
            return RECORDING_IO;
        if (rc == 0)
            return RECORDING_DAMAGED;
        r->in_segment = 1;
        if (!segment_open(&r->segment, &r->segment_payload, names, names ? &r->blocks : NULL))
            return RECORDING_DAMAGED;
        r->level = r->segment.head.level;
        r->next++;
        return 1;
    }
    return 0;
}

int reader_next(struct reader *r, struct event *e)
{
    for (;;) {
        if (!r->in_segment) {
            int rc = next_segment(r);
            if (rc <= 0)
                return rc;
        }
        int rc = segment_next(&r->segment, r->tables.classes, r->tables.class_count,
                              r->header.tick_ns, e);
        if (rc > 0) {
            heap_level_apply(&r->level, e);
            return 1;
        }
        if (rc < 0)
            return RECORDING_DAMAGED;
        segment_reader_free(&r->segment);
        r->in_segment = 0;
    }
}

struct heap_level reader_level(const struct reader *r)
{
    return r->level;
}
