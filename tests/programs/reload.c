/*
 * reload.c - libraries come and go at the same address; every stack keeps its names.
 *
 * BUILD -O0
 * VALGRIND no: the recorder's own dlopen of libunwind made one of the loader's two tables (2304 bytes)
 *
 * 20 times in turn part_one is loaded, called and unloaded, then part_two, which the kernel puts at
 * the place just freed. 20 blocks of 111 bytes by part_one and 20 of 222 by part_two, all kept.
 *
 * EXPECT part_one self allocations 20
 * EXPECT part_one self live_at_end_bytes 2220
 * EXPECT part_two self allocations 20
 * EXPECT part_two self live_at_end_bytes 4440
 * LEAK 20 2220 part_one call main
 * LEAK 20 4440 part_two call main
 */
#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

static void *kept[40];
static int count;

static int call(const char *folder, const char *name)
{
    char path[4200];
    strcpy(stpcpy(path, folder), name);
    void *library = dlopen(path, RTLD_NOW);
    if (!library)
        return 1;
    void *(*part)(void) = (void *(*)(void))dlsym(library, name);
    kept[count++] = part();
    return dlclose(library);
}

int main(void)
{
    char folder[4096];
    ssize_t n = readlink("/proc/self/exe", folder, sizeof folder - 1);
    if (n < 0)
        return 1;
    folder[n] = '\0';
    strrchr(folder, '/')[1] = '\0';
    for (int i = 0; i < 20; i++)
        if (call(folder, "part_one") || call(folder, "part_two"))
            return 2;
    return 0;
}
