/* population.c - the processes of a spool: beginnings, ends, and what they leave. */
#include "collector.h"
#include "spool_state.h"
#include "xalloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CHECK_EVERY_NS 1000000000u
/* An entry without a pid is that of a fork that failed, or of a child that has not run yet. This
 * many of them stay ready; older ones lose what they inherit. */
#define UNBORN_KEPT  256
#define LIVING_TRIED 16 /* processes, in search of one that lives */

static void describe(struct collector *c, const struct subject *s)
{
    struct process *p = &c->image->processes[s->serial];

    p->serial = s->serial;
    p->parent = s->begun ? s->parent : s->entry.parent;
    p->pid = s->entry.pid;
    p->parent_pid = s->entry.parent_pid;
    p->start_time = s->entry.start_time;
    if (s->serial == 0) { /* the header knows it, too */
        p->parent = 0;
        p->pid = c->image->pid;
        p->parent_pid = c->image->parent_pid;
        p->start_time = c->image->start_time;
    }
}

struct subject *population_subject(struct collector *c, uint32_t serial)
{
    struct image *image = c->image;

    if (serial < image->process_count)
        return c->subjects[serial];
    c->subjects = xgrow(c->subjects, &c->subject_capacity, (size_t)serial + 1, sizeof *c->subjects);
    image->processes =
        xgrow(image->processes, &c->process_capacity, (size_t)serial + 1, sizeof *image->processes);
    while (image->process_count <= serial) {
        uint32_t next = (uint32_t)image->process_count++;
        c->subjects[next] = subject_new(next);
        image->processes[next].ending.exec = "";
        describe(c, c->subjects[next]);
    }
    return c->subjects[serial];
}

static int is_late(const struct subject *s)
{
    return s->has_entry && !s->begun && s->entry.flags & SPOOL_PROCESS_LATE;
}

static void find_next_late(struct collector *c)
{
    c->next_late = UINT64_MAX;
    for (size_t i = 1; i < c->image->process_count; i++)
        if (is_late(c->subjects[i]) && c->subjects[i]->entry.fork_ticks < c->next_late)
            c->next_late = c->subjects[i]->entry.fork_ticks;
}

void population_refresh(struct collector *c)
{
    uint32_t count = spool_file_process_count(&c->file);

    population_subject(c, 0);
    for (uint32_t serial = 0; serial < count || serial < c->image->process_count; serial++) {
        struct spool_process entry;
        if (serial < c->image->process_count && c->subjects[serial]->closed)
            continue;
        if (!spool_file_process(&c->file, serial, &entry))
            continue;
        if (serial > c->image->process_count + SPOOL_FILE_GAP) { /* as no recorder leaves it */
            c->order.damaged = 1;
            break;
        }
        struct subject *s = population_subject(c, serial);
        s->entry = entry;
        s->has_entry = 1;
        describe(c, s);
    }
    if (!c->subjects[0]->begun)
        population_begin(c, c->subjects[0], c->clock.start.ticks);
    find_next_late(c);
}

void population_begin(struct collector *c, struct subject *s, uint64_t ticks)
{
    struct subject *parent = NULL;

    if (s->begun)
        return;
    if (s->serial > 0 && s->entry.parent < s->serial)
        parent = c->subjects[s->entry.parent];
    if (parent && !parent->begun)
        population_begin(c, parent, ticks); /* its own FORK was lost */
    if (parent && parent->closed)
        parent = NULL;
    uint64_t ns = s->serial ? clock_at(&c->clock, ticks) : 0;
    if (parent && ns < parent->begin_ns)
        ns = parent->begin_ns;
    subject_begin(s, parent, ns, c->live || s->has_chunks);
    describe(c, s);
}

void population_forked(struct collector *c, struct subject *parent, uint64_t child, uint64_t ticks)
{
    if (child >= c->image->process_count)
        population_refresh(c); /* it is younger than our last look */
    if (child <= parent->serial || child >= c->image->process_count)
        return;
    struct subject *s = c->subjects[child];
    if (!s->has_entry)
        s->entry.parent = parent->serial;
    if (s->entry.parent != parent->serial || s->begun)
        return;
    population_begin(c, s, ticks);
    if (c->file.control.control_version >= SPOOL_CONTROL_FORKED)
        birth_begin(s, parent);
}

void population_begin_late(struct collector *c, uint64_t ticks)
{
    for (size_t i = 1; i < c->image->process_count; i++)
        if (is_late(c->subjects[i]) && c->subjects[i]->entry.fork_ticks < ticks)
            population_begin(c, c->subjects[i], c->subjects[i]->entry.fork_ticks);
    find_next_late(c);
}

/* ---- ends ---- */

/* Gives the writer a block live at the end. */
static void live_block(void *context, uint32_t process, uint64_t address, const struct block *block)
{
    struct collector *c = context;

    if (c->writer && !c->writer_errno &&
        writer_live_block(c->writer, process, address, block->class, block->ns) != WRITER_OK)
        c->writer_errno = errno ? errno : EIO;
}

/* Adds the loss that the process entry reports, read once more: the last event may have been lost
 * just now. */
static void add_loss(struct collector *c, struct subject *s, struct process *p)
{
    struct loss *loss = &p->quality.loss;
    const struct spool_process *e = &s->entry;

    if (s->has_entry)
        spool_file_process(&c->file, s->serial, &s->entry);
    *loss = (struct loss){.allocations = e->lost_allocations,
                          .frees = e->lost_frees,
                          .bytes = e->lost_bytes,
                          .others = e->lost_other,
                          .maps = e->lost_maps,
                          .mapped_bytes = e->lost_mapped_bytes,
                          .since_ns = e->lost_since ? clock_at(&c->clock, e->lost_since) : 0};
    if (s->serial == 0)
        loss->unplaced = spool_file_unplaced(&c->file, &loss->unplaced_events);
    process_add_loss(p);
}

static void close_subject(struct collector *c, struct subject *s)
{
    if (s->closed)
        return;
    if (s->lane_count)
        match_end(&c->matcher, s->lanes[0]);
    collector_tell(c, s);
    uint64_t end = s->entry.end_kind == SPOOL_END_UNKNOWN ? s->lived_ns
                                                          : clock_at(&c->clock, s->entry.end_ticks);
    s->last_ns = end > s->last_ns ? end : s->last_ns;
    outside_take_earlier(c, s);
    if (s->samples.count) {
        samples_sort(&s->samples);
        uint64_t last = s->samples.list[s->samples.count - 1].ns;
        s->last_ns = last > s->last_ns ? last : s->last_ns;
    }
    struct process *p = &c->image->processes[s->serial];
    subject_high_water(s, spool_file_high_water(&c->file, s->serial));
    subject_close(s, &c->tree, &c->classes, p, live_block, c);
    if (p->thread_count < s->entry.threads && s->has_entry)
        p->thread_count = s->entry.threads;
    add_loss(c, s, p);
    p->quality.selfcheck_compared = s->entry.checked;
    p->quality.selfcheck_differences = s->entry.differing;
}

static void set_ending(struct collector *c, const struct subject *s)
{
    struct process *p = &c->image->processes[s->serial];

    p->ending = s->ending;
    if (!p->ending.exec)
        p->ending.exec = "";
    if (s->entry.end_kind == SPOOL_END_EXIT && p->ending.kind == END_UNKNOWN)
        p->ending.kind = END_EXITED;
    if (s->entry.end_kind == SPOOL_END_EXEC) { /* how the new image ends is another's story */
        p->ending.kind = END_EXEC;
        p->ending.value = 0;
        p->ending.exec = s->exec_path ? s->exec_path : "";
    }
}

/* order_release's callback: the lane belongs to its subject, and goes with it. */
static void forget_lane(void *context, struct stream *stream)
{
    (void)context;
    stream->user = NULL;
}

void population_retire(struct collector *c, uint32_t serial)
{
    struct subject *s = c->subjects[serial];

    if (serial == 0 || s->closed || !s->begun)
        return;
    if (c->next_late != UINT64_MAX) /* children forked at its last moment need its blocks */
        for (size_t i = serial + 1; i < c->image->process_count; i++)
            if (is_late(c->subjects[i]) && c->subjects[i]->entry.parent == serial)
                population_begin(c, c->subjects[i], c->subjects[i]->entry.fork_ticks);
    order_release(&c->order, serial, forget_lane, c);
    close_subject(c, s);
}

/* Does the process still have the spool mapped, or can that not be known? */
static int has_mapped(const struct collector *c, int32_t pid)
{
    char link[64], path[4096];
    struct stat status;

    snprintf(link, sizeof link, "/proc/self/fd/%d", c->file.fd);
    ssize_t bytes = readlink(link, path, sizeof path - 1);
    if (bytes <= 0 || fstat(c->file.fd, &status) != 0)
        return 1;
    path[bytes] = 0;
    const char *name = strrchr(path, '/');
    return process_has_mapped(pid, name ? name + 1 : path, status.st_ino);
}

/* In doubt, no: what it wrote after it was given up would be missing. An exec ends it when the old
 * image's memory is gone; its threads go on until then. */
int population_is_over(void *collector, uint32_t serial)
{
    const struct collector *c = collector;
    struct spool_process now;

    if (!c->knows_pids || !spool_file_process(&c->file, serial, &now) || now.pid <= 0 ||
        now.flags & SPOOL_PROCESS_ELSEWHERE)
        return 0;
    if (!process_is_alive(now.pid, now.start_time))
        return 1;
    return now.end_kind == SPOOL_END_EXEC && !has_mapped(c, now.pid);
}

int32_t population_pid(const struct collector *c, uint32_t serial)
{
    struct spool_process entry;
    int32_t pid = serial < c->pid_capacity ? c->pids_here[serial] : 0;

    if (!spool_file_process(&c->file, serial, &entry))
        return 0;
    if (pid == 0 && c->knows_pids && !(entry.flags & SPOOL_PROCESS_ELSEWHERE))
        pid = entry.pid;
    return pid > 0 && process_is_alive(pid, entry.start_time) ? pid : 0;
}

/* Another one will do for one that is gone: a child has the modules that its parent registered,
 * too. */
int32_t population_living(void *collector, uint32_t serial)
{
    const struct collector *c = collector;
    int32_t pid = population_pid(c, serial);

    for (uint32_t i = 0; pid == 0 && i < c->image->process_count && i < LIVING_TRIED; i++)
        pid = population_pid(c, i);
    return pid;
}

static int is_unborn(const struct subject *s)
{
    return s->entry.pid <= 0 && !s->has_chunks;
}

/* Does it live? What it held it may still hold, though it records nothing. */
static void see(struct collector *c, struct subject *s)
{
    if (c->clock.is_here && population_pid(c, s->serial))
        subject_lived(s, clock_at(&c->clock, c->looked));
}

/* Releases a forked child when it is found over for the second time: what it wrote last was looked
 * for after the first. */
static void check(struct collector *c, struct subject *s)
{
    int was_gone = s->is_gone;

    see(c, s);
    if (s->serial == 0)
        return;
    s->is_gone = population_is_over(c, s->serial);
    if (!was_gone || !s->is_gone)
        return;
    if (!s->has_chunks)
        subject_forget_inherited(s);
    else if (order_is_drained(&c->order, s->serial))
        population_retire(c, s->serial);
}

void population_check(struct collector *c)
{
    struct timespec t;
    size_t unborn = 0;

    clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t now = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
    if (!c->live || now < c->next_check_ns)
        return;
    c->next_check_ns = now + CHECK_EVERY_NS;
    for (size_t i = c->image->process_count; i-- > 0;) {
        struct subject *s = c->subjects[i];
        if (!s->begun || s->closed || !s->has_entry)
            continue;
        if (!is_unborn(s))
            check(c, s);
        else if (++unborn > UNBORN_KEPT)
            subject_forget_inherited(s);
    }
}

/* The process has lived until its events were looked for, unless it is known to be gone. */
static void reach_look(struct collector *c, struct subject *s)
{
    uint64_t looked = clock_at(&c->clock, c->looked);

    if (looked > s->last_ns && !population_is_over(c, s->serial))
        s->last_ns = looked;
}

void population_finish(struct collector *c, int running)
{
    struct image *image = c->image;

    for (size_t i = 0; i < image->process_count; i++) {
        struct subject *s = c->subjects[i];
        if (s->has_entry && !s->begun && s->entry.pid > 0)
            population_begin(c, s, s->entry.fork_ticks);
        if (running && c->clock.is_here && s->begun && !s->closed && !s->entry.end_kind)
            reach_look(c, s);
        close_subject(c, s);
        describe(c, s);
        set_ending(c, s);
    }
    while (image->process_count > 1 &&
           !process_was_born(&image->processes[image->process_count - 1]))
        image->process_count--;
}
