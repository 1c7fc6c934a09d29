/* newcomers.c - see newcomers.h. */
#include "newcomers.h"
#include "folder_watch.h"
#include "spool_peek.h"
#include "xalloc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct spool_seen {
    char *name;
    struct spool_peek peek; /* fd -1: not open yet */
};

struct newcomers {
    int folder_fd;
    uint64_t tree;
    struct folder_watch watch;
    struct spool_seen **list;
    size_t count, capacity;
    size_t open, open_max;
};

static int has_name(const struct spool_peek *peek)
{
    struct stat status;

    return fstat(peek->fd, &status) == 0 && status.st_nlink > 0;
}

static void add_spool(void *context, const char *name)
{
    struct newcomers *n = context;

    for (size_t i = 0; i < n->count; i++)
        if (strcmp(n->list[i]->name, name) == 0 &&
            (n->list[i]->peek.fd < 0 || has_name(&n->list[i]->peek)))
            return;
    struct spool_seen *s = xcalloc(1, sizeof *s);
    s->name = xstrdup(name);
    s->peek.fd = -1;
    n->list = xgrow(n->list, &n->capacity, n->count + 1, sizeof *n->list);
    n->list[n->count++] = s;
}

struct newcomers *newcomers_open(int folder_fd, uint64_t tree)
{
    struct newcomers *n = xcalloc(1, sizeof *n);

    n->folder_fd = folder_fd;
    n->tree = tree;
    folder_watch_open(&n->watch, folder_fd);
    return n;
}

void newcomers_allow(struct newcomers *n, size_t spools)
{
    n->open_max = spools;
}

/* 0: it is none of the tree's, or gone. One whose header is not complete, or that finds no room,
 * waits. */
static int open_spool(struct newcomers *n, struct spool_seen *s)
{
    if (n->open >= n->open_max)
        return 1;
    int rc = spool_peek_open(&s->peek, n->folder_fd, s->name);
    if (rc == SPOOL_PEEK_IO)
        return errno == EMFILE || errno == ENFILE;
    if (rc != SPOOL_PEEK_OK)
        return rc == SPOOL_PEEK_NOT_YET;
    n->open++;
    return s->peek.header.tree == n->tree;
}

/* Leaves those whose entries are not complete yet. */
static void find_processes(struct spool_peek *peek, newcomer_found *found, void *context)
{
    size_t kept = 0;

    spool_peek_meet(peek);
    for (size_t i = 0; i < peek->count; i++)
        if (peek->residents[i].process.pid == 0)
            peek->residents[kept++] = peek->residents[i];
        else if (peek->residents[i].process.pid > 0)
            found(context, peek->residents[i].process);
    peek->count = kept;
}

/* Returns 0 once there is nothing more to be found in the spool. */
static int look_into(struct newcomers *n, struct spool_seen *s, newcomer_found *found,
                     void *context)
{
    if (s->peek.fd < 0 && !open_spool(n, s))
        return 0;
    if (s->peek.fd < 0)
        return 1;
    find_processes(&s->peek, found, context);
    return has_name(&s->peek);
}

static void let_go(struct newcomers *n, struct spool_seen *s)
{
    n->open -= s->peek.fd >= 0;
    spool_peek_close(&s->peek);
    free(s->name);
    free(s);
}

void newcomers_look(struct newcomers *n, newcomer_found *found, void *context)
{
    size_t kept = 0;

    folder_watch_new(&n->watch, add_spool, n);
    for (size_t i = 0; i < n->count; i++)
        if (look_into(n, n->list[i], found, context))
            n->list[kept++] = n->list[i];
        else
            let_go(n, n->list[i]);
    n->count = kept;
}

void newcomers_close(struct newcomers *n)
{
    if (n == NULL)
        return;
    for (size_t i = 0; i < n->count; i++)
        let_go(n, n->list[i]);
    folder_watch_close(&n->watch);
    free(n->list);
    free(n);
}
