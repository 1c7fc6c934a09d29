/* folder.c - see folder.h. */
#include "folder.h"
#include "xalloc.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
}

static const char *suffix_of(enum folder_file file)
{
    return file == FOLDER_SPOOL ? ".spool" : file == FOLDER_PART ? ".part" : "";
}

static enum folder_file kind_of(const char *name)
{
    return ends_with(name, ".spool")  ? FOLDER_SPOOL
           : ends_with(name, ".part") ? FOLDER_PART
                                      : FOLDER_CAPTURE;
}

static const char *base_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

/* mprofile_YYYYmmddHHMMSS_PID.mprof, followed by .N for another image of the same process. */
int folder_is_default_name(const char *name)
{
    const char *p = base_of(name);
    if (strncmp(p, "mprofile_", 9) != 0 || strspn(p + 9, "0123456789") != 14 || p[23] != '_')
        return 0;
    p += 24;
    size_t digits = strspn(p, "0123456789");
    if (digits == 0 || strncmp(p + digits, ".mprof", 6) != 0)
        return 0;
    p += digits + 6;
    return *p == '\0' || (*p == '.' && isdigit((unsigned char)p[1]) &&
                          p[1 + strspn(p + 1, "0123456789")] == '\0');
}

char *folder_of_file(const char *name)
{
    const char *slash = strrchr(name, '/');
    if (!slash)
        return xstrdup(".");
    char *path = xstrdup(name);
    path[slash == name ? 1 : slash - name] = '\0';
    return path;
}

#define DEFAULT_MOMENT 24 /* "mprofile_YYYYmmddHHMMSS_" */

/* ".12" and nothing more? */
static int is_number_suffix(const char *text)
{
    size_t digits = text[0] == '.' ? strspn(text + 1, "0123456789") : 0;
    return digits > 0 && text[1 + digits] == '\0';
}

int folder_is_numbered(const char *root, const char *name)
{
    size_t length = strlen(root);
    return strncmp(root, name, length) == 0 && is_number_suffix(name + length);
}

int folder_same_family(const char *root, const char *name)
{
    const char *a = base_of(root), *b = base_of(name);
    if (folder_is_numbered(root, name))
        return 1;
    return folder_is_default_name(root) && folder_is_default_name(name) &&
           strncmp(a, b, DEFAULT_MOMENT) == 0 && strcmp(a, b) != 0;
}

/* Could a recorder have given this name by itself, or as the family's second, third ..? */
static int looks_recorded(const char *name)
{
    const char *dot = strrchr(base_of(name), '.');
    return folder_is_default_name(name) || (dot && is_number_suffix(dot));
}

static char *join(const char *folder, const char *file)
{
    if (strcmp(folder, ".") == 0)
        return xstrdup(file);
    char *path = xmalloc(strlen(folder) + strlen(file) + 2);
    sprintf(path, "%s%s%s", folder, ends_with(folder, "/") || strcmp(folder, "/") == 0 ? "" : "/",
            file);
    return path;
}

char *folder_file_name(const struct folder_entry *entry, enum folder_file file)
{
    char *name = xmalloc(strlen(entry->name) + 8);
    sprintf(name, "%s%s", entry->name, suffix_of(file));
    return name;
}

/* ---- who is whose child ---- */

static int same_process(int32_t pid_a, uint64_t start_a, int32_t pid_b, uint64_t start_b)
{
    return pid_a != 0 && start_a != 0 && pid_a == pid_b && start_a == start_b;
}

static int has_forked(const struct forks *forks, int32_t pid, uint64_t start_time)
{
    for (size_t i = 0; i < forks->count; i++)
        if (same_process(forks->list[i].pid, forks->list[i].start_time, pid, start_time))
            return 1;
    return 0;
}

/* Judging by their processes, is a the child of b? a must have started no earlier than b. */
static int is_child(const struct folder_entry *child, const struct folder_entry *of)
{
    const struct recording_identity *a = &child->identity, *b = &of->identity;
    if (memcmp(a->boot_id, b->boot_id, sizeof a->boot_id) != 0)
        return 0;
    if (same_process(a->parent_pid, a->parent_start_time, b->pid, b->start_time) ||
        has_forked(&of->forks, a->parent_pid, a->parent_start_time))
        return 1;
    if (has_forked(&of->forks, a->pid, a->start_time)) /* forked, then exec'd */
        return 1;
    return same_process(a->pid, a->start_time, b->pid, b->start_time) &&
           memcmp(a->id, b->id, sizeof a->id) != 0; /* exec'd over itself */
}

static int is_in_tree(const struct recording_identity *a, const struct recording_identity *b)
{
    return a->tree != 0 && a->tree == b->tree;
}

/* Entries are in order of start, so a parent always comes before its child. */
static void find_roots(struct folder *folder)
{
    for (size_t i = 0; i < folder->count; i++) {
        struct folder_entry *entry = &folder->entries[i];
        entry->root = i;
        for (size_t k = 0; k < i && entry->root == i; k++) {
            const struct folder_entry *before = &folder->entries[k];
            if (is_in_tree(&entry->identity, &before->identity) || is_child(entry, before))
                entry->root = before->root;
        }
        entry->index = -1;
        if (entry->root == i && folder_is_default_name(entry->name))
            entry->index = (long)folder->listed++;
    }
}

/* ---- reading ---- */

static struct folder_entry *find_or_add(struct folder *folder, const char *name)
{
    for (size_t i = 0; i < folder->count; i++)
        if (strcmp(folder->entries[i].name, name) == 0)
            return &folder->entries[i];
    folder->entries = xrealloc(folder->entries, (folder->count + 1) * sizeof *folder->entries);
    struct folder_entry *entry = &folder->entries[folder->count++];
    memset(entry, 0, sizeof *entry);
    entry->name = xstrdup(name);
    return entry;
}

static void add_unread(struct folder *folder, const char *name, int error)
{
    struct folder_unread unread = {.error = error, .error_number = errno};
    if (error == RECORDING_MISSING || !looks_recorded(name))
        return;
    unread.name = xstrdup(name);
    folder->unread = xgrow(folder->unread, &folder->unread_capacity, folder->unread_count + 1,
                           sizeof *folder->unread);
    folder->unread[folder->unread_count++] = unread;
}

/* The forks become the entry's. */
static void take_identity(struct folder_entry *entry, const struct recording_identity *identity,
                          struct forks *forks)
{
    free(entry->forks.list);
    entry->identity = *identity;
    entry->forks = *forks;
    *forks = (struct forks){0};
}

static void take_file(struct folder *folder, const char *file)
{
    struct recording_identity identity;
    struct forks forks = {0};
    struct stat status;
    char *name = join(folder->path, file);
    enum folder_file kind = kind_of(file);
    /* Anything but a plain file may block or act when it is opened. */
    if (stat(name, &status) == 0 && S_ISREG(status.st_mode)) {
        int rc = recording_identify(name, &identity, &forks);
        name[strlen(name) - strlen(suffix_of(kind))] = '\0';
        struct folder_entry *entry = rc == RECORDING_OK ? find_or_add(folder, name) : NULL;
        if (entry && (entry->files == 0 || kind < (entry->files & -entry->files)))
            take_identity(entry, &identity, &forks);
        if (entry)
            entry->files |= kind;
        else
            add_unread(folder, name, rc);
    }
    free(forks.list);
    free(name);
}

static int is_entry(const struct folder *folder, const char *name)
{
    for (size_t i = 0; i < folder->count; i++)
        if (strcmp(folder->entries[i].name, name) == 0)
            return 1;
    return 0;
}

/* A name counts once, and only if none of its other files can be read. */
static void drop_read(struct folder *folder)
{
    size_t kept = 0;
    for (size_t i = 0; i < folder->unread_count; i++) {
        struct folder_unread *unread = &folder->unread[i];
        int is_known = is_entry(folder, unread->name);
        for (size_t k = 0; k < kept; k++)
            is_known |= strcmp(folder->unread[k].name, unread->name) == 0;
        if (is_known)
            free(unread->name);
        else
            folder->unread[kept++] = *unread;
    }
    folder->unread_count = kept;
}

static int by_start(const void *left, const void *right)
{
    const struct folder_entry *a = left, *b = right;
    if (a->identity.epoch_ns != b->identity.epoch_ns)
        return a->identity.epoch_ns < b->identity.epoch_ns ? -1 : 1;
    return strcmp(a->name, b->name);
}

int folder_read(struct folder *folder, const char *path)
{
    *folder = (struct folder){.path = xstrdup(path)};
    DIR *dir = opendir(path);
    if (!dir)
        return -1;
    const struct dirent *file;
    errno = 0;
    while ((file = readdir(dir)) != NULL)
        if (file->d_type == DT_REG || file->d_type == DT_LNK || file->d_type == DT_UNKNOWN)
            take_file(folder, file->d_name);
    closedir(dir);
    if (folder->count)
        qsort(folder->entries, folder->count, sizeof *folder->entries, by_start);
    find_roots(folder);
    drop_read(folder);
    return 0;
}

void folder_free(struct folder *folder)
{
    for (size_t i = 0; i < folder->count; i++) {
        free(folder->entries[i].name);
        free(folder->entries[i].forks.list);
    }
    free(folder->entries);
    for (size_t i = 0; i < folder->unread_count; i++)
        free(folder->unread[i].name);
    free(folder->unread);
    free(folder->path);
    *folder = (struct folder){0};
}

const struct folder_entry *folder_at(const struct folder *folder, long index)
{
    long wanted = index < 0 ? index + (long)folder->listed : index;
    for (size_t i = 0; i < folder->count && wanted >= 0; i++)
        if (folder->entries[i].index == wanted)
            return &folder->entries[i];
    return NULL;
}

const struct folder_entry *folder_named(const struct folder *folder, const char *name)
{
    const char *base = base_of(name);
    size_t length = strlen(base) - strlen(suffix_of(kind_of(base)));
    for (size_t i = 0; i < folder->count; i++) {
        const char *entry = base_of(folder->entries[i].name);
        if (strcmp(entry, base) == 0 ||
            (strlen(entry) == length && strncmp(entry, base, length) == 0))
            return &folder->entries[i];
    }
    return NULL;
}
