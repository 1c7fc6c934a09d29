/* debuginfod_cache.c - see debuginfod_cache.h. The places are those of debuginfod-find(1). */
#include "debuginfod_cache.h"

#include <stdio.h>
#include <stdlib.h>

static bool put_path(char *path, size_t room, const char *folder, const char *below,
                     const char *build_id)
{
    int bytes = snprintf(path, room, "%s%s/%s/debuginfo", folder, below, build_id);
    return bytes >= 0 && (size_t)bytes < room;
}

bool debuginfod_cache_path(const char *build_id, char *path, size_t room)
{
    const char *own = getenv("DEBUGINFOD_CACHE_PATH"), *caches = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    if (own && *own)
        return put_path(path, room, own, "", build_id);
    if (caches && *caches)
        return put_path(path, room, caches, "/debuginfod_client", build_id);
    return home && put_path(path, room, home, "/.cache/debuginfod_client", build_id);
}
