/* recorded.c - see recorded.h. */
#include "recorded.h"
#include "folder_watch.h"
#include "removal.h"
#include "xalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART_SUFFIX ".part"

static char *join(const char *a, size_t a_bytes, const char *b)
{
    char *joined = xmalloc(a_bytes + strlen(b) + 1);

    memcpy(joined, a, a_bytes);
    strcpy(joined + a_bytes, b);
    return joined;
}

struct recorded *recorded_new(const char *spool, const struct recorded *earlier)
{
    struct recorded *r = xcalloc(1, sizeof *r);

    r->spool = xstrdup(spool);
    r->earlier = earlier;
    r->peek.fd = r->capture_fd = -1;
    return r;
}

/* Which file has the name of its spool? 0: none. */
static uint64_t inode_at_name(const struct recorded *r, const struct recorded_place *place)
{
    struct stat st;
    int rc = fstatat(place->folder_fd, r->spool, &st, AT_SYMLINK_NOFOLLOW);

    return rc == 0 ? st.st_ino : 0;
}

int recorded_is_replaced(const struct recorded *r, const struct recorded_place *place)
{
    uint64_t inode = r->stage == RECORDED_NEW ? 0 : inode_at_name(r, place);

    return inode != 0 && inode != r->inode;
}

/* Will this error pass once other files are closed? */
static int want_of_files(void)
{
    return errno == EMFILE || errno == ENFILE;
}

void recorded_meet(struct recorded *r, const struct recorded_place *place)
{
    if (r->earlier != NULL && r->earlier->stage < RECORDED_OVER)
        return;
    int rc = spool_peek_open(&r->peek, place->folder_fd, r->spool);
    if (rc == SPOOL_PEEK_NOT_YET || (rc == SPOOL_PEEK_IO && want_of_files()))
        return;
    const struct spool_header *h = &r->peek.header;
    r->inode = rc == SPOOL_PEEK_IO && errno != ENOENT ? inode_at_name(r, place) : r->peek.inode;
    /* An older recorder hands its chunks over otherwise: its spool is collected once it is over. */
    if (rc != SPOOL_PEEK_OK || h->version != SPOOL_VERSION || h->tree != place->tree) {
        spool_peek_close(&r->peek);
        r->stage = RECORDED_FOREIGN;
        return;
    }
    size_t name_bytes = strlen(r->spool) - strlen(SPOOL_SUFFIX);
    r->result.name = join(r->spool, name_bytes, "");
    r->part = join(r->spool, name_bytes, PART_SUFFIX);
    r->result.process = (struct proc_identity){h->pid, h->start_time};
    r->result.start_ns = h->start.ns;
    r->result.is_root = h->pid == place->root.pid &&
                        (place->root.start_time == 0 || h->start_time == place->root.start_time);
    r->stage = RECORDED_WAITING;
}

/* ---- letting go ---- */

static void fail(struct recorded *r, int error)
{
    r->result.state = GATHERED_FAILED;
    r->result.error = error;
    r->result.error_number = errno;
}

/* Closes all that is open; the result stays. */
static void let_go(struct recorded *r, const struct recorded_place *place)
{
    if (r->peek.fd >= 0 && !r->result.has_figures)
        r->result.losers = spool_peek_loss(&r->peek, &r->result.all);
    if (r->collector != NULL) {
        sampler_forget(place->sampler, r->collector);
        collector_free(r->collector);
        r->collector = NULL;
    }
    if (r->capture_fd >= 0) {
        close(r->capture_fd);
        r->capture_fd = -1;
    }
    spool_peek_close(&r->peek); /* and release the lock with it */
    r->stage = RECORDED_OVER;
}

static void abandon(struct recorded *r, const struct recorded_place *place)
{
    if (r->capture_fd >= 0)
        unlinkat(place->folder_fd, r->part, 0);
    if ((r->result.state == GATHERED_FAILED || r->result.state == GATHERED_STAYS) &&
        inode_at_name(r, place) != r->inode)
        r->result.state = GATHERED_LOST;
    let_go(r, place);
}

void recorded_free(struct recorded *r, const struct recorded_place *place)
{
    abandon(r, place);
    free(r->spool);
    free(r->part);
    gathered_clear(&r->result);
    free(r);
}

/* ---- collecting ---- */

/* May it be lost? In doubt not. The folder may have been moved. */
static int may_go(const struct recorded_place *place, const char *name)
{
    char *path = NULL;
    int may = asprintf(&path, "/proc/self/fd/%d/%s", place->folder_fd, name) >= 0 &&
              recording_may_replace(path);

    free(path);
    return may;
}

/* Creates the file that the collector writes. One left by a collector that was killed is worth
 * nothing: whoever holds the spool's lock owns it. */
static int create_part(const struct recorded *r, const struct recorded_place *place)
{
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(place->folder_fd, r->part, flags, 0600);

    if (fd >= 0 || errno != EEXIST)
        return fd;
    if (may_go(place, r->part) && unlinkat(place->folder_fd, r->part, 0) == 0)
        return openat(place->folder_fd, r->part, flags, 0600);
    errno = EEXIST;
    return -1;
}

/* Is the spool gone? Then a command that somebody ran meanwhile has collected it. */
static int is_collected(const struct recorded *r, const struct recorded_place *place)
{
    struct stat here, there;

    return fstat(r->peek.fd, &here) != 0 ||
           fstatat(place->folder_fd, r->spool, &there, AT_SYMLINK_NOFOLLOW) != 0 ||
           here.st_ino != there.st_ino || here.st_dev != there.st_dev;
}

void recorded_start(struct recorded *r, const struct recorded_place *place)
{
    if (flock(r->peek.fd, LOCK_EX | LOCK_NB) != 0)
        return;
    if (is_collected(r, place)) {
        r->result.state = GATHERED_DONE;
        let_go(r, place);
        return;
    }
    r->capture_fd = create_part(r, place);
    if (r->capture_fd < 0) {
        if (want_of_files())
            return;
        fail(r, COLLECT_IO);
        abandon(r, place);
        return;
    }
    int rc = collector_open(&r->collector, r->peek.fd, r->capture_fd, place->symbols);
    if (rc != COLLECT_OK) {
        r->collector = NULL;
        fail(r, rc);
        abandon(r, place);
        return;
    }
    collector_recycle(r->collector);
    r->stage = RECORDED_COLLECTING;
}

/* A process that has ended meanwhile is reported, too: the sampler may have seen it while it ran.
 */
static void watch_newcomers(struct recorded *r, const struct recorded_place *place)
{
    spool_peek_meet(&r->peek);
    for (size_t i = 0; i < r->peek.count; i++) {
        struct spool_resident *resident = &r->peek.residents[i];
        pid_t pid = resident->process.pid;
        if (pid <= 0 || resident->told)
            continue;
        collector_lives(r->collector, resident->serial, pid);
        sampler_watch(place->sampler, resident->process,
                      resident->elsewhere ? resident->elsewhere : pid, r->result.start_ns,
                      r->collector);
        resident->told = 1;
    }
}

void recorded_look(struct recorded *r, const struct recorded_place *place)
{
    if (r->collector != NULL)
        watch_newcomers(r, place);
    r->result.still_running = spool_peek_refresh(&r->peek);
}

int64_t recorded_step(struct recorded *r, const struct recorded_place *place)
{
    int64_t events = collector_step(r->collector);

    if (events >= 0)
        return events;
    fail(r, (int)events);
    abandon(r, place);
    return 0;
}

/* ---- the end ---- */

/* May a capture take the place of the recording `name`? Not while that is a spool in use. A spool
 * that only lacks collecting is opened as *old, and locked, so that nobody begins to collect it. */
static int may_replace(const struct recorded_place *place, const char *spool,
                       struct spool_peek *old)
{
    int rc = spool_peek_open(old, place->folder_fd, spool);

    if (rc != SPOOL_PEEK_OK)
        return rc == SPOOL_PEEK_OTHER || (rc == SPOOL_PEEK_IO && errno == ENOENT);
    spool_peek_refresh(old);
    return flock(old->fd, LOCK_EX | LOCK_NB) == 0 && !spool_peek_in_use(old);
}

/* Plans the removal of the family of the older recording that has the name. Only it is read, and
 * what its processes started. */
static void plan_old_family(struct removal *plan, int folder_fd, const char *name)
{
    struct folder folder;
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", folder_fd); /* it may be moved */
    const struct folder_entry *entry =
        folder_read(&folder, path) == 0 ? folder_named(&folder, name) : NULL;
    if (entry != NULL)
        removal_add_numbered(plan, &folder, entry);
    folder_free(&folder);
}

/* The recording goes by this name from here on; takes the string. */
static void rename_result(struct recorded *r, char *name)
{
    free(r->result.name);
    r->result.name = name;
}

/* Renames NAME.part to `name` and removes the recording that was there, its spool and its family
 * with it. Returns 1, or 0 where that place cannot be had; then nothing has changed. */
static int take_place(struct recorded *r, const struct recorded_place *place, const char *name)
{
    struct spool_peek old;
    struct removal family = {0};
    char *spool = join(name, strlen(name), SPOOL_SUFFIX);

    plan_old_family(&family, place->folder_fd, name);
    int taken = may_replace(place, spool, &old) && may_go(place, name) &&
                renameat(place->folder_fd, r->part, place->folder_fd, name) == 0;

    if (taken) {
        rename_result(r, xstrdup(name));
        if (old.fd >= 0)
            unlinkat(place->folder_fd, spool, 0);
        removal_carry_out(&family);
    }
    removal_release(&family);
    spool_peek_close(&old);
    free(spool);
    return taken;
}

/* Renames NAME.part to `name`, which nobody has yet. Returns 0, or -1 and errno. */
static int take_free_place(const struct recorded *r, const struct recorded_place *place,
                           const char *name)
{
    int folder = place->folder_fd;
    int rc = renameat2(folder, r->part, folder, name, RENAME_NOREPLACE);

    if (rc == 0 || (errno != EINVAL && errno != ENOSYS))
        return rc;
    if (faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0) /* the file system cannot do it */
        return renameat(folder, r->part, folder, name);
    errno = EEXIST;
    return -1;
}

/* Will another recording want this name? It has a spool of it. */
static int is_wanted(const struct recorded_place *place, const char *name)
{
    char *spool = join(name, strlen(name), SPOOL_SUFFIX);
    int rc = faccessat(place->folder_fd, spool, F_OK, AT_SYMLINK_NOFOLLOW);

    free(spool);
    return rc == 0;
}

/* The same to NAME. Where spools were removed and names have become others', that may have happened
 * to this one: then to NAME.1 and so on. */
static int take_own_place(struct recorded *r, const struct recorded_place *place)
{
    size_t bytes = strlen(r->result.name);
    int rc = take_free_place(r, place, r->result.name);

    for (unsigned number = 1; rc != 0 && errno == EEXIST && place->names_move; number++) {
        char suffix[16];
        snprintf(suffix, sizeof suffix, ".%u", number);
        rename_result(r, join(r->result.name, bytes, suffix));
        if (!is_wanted(place, r->result.name))
            rc = take_free_place(r, place, r->result.name);
        else
            errno = EEXIST;
    }
    return rc;
}

/* Removes the spool, unless its name has become another file's. */
static void remove_spool(struct recorded *r, const struct recorded_place *place)
{
    if (inode_at_name(r, place) == r->inode)
        unlinkat(place->folder_fd, r->spool, 0);
    r->inode = 0;
}

/* Gives the capture its name, then removes the spool. Returns 0, or -1 and errno. */
static int publish(struct recorded *r, const struct recorded_place *place, const char *instead_of)
{
    int is_other = instead_of != NULL && strcmp(r->result.name, instead_of) != 0;

    if (!(is_other && take_place(r, place, instead_of)) && take_own_place(r, place) != 0)
        return -1;
    remove_spool(r, place);
    return 0;
}

/* The program's end, as mprof-c saw it. The kernel's high-water mark is that of the largest of the
 * program and its children: it is believed where no child is known and the program did not come to
 * note its own. */
static void take_root_end(struct recorded *r, const struct recorded_place *place)
{
    const struct root_end *end = &place->root_end;
    pid_t pid = place->root.pid;
    uint32_t noted = spool_peek_end(&r->peek);

    if (!r->result.is_root || end->ending.kind == END_UNKNOWN || noted == SPOOL_END_EXEC)
        return;
    collector_ended(r->collector, pid, end->ending, end->boottime_ns);
    if (noted == SPOOL_END_UNKNOWN && place->beside == 0 && r->peek.looked <= 1)
        collector_high_water(r->collector, pid, end->rss_mark);
}

/* Returns COLLECT_OK or an error. */
static int finish_collector(struct recorded *r, const struct recorded_place *place, int running)
{
    sampler_forget(place->sampler, r->collector);
    take_root_end(r, place);
    spool_peek_reason(r->peek.fd, r->result.reason);
    int rc = collector_finish(r->collector, running);
    if (rc == COLLECT_OK)
        gathered_take_figures(&r->result, collector_image(r->collector));
    return rc;
}

void recorded_finish(struct recorded *r, const struct recorded_place *place, const char *instead_of)
{
    if (instead_of != NULL)
        collector_family(r->collector, place->beside);
    int rc = finish_collector(r, place, 0);

    if (rc == COLLECT_OK && publish(r, place, instead_of) == 0) {
        r->result.state = GATHERED_DONE;
        let_go(r, place);
        return;
    }
    fail(r, rc != COLLECT_OK ? rc : COLLECT_IO);
    abandon(r, place);
}

void recorded_leave(struct recorded *r, const struct recorded_place *place)
{
    if (r->stage == RECORDED_COLLECTING && r->result.is_root)
        finish_collector(r, place, 1);
    r->result.state = GATHERED_STAYS;
    if (r->stage == RECORDED_COLLECTING && collector_leave_samples(r->collector)) {
        close(r->capture_fd); /* NAME.part stays, with the samples */
        r->capture_fd = -1;
    }
    abandon(r, place);
}
