/*
 * capture_fixture.h - a made-up recording for the tests of captures: random but seeded tables,
 * events and summaries, written through the writer into an anonymous file.
 */
#ifndef CAPTURE_FIXTURE_H
#define CAPTURE_FIXTURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture_format.h"
#include "event.h"
#include "summary.h"
#include "writer.h"

struct told_event {
    uint32_t process;
    struct event event;
};

struct fixture {
    struct image *image;
    struct event_class *classes;
    size_t class_count;
    struct told_event *events;
    size_t event_count;
};

static uint64_t fixture_seed;

static inline uint64_t fixture_random(uint64_t limit)
{
    fixture_seed = fixture_seed * 6364136223846793005ull + 1442695040888963407ull;
    return (fixture_seed >> 31) % limit;
}

/* Numbers of every length. */
static inline uint64_t fixture_number(void)
{
    uint64_t high = fixture_random(1ull << 32), low = fixture_random(1ull << 32);
    return (high << 32 | low) >> fixture_random(64);
}

static inline const char *fixture_text(struct image *image, const char *what, uint64_t number)
{
    char text[64];
    snprintf(text, sizeof text, "%s/%llu", what, (unsigned long long)number);
    return arena_string(image->memory, text);
}

static inline void *fixture_array(struct image *image, size_t count, size_t entry_bytes)
{
    return arena_take(image->memory, (count + 1) * entry_bytes);
}

#define FIXTURE_OBJECTS 5

static inline void fixture_objects(struct image *image)
{
    image->objects = fixture_array(image, FIXTURE_OBJECTS, sizeof *image->objects);
    image->object_count = FIXTURE_OBJECTS;
    image->objects[0] = (struct object){"", ""};
    for (uint32_t i = 1; i < FIXTURE_OBJECTS; i++)
        image->objects[i] = (struct object){fixture_text(image, "module", i),
                                            i % 2 ? fixture_text(image, "id", i) : ""};
}

static inline void fixture_address(struct location *l)
{
    l->object = (uint32_t)fixture_random(FIXTURE_OBJECTS);
    l->offset = fixture_number();
    if (l->offset > 4096 && fixture_random(3))
        l->begin = l->offset - fixture_random(4096);
}

static inline void fixture_tables(struct image *image, uint32_t size)
{
    fixture_objects(image);
    image->functions = fixture_array(image, size, sizeof *image->functions);
    image->frames = fixture_array(image, size * 2, sizeof *image->frames);
    image->locations = fixture_array(image, size, sizeof *image->locations);
    image->stacks = fixture_array(image, size * 3, sizeof *image->stacks);
    image->function_count = image->location_count = size;
    image->frame_count = size * 2;
    image->stack_count = size * 3;
    for (uint32_t i = 0; i < size; i++)
        image->functions[i] = (struct function){
            .name = fixture_text(image, "function", i),
            .module = fixture_text(image, "module", fixture_random(5)),
            .file = fixture_random(3) ? fixture_text(image, "file", fixture_random(20)) : "",
            .line = (uint32_t)fixture_random(5000),
            .flags = fixture_random(9) ? FUNCTION_RESOLVED : 0,
        };
    for (uint32_t i = 0; i < size * 2; i++)
        image->frames[i] =
            (struct frame){(uint32_t)fixture_random(size), (uint32_t)fixture_random(5000),
                           fixture_text(image, "file", fixture_random(20))};
    for (uint32_t i = 1; i < size; i++) {
        image->locations[i].frame_first = (uint32_t)fixture_random(size);
        image->locations[i].frame_count = (uint32_t)fixture_random(4);
        image->locations[i].flags = fixture_random(20) ? 0 : LOCATION_UNKNOWN;
        fixture_address(&image->locations[i]);
    }
    for (uint32_t i = 1; i < size * 3; i++) /* every (parent, location) once, as in a tree */
        image->stacks[i] = (struct stack){i / 3, i % size};
}

static inline void fixture_usage(struct usage *u)
{
    uint64_t *numbers = (uint64_t *)u;
    for (size_t i = 0; i < sizeof *u / sizeof *numbers; i++)
        numbers[i] = fixture_number();
}

static inline struct bucket *fixture_buckets(struct image *image, size_t count)
{
    struct bucket *b = fixture_array(image, count, sizeof *b);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < sizeof *b / sizeof(uint64_t); k++)
            ((uint64_t *)&b[i])[k] = fixture_number();
    for (size_t i = 0; i < count; i++)
        b[i].max_mapped_bytes = 0;
    return b;
}

/* Of memory, which has parts. */
static inline struct bucket *fixture_memory_buckets(struct image *image, size_t count)
{
    struct bucket *b = fixture_buckets(image, count);
    for (size_t i = 0; i < count; i++)
        b[i].max_mapped_bytes = b[i].max_bytes / 3;
    return b;
}

static inline void fixture_series(struct series_usage *u)
{
    fixture_usage(&u->self);
    fixture_usage(&u->inclusive);
    u->span = (struct span){fixture_number(),
                            fixture_number(),
                            fixture_number(),
                            fixture_number(),
                            (uint32_t)fixture_random(5),
                            (uint32_t)fixture_random(2)};
}

static inline struct leak *fixture_leaks(struct image *image, size_t count)
{
    struct leak *leaks = fixture_array(image, count, sizeof *leaks);
    for (size_t i = 0; i < count; i++)
        leaks[i] = (struct leak){(uint32_t)fixture_random(image->stack_count), fixture_number(),
                                 fixture_number(), fixture_number(), fixture_number()};
    return leaks;
}

/* Mapped memory for a process that has all else. */
static inline void fixture_mapped(struct image *image, struct process *p)
{
    for (size_t i = 0; i < p->function_count; i++) {
        struct function_usage *f = &p->functions[i];
        fixture_series(&f->mapped);
        fixture_series(&f->memory);
        usage_add_up(&f->memory.self, &f->heap.self, &f->mapped.self);
        usage_add_up(&f->memory.inclusive, &f->heap.inclusive, &f->mapped.inclusive);
        f->mapped_then.self_bytes = fixture_number();
        f->mapped_then.inclusive_bytes = fixture_number();
    }
    for (size_t i = 0; i < p->thread_usage_count; i++) {
        struct thread_usage *t = &p->threads[i];
        fixture_usage(&t->mapped);
        fixture_usage(&t->memory);
        usage_add_up(&t->memory, &t->heap, &t->mapped);
        t->mapped_then_bytes = fixture_number();
    }
    p->mapped_leak_count = image->stack_count / 3;
    p->mapped_leaks = fixture_leaks(image, p->mapped_leak_count);
    p->mapped_count = 3;
    p->mapped = fixture_buckets(image, p->mapped_count);
    p->memory_count = 70;
    p->memory = fixture_memory_buckets(image, p->memory_count);
}

/* No mapping: memory is the heap. */
static inline void fixture_unmapped(struct process *p)
{
    struct totals *t = &p->totals;
    t->mapped_peak_bytes = t->mapped_peak_ns = t->mapped_at_end_bytes = t->mapped_then_bytes = 0;
    t->reserved_peak_bytes = t->reserved_at_end_bytes = 0;
    t->file_peak_bytes = t->file_at_end_bytes = t->maps = t->unmaps = 0;
    process_memory_is_heap(p);
    for (size_t i = 0; i < p->thread_usage_count; i++)
        p->threads[i].memory = p->threads[i].heap;
}

static inline void fixture_process(struct image *image, struct process *p, uint32_t serial)
{
    p->serial = serial;
    p->parent = serial / 2;
    p->pid = 1000 + (int32_t)serial;
    p->parent_pid = serial ? 1000 : 999;
    p->start_time = 5000 + serial;
    p->begin_ns = fixture_number();
    p->end_ns = fixture_number();
    p->thread_count = 3;
    p->ending =
        (struct ending){(enum end_kind)(serial % 4), -7, serial % 4 == END_EXEC ? "/x" : ""};
    for (size_t i = 0; i < sizeof p->totals / 8; i++)
        ((uint64_t *)&p->totals)[i] = fixture_number();
    p->totals.allocations = (1ull << 60) + serial; /* as no rebuilding could bring about */
    for (size_t i = 0; i < sizeof p->quality / 8; i++)
        ((uint64_t *)&p->quality)[i] = fixture_number();
    p->function_count = image->function_count;
    p->functions = fixture_array(image, p->function_count, sizeof *p->functions);
    for (uint32_t i = 0; i < p->function_count; i++) {
        struct function_usage *f = &p->functions[i];
        f->function = i;
        fixture_series(&f->heap);
        f->activations = fixture_number();
    }
    p->leak_count = image->stack_count / 2;
    p->leaks = fixture_leaks(image, p->leak_count);
    p->failure_count = serial % 3 ? 4 : 0;
    p->failures = fixture_array(image, p->failure_count, sizeof *p->failures);
    for (size_t i = 0; i < p->failure_count; i++)
        p->failures[i] = (struct failure){(uint32_t)fixture_random(image->stack_count),
                                          fixture_number(),
                                          fixture_number(),
                                          fixture_number(),
                                          fixture_number(),
                                          fixture_number()};
    p->heap_count = 60;
    p->heap = fixture_buckets(image, p->heap_count);
    p->sample_count = 17;
    p->quality.nameless_modules = p->quality.undebugged_modules = serial == 0; /* as in gaps */
    p->quality.selfcheck_compared |= 1; /* with 0 nothing is written of it */
    p->difference_count = 1 + fixture_number() % 3;
    p->differences = fixture_array(image, p->difference_count, sizeof *p->differences);
    for (size_t i = 0; i < p->difference_count; i++)
        p->differences[i] =
            (struct difference){fixture_number(), i ? "0x1 f\n0x2 main\n" : "", "0x1 f\n"};
    p->thread_usage_count = serial % 3 ? 1 + fixture_number() % 4 : 0;
    p->threads = fixture_array(image, p->thread_usage_count, sizeof *p->threads);
    for (size_t i = 0; i < p->thread_usage_count; i++) {
        p->threads[i] = (struct thread_usage){
            .serial = (uint32_t)i * 3,
            .threads = (uint32_t)fixture_random(1 << 20),
            .tid = (int32_t)fixture_random(1 << 22),
            .name = i ? "worker" : "",
            .begin_ns = fixture_number(),
            .end_ns = fixture_number(),
        };
        fixture_usage(&p->threads[i].heap);
    }
    if (serial)
        fixture_mapped(image, p);
    else
        fixture_unmapped(p);
    p->samples = fixture_array(image, p->sample_count, sizeof *p->samples);
    for (size_t i = 0; i < p->sample_count; i++)
        p->samples[i] = (struct sample){fixture_number(), fixture_number()};
}

/* Events that make sense: each free is of a class that has a live block. */
static inline void fixture_events(struct fixture *f, size_t count, uint32_t processes)
{
    uint32_t *live = calloc((f->class_count + 1) * processes, sizeof *live);
    uint64_t ns = 0;
    f->events = calloc(count, sizeof *f->events);
    while (f->event_count < count) {
        uint32_t process = (uint32_t)fixture_random(processes);
        uint32_t class = 1 + (uint32_t)fixture_random(f->class_count - 1);
        uint32_t *blocks = &live[process * f->class_count + class];
        struct event e = {
            .kind = EVENT_ALLOC, .thread = (uint32_t)fixture_random(3), .class = class, .ns = ns};
        if (*blocks > 0 && fixture_random(3))
            e.kind = (enum event_kind)(EVENT_FREE + fixture_random(4));
        else if (fixture_random(50) == 0)
            e.kind = (enum event_kind)(EVENT_FREE_INHERITED + fixture_random(2));
        if (e.kind == EVENT_ALLOC)
            ++*blocks;
        else if (e.kind <= EVENT_FREE_IMPLIED)
            --*blocks;
        if (e.kind == EVENT_FREE_UNMATCHED)
            e.class = 0;
        e.bytes = f->classes[e.class].size;
        f->events[f->event_count++] = (struct told_event){process, e};
        ns += fixture_random(40000);
    }
    free(live);
}

static inline struct fixture fixture_new(uint64_t seed, uint32_t size, size_t events,
                                         uint32_t processes)
{
    struct fixture f = {.image = image_new()};
    static char *argv[] = {"program", "an argument", ""};
    fixture_seed = seed;
    memset(f.image->id, 0xa5, sizeof f.image->id);
    memset(f.image->boot_id, 0x5a, sizeof f.image->boot_id);
    f.image->tree = fixture_number();
    f.image->argv = argv;
    f.image->argc = 3;
    f.image->executable = "/usr/bin/program";
    f.image->folder = "/some/folder";
    f.image->host = "host";
    f.image->pid = 1000;
    f.image->parent_pid = 999;
    f.image->start_time = 5000;
    f.image->parent_start_time = 4000;
    f.image->epoch_ns = 1700000000123456789ull;
    f.image->start_kind = 1;
    f.image->knows_family = 1;
    f.image->beside = 12;
    fixture_tables(f.image, size);
    f.class_count = size * 4;
    f.classes = calloc(f.class_count, sizeof *f.classes);
    for (size_t i = 1; i < f.class_count; i++)
        f.classes[i] = (struct event_class){(uint32_t)(i % f.image->stack_count),
                                            i % 7 ? fixture_random(4096) : fixture_random(1 << 30)};
    f.image->gap_count = 2;
    f.image->gaps = fixture_array(f.image, 2, sizeof *f.image->gaps);
    f.image->gaps[0] = (struct module_gap){"module/1", "it is gone", 1};
    f.image->gaps[1] = (struct module_gap){"module/2", "", 0};
    f.image->process_count = processes;
    f.image->processes = fixture_array(f.image, processes, sizeof *f.image->processes);
    for (uint32_t i = 0; i < processes; i++)
        fixture_process(f.image, &f.image->processes[i], i);
    fixture_events(&f, events, processes);
    return f;
}

static inline void fixture_free(struct fixture *f)
{
    image_free(f->image);
    free(f->classes);
    free(f->events);
}

/* Bounds of a block's entries and texts; 0: the usual ones. */
static size_t fixture_entries, fixture_text_bytes;

/* Writes the recording as a collector does: tables and classes grow as the events come. */
static inline int fixture_write(const struct fixture *f, int fd, uint64_t segment_events)
{
    struct image growing = *f->image;
    struct writer_source source = {0};
    growing.process_count = 0;
    struct writer *w = writer_new(fd, &growing, &source);
    writer_limit_segment(w, segment_events);
    if (fixture_entries)
        writer_limit_blocks(w, fixture_entries, fixture_text_bytes);
    size_t known = 1; /* classes so far; class i is of stack i, as long as there are stacks */
    for (size_t i = 0; i < f->event_count; i++) {
        const struct told_event *told = &f->events[i];
        if (known < told->event.class + 1)
            known = told->event.class + 1;
        growing.stack_count = known < f->image->stack_count ? known : f->image->stack_count;
        if (writer_events(w, told->process, &told->event, 1, f->classes, known) != WRITER_OK)
            break;
        if (i % 100 == 0) {
            struct sample s = {told->event.ns, i * 4096};
            writer_sample(w, told->process, &s);
        }
        growing.process_count = f->image->process_count;
    }
    for (uint32_t i = 0; i < 100; i++)
        writer_live_block(w, 0, 0x7f0000000000ull - i * 64, 1 + i, i * 1000000);
    growing = *f->image;
    int rc = writer_finish(w);
    writer_free(w);
    return rc;
}

static inline int fixture_file(const struct fixture *f, uint64_t segment_events)
{
    int fd = memfd_create("capture", 0);
    return fd >= 0 && fixture_write(f, fd, segment_events) == WRITER_OK ? fd : -1;
}

#endif
