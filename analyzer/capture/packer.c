/* packer.c - see packer.h. */
#include "packer.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "block.h"
#include "xalloc.h"

#define JOBS          8
#define LARGE_BYTES   (64u << 10)
#define WAITING_BYTES (64u << 20)

struct job {
    enum capture_block_type type;
    uint32_t process;
    struct bytes payload; /* its memory stays, for the next one */
};

struct packer {
    struct block_output output; /* the thread's while blocks wait */
    pthread_t thread;
    int has_thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    struct job jobs[JOBS]; /* block n is in jobs[n % JOBS] while it waits */
    size_t put, written;   /* blocks so far */
    size_t waiting_bytes;
    uint64_t *offsets; /* of the blocks that are written */
    size_t offset_capacity;
    int is_ending, error;
};

/* Writes a block without the lock, which the caller has. */
static void write_unlocked(struct packer *p, const struct job *job)
{
    pthread_mutex_unlock(&p->lock);
    uint64_t offset = block_write(&p->output, job->type, job->process, &job->payload);
    pthread_mutex_lock(&p->lock);
    p->offsets[p->written++] = offset;
    p->error = p->output.error;
}

static void *packer_main(void *argument)
{
    struct packer *p = argument;

    pthread_mutex_lock(&p->lock);
    while (p->written < p->put || !p->is_ending) {
        if (p->written == p->put) {
            pthread_cond_wait(&p->changed, &p->lock);
            continue;
        }
        const struct job *job = &p->jobs[p->written % JOBS];
        write_unlocked(p, job);
        p->waiting_bytes -= job->payload.size;
        pthread_cond_broadcast(&p->changed);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* Signals are for the threads that were there before. */
static int start_thread(struct packer *p)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    p->has_thread = pthread_create(&p->thread, NULL, packer_main, p) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return p->has_thread;
}

struct packer *packer_new(int fd)
{
    struct packer *p = xcalloc(1, sizeof *p);

    block_output_open(&p->output, fd);
    p->error = p->output.error;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    return p;
}

static void end_thread(struct packer *p)
{
    pthread_mutex_lock(&p->lock);
    p->is_ending = 1;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
}

void packer_free(struct packer *p)
{
    if (p == NULL)
        return;
    if (p->has_thread)
        end_thread(p);
    for (size_t i = 0; i < JOBS; i++)
        bytes_free(&p->jobs[i].payload);
    block_output_close(&p->output);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    free(p->offsets);
    free(p);
}

static int is_full(const struct packer *p)
{
    return p->put - p->written == JOBS || p->waiting_bytes > WAITING_BYTES;
}

void packer_put(struct packer *p, enum capture_block_type type, uint32_t process,
                struct bytes *payload)
{
    int waits = p->has_thread || (payload->size >= LARGE_BYTES && start_thread(p));

    pthread_mutex_lock(&p->lock);
    while (is_full(p))
        pthread_cond_wait(&p->changed, &p->lock);
    struct job *job = &p->jobs[p->put % JOBS];
    struct bytes empty = job->payload;
    *job = (struct job){type, process, *payload};
    *payload = empty;
    payload->size = 0;
    p->offsets = xgrow(p->offsets, &p->offset_capacity, ++p->put, sizeof *p->offsets);
    if (waits)
        p->waiting_bytes += job->payload.size;
    else
        write_unlocked(p, job);
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

int packer_error(struct packer *p)
{
    pthread_mutex_lock(&p->lock);
    int error = p->error;
    pthread_mutex_unlock(&p->lock);
    return error;
}

void packer_settle(struct packer *p)
{
    pthread_mutex_lock(&p->lock);
    while (p->written < p->put)
        pthread_cond_wait(&p->changed, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

const uint64_t *packer_offsets(struct packer *p)
{
    packer_settle(p);
    return p->offsets;
}

uint64_t packer_position(struct packer *p)
{
    packer_settle(p);
    return p->output.offset;
}

void packer_put_plain(struct packer *p, const void *data, size_t size)
{
    packer_settle(p);
    block_write_plain(&p->output, data, size);
    pthread_mutex_lock(&p->lock);
    p->error = p->output.error;
    pthread_mutex_unlock(&p->lock);
}
