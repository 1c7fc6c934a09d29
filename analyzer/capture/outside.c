/* outside.c - looks at the resident set from outside: whose they are, and what becomes of them. */
#include "boot_clock.h"
#include "collector.h"
#include "resident.h"
#include "xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

void collector_add_sample(struct collector *c, struct subject *s, struct sample sample)
{
    samples_add(&s->samples, sample);
    if (c->writer && !c->writer_errno && writer_sample(c->writer, s->serial, &sample) != WRITER_OK)
        c->writer_errno = errno ? errno : EIO;
}

void collector_sample(struct collector *c, int32_t pid, uint64_t boottime_ns,
                      struct resident resident)
{
    pthread_mutex_lock(&c->samples_lock);
    c->samples = xgrow(c->samples, &c->sample_capacity, c->sample_count + 1, sizeof *c->samples);
    c->samples[c->sample_count++] = (struct outside_sample){pid, boottime_ns, resident};
    pthread_mutex_unlock(&c->samples_lock);
}

struct subject *collector_subject_of_pid(struct collector *c, int32_t pid)
{
    for (size_t i = c->image->process_count; i-- > 0;)
        if (c->image->processes[i].pid == pid)
            return c->subjects[i];
    return NULL;
}

/* Before an exec the recorder says so: what is seen later may be the next image's. */
static int is_of_this_image(const struct collector *c, uint32_t serial, uint64_t ns)
{
    struct spool_process now;

    return !spool_file_process(&c->file, serial, &now) || now.end_kind != SPOOL_END_EXEC ||
           ns <= clock_at(&c->clock, now.end_ticks);
}

static void take_sample(struct collector *c, const struct outside_sample *o)
{
    struct subject *s = collector_subject_of_pid(c, o->pid);
    uint64_t start = c->clock.start.ns;
    uint64_t ns = o->boottime_ns > start ? o->boottime_ns - start : 0;

    if (!s || !s->begun || s->closed || !is_of_this_image(c, s->serial, ns))
        return;
    collector_add_sample(c, s, (struct sample){ns, o->resident.bytes});
    subject_high_water(s, o->resident.mark);
}

void outside_take(struct collector *c)
{
    pthread_mutex_lock(&c->samples_lock);
    for (size_t i = 0; i < c->sample_count; i++)
        take_sample(c, &c->samples[i]);
    c->sample_count = 0;
    pthread_mutex_unlock(&c->samples_lock);
}

void collector_earlier_samples(struct collector *c, uint32_t serial, const struct sample *samples,
                               size_t count)
{
    size_t have = c->earlier_count;

    c->earlier = xgrow(c->earlier, &c->earlier_capacity, have + count + 1, sizeof *c->earlier);
    for (size_t i = 0; i < count; i++)
        c->earlier[have + i] = (struct earlier_sample){serial, samples[i]};
    c->earlier_count += count;
}

static int by_serial(const void *left, const void *right)
{
    const struct earlier_sample *a = left, *b = right;
    return (a->serial > b->serial) - (a->serial < b->serial);
}

void outside_take_earlier(struct collector *c, struct subject *s)
{
    size_t low = 0, high = c->earlier_count;

    if (!c->is_earlier_sorted && high)
        qsort(c->earlier, high, sizeof *c->earlier, by_serial);
    c->is_earlier_sorted = 1;
    while (low < high) { /* the first one of this process */
        size_t middle = low + (high - low) / 2;
        if (c->earlier[middle].serial < s->serial)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < c->earlier_count && c->earlier[low].serial == s->serial; low++)
        collector_add_sample(c, s, c->earlier[low].sample);
}

static size_t put_samples(struct writer *w, uint32_t serial, const struct sample *list,
                          size_t count)
{
    for (size_t i = 0; i < count; i++)
        writer_sample(w, serial, &list[i]);
    return count;
}

/* What was closed has given its samples to the image. */
static size_t put_all_samples(const struct collector *c, struct writer *w)
{
    size_t count = 0;

    for (uint32_t i = 0; i < c->image->process_count; i++) {
        const struct subject *s = c->subjects[i];
        const struct process *p = &c->image->processes[i];
        count += s->closed ? put_samples(w, i, p->samples, p->sample_count)
                           : put_samples(w, i, s->samples.list, s->samples.count);
    }
    return count;
}

int collector_leave_samples(struct collector *c)
{
    outside_take(c);
    if (c->capture_fd < 0 || ftruncate(c->capture_fd, 0) != 0 ||
        lseek(c->capture_fd, 0, SEEK_SET) != 0)
        return 0;
    struct writer *w = writer_new(c->capture_fd, c->image, &(struct writer_source){0});
    size_t count = put_all_samples(c, w);
    int rc = writer_flush_samples(w);
    writer_free(w);
    return count > 0 && rc == WRITER_OK;
}

void outside_look(struct collector *c)
{
    for (uint32_t i = 0; c->clock.is_here && i < c->image->process_count; i++) {
        struct resident r;
        int32_t pid = population_pid(c, i);
        int status = pid ? resident_open(pid) : -1;
        if (status < 0)
            continue;
        if (resident_read(status, &r) && r.bytes > 0)
            collector_sample(c, c->image->processes[i].pid, boot_clock_ns(), r);
        close(status);
    }
}

void collector_high_water(struct collector *c, int32_t pid, uint64_t mark)
{
    struct subject *s = collector_subject_of_pid(c, pid);

    if (s)
        subject_high_water(s, mark);
}
