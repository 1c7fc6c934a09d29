/* removal.c - see removal.h. */
#include "removal.h"
#include "command.h"
#include "spool_peek.h"
#include "text.h"
#include "xalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* A collector holds the lock of the spool that it reads. */
static int is_locked(const char *file)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return 0;
    int locked = flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return locked;
}

static int is_being_written(const struct folder_entry *entry)
{
    if (!(entry->files & FOLDER_SPOOL))
        return 0;
    struct spool_peek peek;
    char *spool = folder_file_name(entry, FOLDER_SPOOL);
    int busy = is_locked(spool);
    if (!busy && spool_peek_open(&peek, AT_FDCWD, spool) == SPOOL_PEEK_OK) {
        spool_peek_refresh(&peek);
        busy = spool_peek_in_use(&peek);
        spool_peek_close(&peek);
    }
    free(spool);
    return busy;
}

/* Returns 1, or 0 where the plan has it already. */
static int add_file(struct removal *plan, char *file)
{
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->files[i], file) == 0) {
            free(file);
            return 0;
        }
    plan->files = xrealloc(plan->files, (plan->count + 1) * sizeof *plan->files);
    plan->files[plan->count++] = file;
    return 1;
}

static void add_entry(struct removal *plan, const struct folder_entry *entry)
{
    int is_new = 0;
    for (enum folder_file file = FOLDER_CAPTURE; file <= FOLDER_PART; file <<= 1)
        if (entry->files & file)
            is_new |= add_file(plan, folder_file_name(entry, file));
    plan->recordings += (size_t)is_new;
}

int removal_add_stub(struct removal *plan, const char *name)
{
    struct folder_entry entry = {.name = (char *)name, .files = FOLDER_SPOOL};
    char *spool = folder_file_name(&entry, FOLDER_SPOOL);
    int is_stub = spool_peek_is_stub(AT_FDCWD, spool);
    free(spool);
    if (is_stub)
        add_entry(plan, &entry);
    return is_stub;
}

static void add_stubs_of(struct removal *plan, const struct folder *folder,
                         const struct folder_entry *entry)
{
    for (size_t i = 0; i < folder->unread_count; i++)
        if (folder_same_family(entry->name, folder->unread[i].name))
            removal_add_stub(plan, folder->unread[i].name);
}

static int belongs(const struct folder *folder, const struct folder_entry *one,
                   const struct folder_entry *entry)
{
    return one == entry || &folder->entries[one->root] == entry;
}

void removal_add(struct removal *plan, const struct folder *folder,
                 const struct folder_entry *entry)
{
    for (size_t i = 0; i < folder->count; i++) {
        const struct folder_entry *one = &folder->entries[i];
        if (belongs(folder, one, entry) && is_being_written(one)) {
            complain("%s: is still being written, it stays", one->name);
            plan->kept++;
            return;
        }
    }
    for (size_t i = 0; i < folder->count; i++)
        if (belongs(folder, &folder->entries[i], entry))
            add_entry(plan, &folder->entries[i]);
    if (&folder->entries[entry->root] == entry)
        add_stubs_of(plan, folder, entry);
}

void removal_add_numbered(struct removal *plan, const struct folder *folder,
                          const struct folder_entry *entry)
{
    for (size_t i = 0; i < folder->count; i++) {
        const struct folder_entry *one = &folder->entries[i];
        if (one != entry && belongs(folder, one, entry) &&
            folder_is_numbered(entry->name, one->name) && !is_being_written(one))
            add_entry(plan, one);
    }
}

void removal_release(struct removal *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        free(plan->files[i]);
    free(plan->files);
    *plan = (struct removal){0};
}

void removal_carry_out(struct removal *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        unlink(plan->files[i]);
    removal_release(plan);
}

static void print_plan(const struct removal *plan)
{
    if (plan->count > 0)
        puts("Files to be removed:");
    for (size_t i = 0; i < plan->count; i++) {
        char *clean = text_clean(plan->files[i]);
        puts(clean);
        free(clean);
    }
}

/* Returns the exit status. */
static int remove_all(const struct removal *plan)
{
    int status = COMMAND_OK;
    for (size_t i = 0; i < plan->count; i++)
        if (unlink(plan->files[i]) != 0) {
            complain("%s: cannot be removed: %s", plan->files[i], strerror(errno));
            status = COMMAND_FAILED;
        }
    if (status == COMMAND_OK && plan->recordings > 0)
        printf("%zu recording%s removed\n", plan->recordings, plan->recordings == 1 ? "" : "s");
    return status;
}

int removal_finish(struct removal *plan, int dry_run)
{
    int status = COMMAND_OK;
    if (dry_run)
        print_plan(plan);
    else
        status = remove_all(plan);
    removal_release(plan);
    return status;
}
