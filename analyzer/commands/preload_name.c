/* preload_name.c - see preload_name.h. */
#include "preload_name.h"
#include "xalloc.h"
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int preload_name_is_plain(const char *path)
{
    return strpbrk(path, " :$") == NULL;
}

/* Is this a folder of ours in which nobody else can change anything? Makes it if it is missing. */
static int is_own_folder(const char *path)
{
    struct stat status;

    if (mkdir(path, 0755) == 0)
        chmod(path, 0755); /* whatever the umask: the program may become another user */
    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
           (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static uint64_t number_of(const char *text)
{
    uint64_t number = 0xcbf29ce484222325u; /* FNV-1a */

    for (; *text != '\0'; text++)
        number = (number ^ (unsigned char)*text) * 0x100000001b3u;
    return number;
}

static int leads_to(const char *link, const char *library)
{
    char target[PATH_MAX];
    ssize_t bytes = readlink(link, target, sizeof target);

    return bytes == (ssize_t)strlen(library) && memcmp(target, library, (size_t)bytes) == 0 &&
           access(link, R_OK) == 0;
}

/* Two processes that do this at the same time make the same link. */
static int make_link(const char *link, const char *library)
{
    char fresh[PATH_MAX + 32];

    if (leads_to(link, library))
        return 1;
    snprintf(fresh, sizeof fresh, "%s.%ld", link, (long)getpid());
    unlink(fresh);
    if (symlink(library, fresh) != 0)
        return 0;
    if (rename(fresh, link) != 0)
        unlink(fresh);
    return leads_to(link, library);
}

static char *link_in(const char *folder, const char *library)
{
    char path[PATH_MAX];
    int own, all;

    if (folder == NULL || folder[0] != '/' || !preload_name_is_plain(folder))
        return NULL;
    own = snprintf(path, sizeof path, "%s/mprof-c-%ld", folder, (long)geteuid());
    if (own >= (int)sizeof path || !is_own_folder(path))
        return NULL;
    all = own + snprintf(path + own, sizeof path - (size_t)own, "/%016lx",
                         (unsigned long)number_of(library));
    if (all >= (int)sizeof path || !is_own_folder(path))
        return NULL;
    all += snprintf(path + all, sizeof path - (size_t)all, "/libmprof.so");
    return all < (int)sizeof path && make_link(path, library) ? xstrdup(path) : NULL;
}

char *preload_name(const char *library)
{
    const char *const folders[] = {getenv("TMPDIR"), "/tmp", "/var/tmp", "/dev/shm",
                                   getenv("XDG_RUNTIME_DIR")};
    char *name = NULL;

    if (preload_name_is_plain(library))
        return xstrdup(library);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0] && name == NULL; i++)
        name = link_in(folders[i], library);
    return name;
}
