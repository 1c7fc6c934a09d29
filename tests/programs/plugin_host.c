/*
 * plugin_host.c - a C program, not linked with libstdc++, loads a C++ plugin with RTLD_LOCAL.
 *
 * BUILD -O0
 * VALGRIND exact
 *
 * plugin_work: 24 + 400 bytes, freed, then 24 + 40, kept: 4 allocations by new. The delete frees the
 * 400 first, which is the last allocated: 1 temporary. The loader's own allocations are compared with
 * valgrind's count only.
 *
 * EXPECT plugin_work inclusive allocations 4
 * EXPECT plugin_work inclusive allocated_bytes 488
 * EXPECT plugin_work inclusive own_peak_bytes 424
 * EXPECT plugin_work inclusive live_at_end_bytes 64
 * EXPECT plugin_work inclusive live_at_end_blocks 2
 * EXPECT plugin_work inclusive temporary 1
 * LEAK 1 24 plugin_work main
 */
#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 16);
    if (n < 0)
        return 1;
    path[n] = '\0';
    strcpy(strrchr(path, '/') + 1, "plugin");
    void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!plugin)
        return 2;
    void (*work)(void) = (void (*)(void))dlsym(plugin, "plugin_work");
    int (*catch)(void) = (int (*)(void))dlsym(plugin, "plugin_catch");
    if (!work || !catch)
        return 3;
    work();
    return catch () == 42 ? 0 : 4;
}
