/* collect.c - drives a collector: refresh, take the events in order, hand them out, finish. */
#include "collector.h"
#include "differences.h"
#include "spool_state.h"
#include "stream_read.h"
#include "xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PREFETCH_FROM 4096 /* blocks: below, the processor's caches hold them */
#define EVENTS_WAIT   10   /* an event waits 1/10 millisecond for others (order_wait in order.h) */

/* ---- what the parts below ask for ---- */

/* order.h: a chunk has appeared. */
static void chunk_found(void *context, const struct spool_chunk *chunk)
{
    struct collector *c = context;

    struct subject *s = population_subject(c, chunk->process);

    if (!s->has_chunks)
        s->first_stream = chunk->stream;
    s->has_chunks = 1;
    s->has_streams |= chunk->stream != s->first_stream;
    clock_learn(&c->clock, chunk->opened);
}

/* match.h: many events have gathered; passes them to the writer. */
void collector_tell(void *context, struct subject *s)
{
    struct collector *c = context;

    if (s->told_count && c->writer && !c->writer_errno &&
        writer_events(c->writer, s->serial, s->told, s->told_count, c->classes.list,
                      c->classes.count) != WRITER_OK)
        c->writer_errno = errno ? errno : EIO;
    s->told_count = 0;
}

/* writer.h: the live blocks, at this moment. */
static struct blocks *give_blocks(void *context, uint32_t process)
{
    struct collector *c = context;
    return &c->subjects[process]->blocks;
}

/* writer.h: how far each stream has been taken in. */
static size_t give_positions(void *context, uint32_t process,
                             const struct stream_position **positions)
{
    struct collector *c = context;
    size_t count = 0;

    for (size_t i = 0; i < c->order.stream_count; i++) {
        const struct stream *s = c->order.streams[i];
        if (!s || s->process != process || s->current >= s->chunk_count)
            continue;
        c->positions = xgrow(c->positions, &c->position_capacity, count + 1, sizeof *c->positions);
        c->positions[count++] = (struct stream_position){
            .stream = s->id,
            .chunk_index = s->chunks[s->current].index,
            .chunk_sequence = s->chunks[s->current].sequence,
            .bytes = stream_bytes(s, s == c->order.taken),
        };
    }
    *positions = c->positions;
    return count;
}

/* ---- one event ---- */

static struct lane *make_lane(struct collector *c, struct stream *stream)
{
    struct subject *s = population_subject(c, stream->process);

    if (s->closed)
        return NULL;
    population_begin(c, s, stream->event->ticks); /* unless a FORK has begun it */
    if (!s->live) {                               /* it was given up, and writes all the same */
        s->live = live_new(&s->blocks);
        c->order.damaged = 1;
    }
    return stream->user = subject_lane(s, stream->id, stream->number);
}

/* Prefetches the memory that a new batch's events will need. */
static void prefetch(const struct stream *stream, const struct subject *s)
{
    const struct spool_event *events = stream->batch->events;
    const struct block *list = s->blocks.list;

    for (uint32_t i = 0; i < stream->count; i++)
        if (events[i].kind <= SPOOL_REALLOC_MOVED)
            live_prefetch(s->live, events[i].address);
    for (uint32_t i = 0; i < stream->count; i++) {
        if (events[i].kind != SPOOL_FREE && events[i].kind != SPOOL_REALLOC_BEGIN)
            continue;
        uint32_t block = live_peek(s->live, events[i].address);
        if (block < s->blocks.count)
            __builtin_prefetch(&list[block], 1);
    }
}

static void take_exec(struct collector *c, struct subject *s, const struct spool_event *e)
{
    char *path = arena_take(c->image->memory, e->size + 1);

    memcpy(path, e->payload, e->size);
    s->exec_path = path;
}

static void take_thread(struct collector *c, struct lane *lane, const struct spool_event *e,
                        uint64_t ns)
{
    struct thread_facts facts = {.serial = (uint32_t)(e->address >> 32),
                                 .tid = (int32_t)(uint32_t)e->address,
                                 .name = (const char *)e->payload,
                                 .name_bytes = e->size};

    match_thread(&c->matcher, lane, &facts, ns);
}

static void take_name(struct subject *s, const struct spool_event *e, uint64_t ns)
{
    size_t head = offsetof(struct spool_thread_name, name);
    struct thread_facts facts = {0};

    if (e->size < head)
        return;
    memcpy(&facts.serial, e->payload, sizeof facts.serial);
    facts.name = (const char *)e->payload + head;
    facts.name_bytes = e->size - head;
    subject_thread_name(s, &facts, ns);
}

static void take_forked(struct collector *c, struct subject *parent, const struct spool_event *e)
{
    uint32_t serial;

    if (e->size != sizeof serial)
        return;
    memcpy(&serial, e->payload, sizeof serial);
    if (serial < c->image->process_count && c->subjects[serial]->birth.parent == parent)
        birth_end(c->subjects[serial]);
}

static void take_label(struct collector *c, struct subject *s, const struct spool_event *e,
                       uint64_t ns)
{
    if (e->address == SPOOL_LABEL_DIFFERENCE)
        differences_take(&c->image->processes[s->serial], &c->locations, e, ns);
    else if (e->address == SPOOL_LABEL_NAME)
        take_name(s, e, ns);
    else if (e->address == SPOOL_LABEL_FORKED)
        take_forked(c, s, e);
    else if (e->address == SPOOL_LABEL_BIRTH)
        birth_apply(s, &c->classes, e->payload, e->size);
}

/* Takes the kinds that are not the matcher's. */
static void take_other(struct collector *c, struct lane *lane, const struct spool_event *e,
                       uint64_t ns)
{
    struct subject *s = lane->subject;

    switch (e->kind) {
    case SPOOL_THREAD:
        take_thread(c, lane, e, ns);
        break;
    case SPOOL_SAMPLE:
        collector_add_sample(c, s, (struct sample){ns, e->size});
        break;
    case SPOOL_EXEC:
        take_exec(c, s, e);
        break;
    case SPOOL_FORK:
        population_forked(c, s, e->address, e->ticks);
        break;
    case SPOOL_LABEL:
        take_label(c, s, e, ns);
        break;
    default:
        break;
    }
}

static void take_event(struct collector *c, struct stream *stream)
{
    const struct spool_event *e = stream->event;
    struct lane *lane = stream->user ? stream->user : make_lane(c, stream);

    if (!lane) { /* its process was closed, and writes all the same */
        c->order.damaged = 1;
        return;
    }
    if (stream->at == 0) {
        if (lane->subject->blocks.count >= PREFETCH_FROM)
            prefetch(stream, lane->subject);
        if (stream_is_at_start(stream)) {
            lane->restarts = 1;
            clock_pair(&c->clock, stream->chunks[stream->current].opened);
        }
    }
    if (e->kind == SPOOL_SAMPLE)
        clock_pair(&c->clock, (struct spool_moment){e->ticks, e->address});
    uint64_t ns = clock_ns(&c->clock, e->ticks);
    if (!match_event(&c->matcher, lane, e, ns))
        return;
    if (e->kind >= SPOOL_SAMPLE)
        take_other(c, lane, e, ns);
}

void collector_lives(struct collector *c, uint32_t serial, int32_t pid)
{
    c->pids_here = xgrow(c->pids_here, &c->pid_capacity, (size_t)serial + 1, sizeof *c->pids_here);
    c->pids_here[serial] = pid;
}

void collector_family(struct collector *c, size_t beside)
{
    c->image->knows_family = 1;
    c->image->beside = beside;
}

void collector_ended(struct collector *c, int32_t pid, struct ending ending, uint64_t boottime_ns)
{
    struct subject *s = collector_subject_of_pid(c, pid);

    if (!s)
        return;
    s->ending = ending;
    if (boottime_ns > c->clock.start.ns)
        subject_lived(s, boottime_ns - c->clock.start.ns);
    if (ending.exec)
        s->ending.exec = arena_string(c->image->memory, ending.exec);
}

/* ---- the drive ---- */

static void refresh(struct collector *c)
{
    if (c->live) /* the order needs to know how long a millisecond is */
        clock_settle(&c->clock);
    order_refresh(&c->order, c->live, clock_now(&c->clock), clock_millisecond(&c->clock));
    clock_settle(&c->clock);
    c->order.patience = clock_millisecond(&c->clock) / EVENTS_WAIT;
    population_refresh(c);
}

/* At the end a process is released as soon as its last event is taken, which bounds the memory.
 * `process`: that of the previous event. */
static void retire_if_drained(struct collector *c, uint32_t process)
{
    if (!c->live && order_is_drained(&c->order, process))
        population_retire(c, process);
}

static int64_t take_all(struct collector *c, int live)
{
    struct stream *stream;
    uint32_t before = 0;
    int64_t count = 0;

    c->live = live;
    c->looked = clock_now(&c->clock);
    refresh(c);
    if (c->is_snapshot)
        outside_look(c);
    while ((stream = order_next(&c->order)) != NULL) {
        if (stream->event->ticks > c->next_late)
            population_begin_late(c, stream->event->ticks);
        if (stream->process != before)
            retire_if_drained(c, before);
        before = stream->process;
        take_event(c, stream);
        count++;
    }
    retire_if_drained(c, before);
    outside_take(c);
    population_check(c);
    return count;
}

static int writer_result(const struct collector *c)
{
    if (!c->writer_errno)
        return COLLECT_OK;
    errno = c->writer_errno;
    return COLLECT_IO;
}

void collector_recycle(struct collector *c)
{
    recycle_begin(&c->recycler, c->file.fd);
}

int64_t collector_step(struct collector *c)
{
    int64_t count = take_all(c, 1);
    recycle_step(&c->recycler, &c->order);
    int error = writer_result(c);
    return error ? error : count;
}

int collector_finish(struct collector *c, int running)
{
    c->is_snapshot = running;
    take_all(c, running);
    c->image->running = running;
    c->image->cut = c->file.cut || c->order.damaged;
    population_finish(c, running);
    image_settle_series(c->image);
    locations_give_gaps(&c->locations);
    image_count_gaps(c->image);
    c->image->left_out = c->classes.left_out + c->tree.left_out;
    if (c->writer && !c->writer_errno && writer_finish(c->writer) != WRITER_OK)
        c->writer_errno = errno ? errno : EIO;
    return writer_result(c);
}

const struct image *collector_image(const struct collector *c)
{
    return c->image;
}

static void set_up(struct collector *c, int capture_fd, struct symbolizer *symbols)
{
    c->image = image_new();
    image_facts_fill(c->image, &c->file);
    clock_init(&c->clock, &c->file.header);
    c->knows_pids = c->file.header.pid_space && c->file.header.pid_space == own_pid_space();
    order_init(&c->order, &c->file);
    c->order.found = chunk_found;
    c->order.is_over = population_is_over;
    c->order.context = c;
    c->recycler.spool_fd = -1;
    classes_init(&c->classes);
    locations_init(&c->locations, c->image, &c->file, symbols);
    c->locations.devices_hold = c->clock.is_here;
    c->locations.living = population_living;
    c->locations.living_context = c;
    tree_init(&c->tree, c->image);
    c->matcher = (struct matcher){&c->tree,    &c->locations,
                                  &c->classes, &c->order,
                                  c,           capture_fd >= 0 ? collector_tell : NULL};
    c->next_late = UINT64_MAX;
    pthread_mutex_init(&c->samples_lock, NULL);
    population_subject(c, 0);
    c->capture_fd = capture_fd;
    if (capture_fd >= 0) {
        struct writer_source source = {c, give_blocks, give_positions};
        c->writer = writer_new(capture_fd, c->image, &source);
    }
}

int collector_open(struct collector **out, int spool_fd, int capture_fd, struct symbolizer *symbols)
{
    xalloc_huge_pages();
    struct collector *c = xcalloc(1, sizeof *c);
    int error = spool_file_open(&c->file, spool_fd);

    *out = NULL;
    if (error) {
        int saved = errno;
        free(c);
        errno = saved;
        return error;
    }
    set_up(c, capture_fd, symbols);
    *out = c;
    return COLLECT_OK;
}

void collector_free(struct collector *c)
{
    if (!c)
        return;
    recycle_end(&c->recycler);
    writer_free(c->writer);
    for (size_t i = 0; i < c->subject_capacity; i++)
        subject_free(c->subjects[i]);
    free(c->subjects);
    free(c->image->processes);
    order_clear(&c->order);
    tree_clear(&c->tree);
    locations_clear(&c->locations);
    classes_clear(&c->classes);
    spool_file_close(&c->file);
    pthread_mutex_destroy(&c->samples_lock);
    free(c->samples);
    free(c->earlier);
    free(c->pids_here);
    free(c->positions);
    image_free(c->image);
    free(c);
}
