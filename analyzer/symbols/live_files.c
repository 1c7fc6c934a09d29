/* live_files.c - see live_files.h. */
#include "live_files.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static bool is_same(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

bool live_path_below_root(int32_t pid, const char *path, char to[LIVE_PATH])
{
    char root[64], mounts[64];
    snprintf(root, sizeof root, "/proc/%" PRId32 "/root", pid);
    snprintf(mounts, sizeof mounts, "/proc/%" PRId32 "/ns/mnt", pid);
    if (is_same(root, "/") && is_same(mounts, "/proc/self/ns/mnt"))
        return false;
    return path[0] == '/' && snprintf(to, LIVE_PATH, "%s%s", root, path) < LIVE_PATH;
}

struct mapping {
    uint64_t start, end, inode;
    dev_t device;
};

/* Finds the line of /proc/PID/maps that covers the address. */
static bool find_mapping(int32_t pid, uint64_t address, struct mapping *m)
{
    char line[LIVE_PATH];
    unsigned major, minor;
    bool found = false;
    snprintf(line, sizeof line, "/proc/%" PRId32 "/maps", pid);
    FILE *maps = fopen(line, "re");
    while (maps && !found && fgets(line, sizeof line, maps)) {
        int fields = sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %x:%x %" SCNu64, &m->start,
                            &m->end, &major, &minor, &m->inode);
        found = fields == 5 && address >= m->start && address < m->end && m->inode;
    }
    if (maps)
        fclose(maps);
    if (found)
        m->device = makedev(major, minor);
    return found;
}

static bool is_mapping(const char *path, const struct mapping *m)
{
    struct stat s;
    return stat(path, &s) == 0 && s.st_ino == m->inode && s.st_dev == m->device;
}

/* The kernel shows map_files only to the privileged; but the file may be the program, or open. */
static bool find_open(int32_t pid, const struct mapping *m, char to[LIVE_PATH])
{
    char folder[64];
    bool found = false;
    snprintf(folder, sizeof folder, "/proc/%" PRId32 "/fd", pid);
    DIR *open = opendir(folder);
    for (struct dirent *e; open && !found && (e = readdir(open));)
        found = e->d_name[0] != '.' &&
                snprintf(to, LIVE_PATH, "%s/%s", folder, e->d_name) < LIVE_PATH &&
                is_mapping(to, m);
    if (open)
        closedir(open);
    return found;
}

bool live_path_mapped(int32_t pid, uint64_t address, unsigned n, char to[LIVE_PATH])
{
    struct mapping m;
    if (n > 2 || !find_mapping(pid, address, &m))
        return false;
    if (n == 0)
        return snprintf(to, LIVE_PATH, "/proc/%" PRId32 "/map_files/%" PRIx64 "-%" PRIx64, pid,
                        m.start, m.end) < LIVE_PATH;
    if (n == 1) /* if it is another file, an empty path makes the caller try the next way */
        return snprintf(to, LIVE_PATH, "/proc/%" PRId32 "/exe", pid) < LIVE_PATH &&
               (is_mapping(to, &m) || (*to = '\0', true));
    return find_open(pid, &m, to);
}
