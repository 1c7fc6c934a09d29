/*
 * collector.h - the inside of a collector, shared by collect.c (which drives it), population.c (its
 * processes, their beginnings and ends) and image_facts.c (what the header says). One thread; other
 * threads touch only what samples_lock guards.
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

/* A look at a resident set that another thread handed in. */
struct outside_sample {
    int32_t pid;
    uint64_t boottime_ns;
    struct resident resident;
};

struct earlier_sample {
    uint32_t serial;
    struct sample sample;
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
    int writer_errno;      /* errno of its failure, 0: none */
    int capture_fd;        /* the writer's; -1 none */

    struct subject **subjects; /* by serial; image->processes[i] belongs to subjects[i] */
    size_t subject_capacity, process_capacity;
    uint64_t next_late;     /* fork_ticks of the next late child to begin; UINT64_MAX none */
    uint64_t next_check_ns; /* CLOCK_MONOTONIC: look for dead children then */
    int live;               /* the program may still be writing */
    int is_snapshot;        /* it is finished while it may */
    uint64_t looked;        /* ticks, when what has been taken in was looked for */
    int knows_pids;         /* the first process lives in our pid namespace */

    int32_t *pids_here; /* by serial, from collector_lives; 0: not known */
    size_t pid_capacity;

    struct earlier_sample *earlier; /* samples of another collector's */
    size_t earlier_count, earlier_capacity;
    int is_earlier_sorted;

    pthread_mutex_t samples_lock;
    struct outside_sample *samples;
    size_t sample_count, sample_capacity;

    struct stream_position *positions; /* what the writer was given last */
    size_t position_capacity;
};

/* ---- collect.c ---- */

/* Passes the events gathered in this subject to the writer. */
void collector_tell(void *c, struct subject *s);

/* The newest process of this pid. */
struct subject *collector_subject_of_pid(struct collector *c, int32_t pid);

/* ---- outside.c ---- */

void collector_add_sample(struct collector *c, struct subject *s, struct sample sample);

/* Takes the samples that were handed in. */
void outside_take(struct collector *c);

/* Gives a process that is about to be closed those that another collector has taken of it. */
void outside_take_earlier(struct collector *c, struct subject *s);

/* Hands in a look at each process that lives: who views a program that still runs has no sampler.
 */
void outside_look(struct collector *c);

/* ---- population.c ---- */

/* The subject of this serial, made if it is new. */
struct subject *population_subject(struct collector *c, uint32_t serial);

/* Reads the process table again; begins the first process. */
void population_refresh(struct collector *c);

/* Begins the subject, if it has not begun, with a copy of what is live in its parent. */
void population_begin(struct collector *c, struct subject *s, uint64_t ticks);

/* Takes a FORK event of `parent`. */
void population_forked(struct collector *c, struct subject *parent, uint64_t child, uint64_t ticks);

/* Begins the late children whose fork lies before `ticks`. */
void population_begin_late(struct collector *c, uint64_t ticks);

/* Notes who lives. Releases dead children: what they inherited if they wrote nothing, everything if
 * all they wrote has been taken in. */
void population_check(struct collector *c);

/* order.h: will the process certainly write no more? `collector` is a struct collector. */
int population_is_over(void *collector, uint32_t serial);

/* The process's pid, here, while it lives; else 0. */
int32_t population_pid(const struct collector *c, uint32_t serial);

/* locations.h: the pid, here, of the process of this serial if it lives, else of another one that
 * does; 0 none. */
int32_t population_living(void *collector, uint32_t serial);

/* Closes a forked child that will write no more and whose events have all been taken in. */
void population_retire(struct collector *c, uint32_t serial);

/* Closes all that is left and completes image->processes. */
void population_finish(struct collector *c, int running);

/* ---- image_facts.c ---- */

/* Fills in the image's facts from the spool's header. */
void image_facts_fill(struct image *image, const struct spool_file *file);

#endif
