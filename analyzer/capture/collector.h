/*
 * collector.h - the inside of a collector, shared by collect.c (the drive), population.c (which
 * processes there are, their beginnings and ends) and image_facts.c (what the header tells).
 */
#ifndef MPROF_COLLECTOR_H
#define MPROF_COLLECTOR_H

#include "clock.h"
#include "collect.h"
#include "match.h"
#include "order.h"
#include "recycle.h"
#include "writer.h"

#include <pthread.h>

/* A resident-set sample that another thread handed in. */
struct outside_sample {
    int32_t pid;
    uint64_t boottime_ns, rss_bytes;
};

struct collector {
    struct spool_file file;
    struct order order;
    struct recycler recycler;
    struct clock clock;
    struct image *image;
    struct tree tree;
    struct locations locations;
    struct classes classes;
    struct matcher matcher;
    struct writer *writer; /* NULL: no capture, or it failed */
    int writer_errno;      /* why it failed, 0 it did not */

    struct subject **subjects; /* by serial; image->processes[i] belongs to subjects[i] */
    size_t subject_capacity, process_capacity;
    uint64_t next_late;     /* fork_ticks of the next late child to begin; UINT64_MAX none */
    uint64_t next_check_ns; /* CLOCK_MONOTONIC: look for dead children then */
    int live;               /* the program may still be writing */
    int knows_pids;         /* the first process lives in our pid namespace */

    int32_t *pids_here; /* by serial, as collector_lives had them; 0 not told */
    size_t pid_capacity;

    pthread_mutex_t samples_lock;
    struct outside_sample *samples;
    size_t sample_count, sample_capacity;

    struct stream_position *positions; /* what the writer was given last */
    size_t position_capacity;
};

/* ---- collect.c ---- */

/* The writer is told what has happened in this subject. */
void collector_tell(void *c, struct subject *s);

/* ---- population.c ---- */

/* The subject of this serial, made if it is new. */
struct subject *population_subject(struct collector *c, uint32_t serial);

/* Reads the process table again; begins the first process. */
void population_refresh(struct collector *c);

/* The subject begins, if it has not: with a copy of what is live in its parent. */
void population_begin(struct collector *c, struct subject *s, uint64_t ticks);

/* A FORK event of `parent`. */
void population_forked(struct collector *c, struct subject *parent, uint64_t child, uint64_t ticks);

/* Begins the late children whose fork lies before `ticks`. */
void population_begin_late(struct collector *c, uint64_t ticks);

/* Lets go of dead children: what they inherited if they wrote nothing, everything if all of it has
 * been taken in. */
void population_check(struct collector *c);

/* order.h: will the process certainly write no more? `collector` is a struct collector. */
int population_is_over(void *collector, uint32_t serial);

/* locations.h: a process that lives and, if any does, is the one of this serial. */
int32_t population_living(void *collector, uint32_t serial);

/* A forked child that will write no more and whose events have all been taken in. */
void population_retire(struct collector *c, uint32_t serial);

/* Closes all that is left and completes image->processes. */
void population_finish(struct collector *c, int running);

/* ---- image_facts.c ---- */

/* The image's facts as the spool's header has them. */
void image_facts_fill(struct image *image, const struct spool_file *file);

#endif
