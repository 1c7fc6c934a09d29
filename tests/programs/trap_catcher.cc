/*
 * trap_catcher.cc - exceptions through a plugin and through our own frames, while its stack is
 * remembered.
 *
 * BUILD -O0
 * VALGRIND no: it ends the program where new cannot be met
 *
 * 100 times throw_through holds 50 bytes while thrower, its callback into main, makes 20 (thrower) and
 * throws, which main catches and frees. 100 times the plugin's operator new is asked for too much; its
 * bad_alloc passes the hook and is caught by main, which then makes and frees 8 bytes (after).
 *
 * EXPECT thrower self allocations 100
 * EXPECT thrower self own_peak_bytes 20
 * EXPECT thrower self live_at_end_blocks 0
 * EXPECT throw_through inclusive live_at_end_blocks 0
 * EXPECT after self allocations 100
 * EXPECT after self temporary 100
 */
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <new>
#include <unistd.h>

struct thrown {
    void *block;
};

static void *thrower(int argument)
{
    void *block = malloc(20);
    if (argument >= 0)
        throw thrown{block};
    return block;
}

static void after()
{
    free(malloc(8));
}

int main()
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 16);
    if (n < 0)
        return 1;
    path[n] = '\0';
    strcpy(strrchr(path, '/') + 1, "trap_thrower");
    void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!plugin)
        return 2;
    auto through = reinterpret_cast<void *(*)(void *(*)(int), int)>(dlsym(plugin, "throw_through"));
    auto too_much = reinterpret_cast<void *(*)(int)>(dlsym(plugin, "ask_too_much"));
    int caught = 0;
    for (int i = 0; i < 100; i++) {
        try {
            through(thrower, i);
        } catch (const thrown &t) {
            free(t.block);
            caught++;
        }
    }
    for (int i = 0; i < 100; i++) {
        try {
            too_much(i);
        } catch (const std::bad_alloc &) {
            after();
            caught++;
        }
    }
    return caught == 200 ? 0 : 3;
}
