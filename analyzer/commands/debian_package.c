/* debian_package.c - see debian_package.h. */
#include "debian_package.h"
#include "block.h"
#include "xalloc.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTES_MAX (256u << 20) /* of all lists; a desktop has some 100 MiB */
#define LIST      ".list"

struct search {
    const char *const *paths;
    char **packages;
    size_t count, missing;
    size_t bytes_left; /* that may be read */
    char *list;        /* the text of one */
    size_t list_capacity;
};

static int begins_line(const char *list, const char *at)
{
    if (at - list >= 4 && memcmp(at - 4, "/usr", 4) == 0)
        at -= 4;
    return at == list || at[-1] == '\n';
}

static int is_listed(const char *list, size_t bytes, const char *path)
{
    const char *end = list + bytes, *name = strncmp(path, "/usr/", 5) == 0 ? path + 4 : path;
    size_t length = strlen(name);
    for (const char *at = list; (at = memmem(at, (size_t)(end - at), name, length)); at++)
        if ((at + length == end || at[length] == '\n') && begins_line(list, at))
            return 1;
    return 0;
}

/* "libz1" of "libz1:amd64.list" */
static char *package_of(const char *list_name)
{
    size_t length = strcspn(list_name, ":");
    if (!list_name[length])
        length -= strlen(LIST);
    char *package = xstrdup(list_name);
    package[length] = '\0';
    return package;
}

/* Reads a list into s->list. Returns its bytes; 0 where it cannot be read. */
static size_t read_list(struct search *s, int folder, const char *name)
{
    struct stat status;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0)
        return 0;
    size_t bytes = 0;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
        (uint64_t)status.st_size <= s->bytes_left) {
        bytes = (size_t)status.st_size;
        s->list = xgrow(s->list, &s->list_capacity, bytes + 1, 1);
        bytes = read_at(fd, 0, s->list, bytes) > 0 ? bytes : 0;
    }
    close(fd);
    return bytes;
}

static void look_into(struct search *s, int folder, const char *name)
{
    size_t bytes = read_list(s, folder, name);
    s->bytes_left -= bytes;
    for (size_t i = 0; bytes > 0 && i < s->count; i++) {
        if (s->packages[i] || s->paths[i][0] != '/' || !is_listed(s->list, bytes, s->paths[i]))
            continue;
        s->packages[i] = package_of(name);
        s->missing--;
    }
}

static int is_list(const char *name)
{
    size_t length = strlen(name);
    return length > strlen(LIST) && strcmp(name + length - strlen(LIST), LIST) == 0;
}

void debian_packages(const char *folder, const char *const *paths, char **packages, size_t count)
{
    struct search s = {paths, packages, count, count, BYTES_MAX, NULL, 0};
    DIR *lists = opendir(folder);
    memset(packages, 0, count * sizeof *packages);
    if (!lists)
        return;
    for (struct dirent *e; s.missing > 0 && (e = readdir(lists)) != NULL;)
        if (is_list(e->d_name))
            look_into(&s, dirfd(lists), e->d_name);
    closedir(lists);
    free(s.list);
}
