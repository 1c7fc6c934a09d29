/*
 * rebuilt.c - one library in two builds, loaded in turn by the same name at the same address; no case of
 * its own (test_selfcheck.sh builds them).
 *
 * BUILD -O2
 *
 * Arguments: the two builds. Each is ./part.so 20 times: loaded, entered, unloaded. What it calls back
 * (block) makes and frees 10 blocks of 24. Exit status 3 unless it mostly lies where it lay before.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINE(text) write(1, text "\n", sizeof text)

static void block(void)
{
    for (int i = 0; i < 10; i++) {
        void *volatile p = malloc(24);
        free(p);
    }
}

static void *use(const char *build)
{
    unlink("part.so");
    if (link(build, "part.so") != 0)
        exit(2);
    void *library = dlopen("./part.so", RTLD_NOW);
    void (*enter)(void (*)(void)) =
        library ? (void (*)(void (*)(void)))(__INTPTR_TYPE__)dlsym(library, "enter") : NULL;
    if (!enter)
        exit(2);
    enter(block);
    dlclose(library);
    return (void *)(__INTPTR_TYPE__)enter;
}

int main(int argc, char **argv)
{
    void *at = NULL;
    int same = 0;
    if (argc != 3)
        return 1;
    for (int i = 0; i < 40; i++) {
        void *now = use(argv[1 + i % 2]);
        same += now == at;
        at = now;
    }
    if (same < 30)
        return 3;
    LINE("done");
    return 0;
}
