/* gather.c - see gather.h. */
#include "gather.h"
#include "folder_watch.h"
#include "newcomers.h"
#include "xalloc.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define OPEN_MAX      256 /* collected at a time: each holds files and live blocks */
#define OPEN_MIN      4
#define FILES_EACH    4   /* open files of a recording, two of the sampler's included */
#define FILES_KEPT    24  /* for all else */
#define GRACE_MS      100 /* at the end, for processes that are just ending */
#define GRACE_STEP_MS 5

struct gather {
    struct recorded_place place;
    struct folder_watch watch;
    struct newcomers *newcomers; /* the sampler's, once it is there */
    char *root_wanted;
    struct recorded **items; /* by appearance */
    size_t count, capacity;
    size_t first_active; /* items before it are over or foreign */
    size_t open, open_max;
    struct proc_identity *successors; /* exec'd processes whose new spool has not been met yet */
    size_t successor_count, successor_capacity;
    char **before; /* spools that were in the folder before the program began */
    size_t before_count, before_capacity;
    char refusal[SPOOL_REASON_BYTES]; /* of the last one that could not begin */
    size_t refused;                   /* how many could not */
};

static void add_before(void *context, const char *name)
{
    struct gather *g = context;

    g->before = xgrow(g->before, &g->before_capacity, g->before_count + 1, sizeof *g->before);
    g->before[g->before_count++] = xstrdup(name);
}

static int was_before(const struct gather *g, const char *name)
{
    for (size_t i = 0; i < g->before_count; i++)
        if (strcmp(g->before[i], name) == 0)
            return 1;
    return 0;
}

struct gather *gather_open(const char *folder, uint64_t tree)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return NULL;
    xalloc_huge_pages(); /* before there are threads, each of which would get a heap of its own */
    struct gather *g = xcalloc(1, sizeof *g);
    g->place = (struct recorded_place){.folder_fd = fd, .tree = tree, .symbols = symbolizer_new()};
    folder_watch_open(&g->watch, fd);
    folder_watch_all(&g->watch, add_before, g);
    g->newcomers = newcomers_open(fd, tree);
    return g;
}

/* Is `spool` NAME.spool or NAME.12.spool? */
static int is_number_of(const char *spool, const char *name)
{
    size_t bytes = strlen(name);

    if (strncmp(spool, name, bytes) != 0)
        return 0;
    spool += bytes;
    if (spool[0] == '.' && spool[1] >= '0' && spool[1] <= '9')
        spool += 1 + strspn(spool + 1, "0123456789");
    return strcmp(spool, SPOOL_SUFFIX) == 0;
}

void gather_remove_stubs(struct gather *g, const char *wanted)
{
    for (size_t i = 0; i < g->before_count; i++)
        if (is_number_of(g->before[i], wanted) &&
            spool_peek_is_stub(g->place.folder_fd, g->before[i]))
            unlinkat(g->place.folder_fd, g->before[i], 0);
}

static size_t open_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
        limit.rlim_cur >= FILES_KEPT + OPEN_MAX * FILES_EACH)
        return OPEN_MAX;
    if (limit.rlim_cur < FILES_KEPT + OPEN_MIN * FILES_EACH)
        return OPEN_MIN;
    return (limit.rlim_cur - FILES_KEPT) / FILES_EACH;
}

void gather_begin(struct gather *g, struct proc_identity root, const char *wanted,
                  struct sampler *sampler)
{
    g->place.root = root;
    g->place.sampler = sampler;
    g->root_wanted = xstrdup(wanted);
    g->open_max = open_limit();
    newcomers_allow(g->newcomers, g->open_max);
    sampler_find(sampler, g->newcomers);
    sampler_watch(sampler, root, root.pid, 0, NULL); /* its spool may be met late */
}

static const struct recorded *last_of_name(const struct gather *g, const char *name)
{
    for (size_t i = g->count; i-- > 0;)
        if (strcmp(g->items[i]->spool, name) == 0)
            return g->items[i];
    return NULL;
}

static void add_item(void *context, const char *name)
{
    struct gather *g = context;
    const struct recorded *earlier = last_of_name(g, name);

    if (earlier != NULL && !recorded_is_replaced(earlier, &g->place))
        return;
    g->place.names_move |= earlier != NULL;
    g->items = xgrow(g->items, &g->capacity, g->count + 1, sizeof *g->items);
    g->items[g->count++] = recorded_new(name, earlier);
}

/* ---- processes that became another image ---- */

static void look(struct gather *g, struct recorded *r)
{
    struct spool_peek *peek = &r->peek;

    recorded_look(r, &g->place);
    for (size_t i = 0; i < peek->successor_count; i++) {
        g->successors = xgrow(g->successors, &g->successor_capacity, g->successor_count + 1,
                              sizeof *g->successors);
        g->successors[g->successor_count++] = peek->successors[i];
    }
    peek->successor_count = 0;
}

/* Is there a spool whose first process this is, and which it has not left? */
static int is_met(const struct gather *g, struct proc_identity process)
{
    for (size_t i = g->first_active; i < g->count; i++) {
        const struct recorded *r = g->items[i];
        const struct spool_peek *peek = &r->peek;
        if (r->result.process.pid == process.pid &&
            r->result.process.start_time == process.start_time && r->stage < RECORDED_OVER &&
            (peek->looked == 0 || (peek->count > 0 && peek->residents[0].serial == 0)))
            return 1;
    }
    return 0;
}

/* Has a process that has just exec'd not yet come to make its new spool? */
static int spools_are_due(struct gather *g)
{
    size_t kept = 0;

    for (size_t i = 0; i < g->successor_count; i++)
        if (proc_alive(g->successors[i]) && !is_met(g, g->successors[i]))
            g->successors[kept++] = g->successors[i];
    g->successor_count = kept;
    return kept > 0;
}

/* ---- while the program runs ---- */

static int is_first_of_root(const struct gather *g, const struct recorded *r)
{
    if (!r->result.is_root)
        return 0;
    for (size_t i = 0; i < g->count; i++)
        if (g->items[i]->result.is_root && g->items[i]->result.start_ns < r->result.start_ns)
            return 0;
    return 1;
}

static int is_open(const struct recorded *r)
{
    return r->stage == RECORDED_WAITING || r->stage == RECORDED_COLLECTING;
}

/* Is everything there that belongs into the capture? How the root ended is known at gather_end, and
 * how many recordings there are, which its first image tells. */
static int is_complete(const struct gather *g, const struct recorded *r)
{
    if (spool_peek_in_use(&r->peek))
        return 0;
    return !r->result.is_root || g->place.root_end.ending.kind != END_UNKNOWN ||
           (spool_peek_end(&r->peek) == SPOOL_END_EXEC && !is_first_of_root(g, r));
}

static void finish_item(struct gather *g, struct recorded *r)
{
    int is_first = is_first_of_root(g, r);

    if (r->result.is_root)
        g->place.beside = gather_count(g) - 1;
    recorded_finish(r, &g->place, is_first ? g->root_wanted : NULL);
}

static int64_t step_item(struct gather *g, struct recorded *r, int looking)
{
    int64_t events = 0;

    if (r->stage == RECORDED_NEW && g->open < g->open_max)
        recorded_meet(r, &g->place);
    if (r->stage == RECORDED_WAITING) {
        recorded_start(r, &g->place);
        looking = 1;
    }
    if (r->stage == RECORDED_COLLECTING && looking)
        look(g, r);
    if (r->stage == RECORDED_COLLECTING)
        events = recorded_step(r, &g->place);
    if (r->stage == RECORDED_COLLECTING && looking && is_complete(g, r))
        finish_item(g, r);
    return events;
}

int64_t gather_step(struct gather *g, int looking)
{
    int64_t events = 0;

    folder_watch_new(&g->watch, add_item, g);
    while (g->first_active < g->count && g->items[g->first_active]->stage >= RECORDED_OVER)
        g->first_active++;
    for (size_t i = g->first_active; i < g->count; i++) {
        struct recorded *r = g->items[i];
        g->open -= (size_t)is_open(r);
        events += step_item(g, r, looking);
        g->open += (size_t)is_open(r);
    }
    if (looking)
        spools_are_due(g); /* keeps the list short */
    return events;
}

size_t gather_running(struct gather *g, struct proc_identity *found, size_t max)
{
    size_t count = 0;

    for (size_t i = g->first_active; i < g->count; i++) {
        struct recorded *r = g->items[i];
        if (!is_open(r))
            continue;
        look(g, r);
        for (size_t k = 0; k < r->peek.count && count < max; k++)
            if (r->peek.residents[k].process.pid != 0)
                found[count++] = r->peek.residents[k].process;
    }
    return count;
}

/* ---- the end ---- */

static size_t unfinished(const struct gather *g)
{
    size_t count = 0;

    for (size_t i = g->first_active; i < g->count; i++)
        count += g->items[i]->stage < RECORDED_OVER;
    return count;
}

/* Repeats while recordings that end make room for those that had to wait. Returns how many are
 * left. */
static size_t finish_all_dead(struct gather *g)
{
    size_t before;

    do {
        before = unfinished(g);
        gather_step(g, 1);
    } while (unfinished(g) < before);
    return before;
}

static size_t leave_all_open(struct gather *g)
{
    size_t left = 0;

    for (size_t i = g->first_active; i < g->count; i++)
        if (is_open(g->items[i])) {
            recorded_leave(g->items[i], &g->place);
            g->open--;
            left++;
        }
    return left;
}

/* A recorder that could not begin leaves only a file without a header, with its reason in it. One
 * that was there before is not of this tree. One whose name shows that it is this family's is
 * removed: nothing else can be done with it. */
static void take_refusal(struct gather *g, const struct recorded *r)
{
    int folder = g->place.folder_fd;

    char reason[SPOOL_REASON_BYTES];

    if (was_before(g, r->spool) || !spool_peek_refusal(folder, r->spool, reason))
        return;
    strcpy(g->refusal, reason);
    g->refused++;
    if (is_number_of(r->spool, g->root_wanted))
        unlinkat(folder, r->spool, 0);
}

/* So that the program's own recording can tell how many others there are. */
static void meet_all(struct gather *g)
{
    for (size_t i = g->first_active; i < g->count; i++) {
        struct recorded *r = g->items[i];
        if (r->stage != RECORDED_NEW || g->open >= g->open_max)
            continue;
        recorded_meet(r, &g->place);
        g->open += (size_t)is_open(r);
    }
}

void gather_end(struct gather *g, struct root_end end)
{
    const struct timespec pause = {0, GRACE_STEP_MS * 1000000};

    g->place.root_end = end;
    folder_watch_close(&g->watch); /* its end takes as long as ours */
    folder_watch_all(&g->watch, add_item, g);
    meet_all(g);
    for (int waited = 0; waited < GRACE_MS; waited += GRACE_STEP_MS) {
        if (finish_all_dead(g) == 0 && !spools_are_due(g))
            break;
        nanosleep(&pause, NULL);
    }
    while (leave_all_open(g) > 0)
        finish_all_dead(g); /* others may have had no room until now */
    for (size_t i = g->first_active; i < g->count; i++)
        if (g->items[i]->stage == RECORDED_NEW)
            take_refusal(g, g->items[i]);
}

/* ---- results ---- */

size_t gather_count(const struct gather *g)
{
    size_t count = 0;

    for (size_t i = 0; i < g->count; i++)
        count += g->items[i]->result.name != NULL;
    return count;
}

const struct gathered *gather_get(const struct gather *g, size_t wanted)
{
    for (size_t i = 0; i < g->count; i++)
        if (g->items[i]->result.name != NULL && wanted-- == 0)
            return &g->items[i]->result;
    return NULL;
}

size_t gather_refused(const struct gather *g, const char **reason)
{
    *reason = g->refusal;
    return g->refused;
}

void gather_free(struct gather *g)
{
    if (g == NULL)
        return;
    for (size_t i = 0; i < g->count; i++)
        recorded_free(g->items[i], &g->place);
    for (size_t i = 0; i < g->before_count; i++)
        free(g->before[i]);
    free(g->before);
    free(g->items);
    free(g->successors);
    folder_watch_close(&g->watch);
    newcomers_close(g->newcomers);
    symbolizer_free(g->place.symbols);
    close(g->place.folder_fd);
    free(g->root_wanted);
    free(g);
}
