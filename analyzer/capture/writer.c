/* writer.c - see writer.h. */
#include "writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "payloads.h"
#include "segment.h"
#include "tables.h"
#include "writer_parts.h"
#include "xalloc.h"

#define SEGMENT_EVENTS (4u << 20)
#define SEGMENT_BYTES  (32u << 20)  /* of payload, for programs whose events take many bytes */
#define PENDING_BYTES  (128u << 20) /* of all processes' segments together */
#define LIVE_BLOCKS    (1u << 18)   /* entries of a LIVE block */
#define SAMPLES_LEAST  8            /* entries of a process's first SAMPLES block */
#define CHECKPOINT_MAX (4u << 20)   /* entries of a CHECKPOINT block */
#define TEXT_BYTES     (16u << 20)  /* of the texts in a STRINGS block */
#define CHECK_EVERY    (1u << 14)   /* events between two looks at the sizes */

/* What is not yet in the file, of one process. */
struct pending {
    struct segment_writer segment;
    struct checkpoint_entry *checkpoint; /* taken when the segment began */
    size_t checkpoint_count, checkpoint_capacity;
    struct sample *samples;
    size_t sample_count, sample_capacity, samples_written;
    struct live_block *live;
    size_t live_count, live_capacity;
};

/* Of what is written by now. */
static int result(const struct writer *w)
{
    int error = packer_error(w->packer);
    if (error == 0)
        return WRITER_OK;
    errno = error;
    return WRITER_FAILED;
}

struct index_entry *writer_put_block(struct writer *w, enum capture_block_type type,
                                     uint32_t process, struct bytes *payload)
{
    w->index = xgrow(w->index, &w->index_capacity, w->index_count + 1, sizeof *w->index);
    struct index_entry *entry = &w->index[w->index_count++];
    *entry = (struct index_entry){.type = type, .process = process};
    packer_put(w->packer, type, process, payload);
    return entry;
}

/* Tables */

void writer_put_strings(struct writer *w)
{
    while (w->strings_written < w->strings.count) {
        w->strings_written +=
            tables_put_strings(&w->texts, &w->strings, w->strings_written, w->text_bytes);
        writer_put_block(w, BLOCK_STRINGS, 0, &w->texts);
    }
}

size_t writer_part_of(const struct writer *w, size_t left, size_t most)
{
    size_t part = most < w->entries_max ? most : w->entries_max;
    return left < part ? left : part;
}

/* Writes entries [*written, count) of a table of the image, after the texts that they name. */
static void put_table(struct writer *w, enum capture_block_type type, const void *table,
                      size_t *written, size_t count)
{
    while (*written < count) {
        size_t part = writer_part_of(w, count - *written, TABLE_INCREMENT_MAX);
        tables_put(&w->payload, type, &w->strings, table, *written, *written, part);
        writer_put_strings(w);
        writer_put_block(w, type, 0, &w->payload);
        *written += part;
    }
}

static void put_classes(struct writer *w)
{
    size_t done = 0;
    while (done < w->class_count) {
        size_t part = writer_part_of(w, w->class_count - done, TABLE_INCREMENT_MAX);
        tables_put(&w->payload, BLOCK_CLASSES, &w->strings, w->classes, done,
                   w->classes_written + done, part);
        writer_put_block(w, BLOCK_CLASSES, 0, &w->payload);
        done += part;
    }
    w->classes_written += w->class_count;
    w->class_count = 0;
}

static void put_tables(struct writer *w)
{
    const struct image *i = w->image;
    put_table(w, BLOCK_FUNCTIONS, i->functions, &w->functions_written, i->function_count);
    put_table(w, BLOCK_FRAMES, i->frames, &w->frames_written, i->frame_count);
    put_table(w, BLOCK_OBJECTS, i->objects, &w->objects_written, i->object_count);
    put_table(w, BLOCK_LOCATIONS, i->locations, &w->locations_written, i->location_count);
    put_table(w, BLOCK_STACKS, i->stacks, &w->stacks_written, i->stack_count);
    put_classes(w);
}

static void put_process_list(struct writer *w)
{
    struct codec c = {.out = &w->payload, .strings = &w->strings};
    size_t count = w->image->process_count;
    w->payload.size = 0;
    code_count(&c, &count, 1);
    code_process_list(&c, w->image->processes, count);
    if (w->payload.size == w->process_list.size &&
        memcmp(w->payload.data, w->process_list.data, w->payload.size) == 0)
        return;
    w->process_list.size = 0;
    bytes_append(&w->process_list, w->payload.data, w->payload.size);
    w->process_list_entry = w->index_count;
    writer_put_block(w, BLOCK_PROCESSES, 0, &w->payload);
}

/* Segments */

static void give_class(void *context, uint32_t class, struct block_class *c)
{
    struct pending *p = context;
    p->checkpoint = xgrow(p->checkpoint, &p->checkpoint_capacity, p->checkpoint_count + 1,
                          sizeof *p->checkpoint);
    p->checkpoint[p->checkpoint_count++] = (struct checkpoint_entry){class, c->live};
}

/* A new segment begins with the blocks that live now. */
static void take_checkpoint(struct writer *w, struct pending *p, uint32_t process)
{
    p->checkpoint_count = 0;
    if (w->source.blocks == NULL)
        return;
    struct blocks *blocks = w->source.blocks(w->source.context, process);
    blocks_each_class(blocks, give_class, p);
    blocks_begin_segment(blocks);
}

/* Begins a payload with the number of its entries. */
static struct codec begin_list(struct writer *w, size_t count)
{
    struct codec c = {.out = &w->payload, .strings = &w->strings};
    w->payload.size = 0;
    code_count(&c, &count, 1);
    return c;
}

static void put_checkpoint(struct writer *w, struct pending *p, uint32_t process)
{
    for (size_t done = 0, part; done < p->checkpoint_count; done += part) {
        part = writer_part_of(w, p->checkpoint_count - done, CHECKPOINT_MAX);
        struct codec c = begin_list(w, part);
        code_checkpoint(&c, p->checkpoint + done, part);
        writer_put_block(w, BLOCK_CHECKPOINT, process, &w->payload);
    }
}

static void put_positions(struct writer *w, uint32_t process)
{
    const struct stream_position *positions = NULL;
    if (w->source.positions == NULL)
        return;
    size_t count = w->source.positions(w->source.context, process, &positions);
    if (count == 0)
        return;
    count = writer_part_of(w, count, CAPTURE_LIST_MAX);
    struct codec c = begin_list(w, count);
    code_positions(&c, (struct stream_position *)positions, count);
    writer_put_block(w, BLOCK_POSITIONS, process, &w->payload);
}

static void put_samples(struct writer *w, struct pending *p, uint32_t process)
{
    for (size_t done = 0, part; done < p->sample_count; done += part) {
        part = writer_part_of(w, p->sample_count - done, CAPTURE_LIST_MAX);
        struct codec c = begin_list(w, part);
        code_samples(&c, p->samples + done, part);
        writer_put_block(w, BLOCK_SAMPLES, process, &w->payload);
    }
    p->samples_written += p->sample_count;
    p->sample_count = 0;
}

static void put_segment(struct writer *w, struct pending *p, uint32_t process)
{
    if (p->segment.head.events == 0)
        return;
    put_tables(w);
    put_process_list(w);
    put_checkpoint(w, p, process);
    struct segment_head head = p->segment.head;
    segment_finish(&p->segment, &w->payload);
    struct index_entry *entry = writer_put_block(w, BLOCK_EVENTS, process, &w->payload);
    entry->events = head.events;
    entry->first_tick = head.first_tick;
    entry->last_tick = head.last_tick;
    put_positions(w, process);
    put_samples(w, p, process);
}

static int is_due(const struct writer *w, const struct pending *p, size_t new_events)
{
    uint64_t events = p->segment.head.events;
    if (events >= w->segment_events)
        return 1;
    if (events / CHECK_EVERY == (events - new_events) / CHECK_EVERY)
        return 0;
    size_t own = segment_bytes(&p->segment), all = 0;
    for (size_t i = 0; i < w->process_capacity; i++)
        if (w->processes[i] != NULL)
            all += segment_bytes(&w->processes[i]->segment);
    return own >= SEGMENT_BYTES || (all >= PENDING_BYTES && own >= SEGMENT_BYTES / 32);
}

static struct pending *pending_of(struct writer *w, uint32_t process)
{
    w->processes =
        xgrow(w->processes, &w->process_capacity, (size_t)process + 1, sizeof *w->processes);
    if (w->processes[process] == NULL) {
        w->processes[process] = xcalloc(1, sizeof *w->processes[process]);
        w->processes[process]->segment.names_blocks = w->source.blocks != NULL;
    }
    return w->processes[process];
}

/* Copies the classes that are new, as the caller's array may move. */
static void take_classes(struct writer *w, const struct event_class *classes, size_t count)
{
    size_t known = w->classes_written + w->class_count;
    if (count <= known)
        return;
    w->classes =
        xgrow(w->classes, &w->class_capacity, w->class_count + (count - known), sizeof *w->classes);
    memcpy(w->classes + w->class_count, classes + known, (count - known) * sizeof *classes);
    w->class_count += count - known;
}

int writer_events(struct writer *w, uint32_t process, const struct event *events, size_t count,
                  const struct event_class *classes, size_t class_count)
{
    if (class_count > w->classes_written + w->class_count)
        take_classes(w, classes, class_count);
    struct pending *p = pending_of(w, process);
    for (size_t i = 0; i < count; i++)
        segment_add(&p->segment, &events[i]);
    if (is_due(w, p, count)) {
        put_segment(w, p, process);
        take_checkpoint(w, p, process);
    }
    return result(w);
}

int writer_sample(struct writer *w, uint32_t process, const struct sample *sample)
{
    struct pending *p = pending_of(w, process);
    p->samples = xgrow(p->samples, &p->sample_capacity, p->sample_count + 1, sizeof *p->samples);
    p->samples[p->sample_count++] = *sample;
    if (p->sample_count >= SAMPLES_LEAST + p->samples_written / 8) {
        put_process_list(w);
        put_samples(w, p, process);
    }
    return result(w);
}

int writer_flush_samples(struct writer *w)
{
    put_process_list(w);
    for (size_t i = 0; i < w->process_capacity; i++)
        if (w->processes[i] != NULL)
            put_samples(w, w->processes[i], (uint32_t)i);
    return result(w);
}

static int by_address(const void *a, const void *b)
{
    const struct live_block *x = a, *y = b;
    return (x->address > y->address) - (x->address < y->address);
}

static void put_live(struct writer *w, struct pending *p, uint32_t process)
{
    if (p->live_count == 0)
        return;
    qsort(p->live, p->live_count, sizeof *p->live, by_address);
    struct codec c = begin_list(w, p->live_count);
    code_live_blocks(&c, p->live, p->live_count);
    writer_put_block(w, BLOCK_LIVE, process, &w->payload);
    p->live_count = 0;
}

int writer_live_block(struct writer *w, uint32_t process, uint64_t address, uint32_t class,
                      uint64_t ns)
{
    struct pending *p = pending_of(w, process);
    p->live = xgrow(p->live, &p->live_capacity, p->live_count + 1, sizeof *p->live);
    p->live[p->live_count++] = (struct live_block){address, ns / CAPTURE_TICK_NS, class};
    if (p->live_count == LIVE_BLOCKS)
        put_live(w, p, process);
    return result(w);
}

/* Beginning and end */

static void put_header(struct writer *w)
{
    const struct image *i = w->image;
    struct capture_header h = {
        .magic = CAPTURE_MAGIC,
        .version = CAPTURE_VERSION,
        .features = (w->source.blocks != NULL ? CAPTURE_BLOCKS : 0) |
                    (i->kinds_untold ? CAPTURE_KINDS_UNTOLD : 0),
        .tree = i->tree,
        .pid = i->pid,
        .parent_pid = i->parent_pid,
        .start_time = i->start_time,
        .parent_start_time = i->parent_start_time,
        .epoch_ns = i->epoch_ns,
        .start_kind = i->start_kind,
        .tick_ns = CAPTURE_TICK_NS,
    };
    memcpy(h.id, i->id, sizeof h.id);
    memcpy(h.boot_id, i->boot_id, sizeof h.boot_id);
    h.checksum =
        capture_checksum(CAPTURE_CHECKSUM_START, &h, offsetof(struct capture_header, checksum));
    packer_put_plain(w->packer, &h, sizeof h);
}

static void put_head(struct writer *w)
{
    struct image copy = *w->image; /* the codec wants it non-const */
    struct codec c = {.out = &w->payload, .strings = &w->strings};
    w->payload.size = 0;
    code_head(&c, &copy);
    writer_put_strings(w);
    writer_put_block(w, BLOCK_HEAD, 0, &w->payload);
}

static void put_index(struct writer *w)
{
    struct codec c = {.out = &w->payload, .strings = &w->strings};
    struct image copy = *w->image;
    size_t count = w->index_count;
    const uint64_t *offsets = packer_offsets(w->packer);
    uint64_t processes_offset = offsets[w->process_list_entry];
    for (size_t i = 0; i < count; i++)
        w->index[i].offset = offsets[i];
    w->payload.size = 0;
    code_state(&c, &copy);
    code_count(&c, &count, 1);
    code_index(&c, w->index, count);
    if (w->payload.size > CAPTURE_BLOCK_MAX)
        return; /* millions of processes: read from block to block, as a cut file is */
    struct capture_tail tail = {.magic = CAPTURE_TAIL_MAGIC,
                                .processes_offset = processes_offset,
                                .index_offset = packer_position(w->packer)};
    packer_put(w->packer, BLOCK_INDEX, 0, &w->payload);
    tail.file_bytes = packer_position(w->packer) + sizeof tail;
    tail.checksum =
        capture_checksum(CAPTURE_CHECKSUM_START, &tail, offsetof(struct capture_tail, checksum));
    packer_put_plain(w->packer, &tail, sizeof tail);
}

void writer_limit_segment(struct writer *w, uint64_t events)
{
    w->segment_events = events;
}

void writer_limit_blocks(struct writer *w, size_t entries, size_t text_bytes)
{
    w->entries_max = entries;
    w->text_bytes = text_bytes;
}

struct writer *writer_new(int fd, const struct image *image, const struct writer_source *source)
{
    struct writer *w = xcalloc(1, sizeof *w);
    w->image = image;
    w->source = *source;
    w->segment_events = SEGMENT_EVENTS;
    writer_limit_blocks(w, SIZE_MAX, TEXT_BYTES);
    w->packer = packer_new(fd);
    string_number(&w->strings, "");
    put_header(w);
    put_head(w);
    return w;
}

int writer_finish(struct writer *w)
{
    /* The summaries come before the last events: a file that loses its end is still whole for most
     * uses. */
    put_tables(w);
    put_process_list(w);
    writer_put_summaries(w);
    for (size_t i = 0; i < w->process_capacity; i++) {
        if (w->processes[i] == NULL)
            continue;
        put_segment(w, w->processes[i], (uint32_t)i);
        put_samples(w, w->processes[i], (uint32_t)i); /* those behind the last event */
        put_live(w, w->processes[i], (uint32_t)i);
    }
    put_index(w);
    return result(w);
}

void writer_free(struct writer *w)
{
    if (w == NULL)
        return;
    for (size_t i = 0; i < w->process_capacity; i++) {
        struct pending *p = w->processes[i];
        if (p == NULL)
            continue;
        segment_free(&p->segment);
        free(p->checkpoint);
        free(p->samples);
        free(p->live);
        free(p);
    }
    free(w->processes);
    free(w->classes);
    free(w->index);
    string_table_free(&w->strings);
    bytes_free(&w->process_list);
    bytes_free(&w->payload);
    bytes_free(&w->texts);
    packer_free(w->packer);
    free(w);
}
