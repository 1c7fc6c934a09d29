/*
 * ends_after.c - a library whose IFUNC resolver runs before the recorder is relocated, and whose
 * destructor runs after the recorder's; test_ends.py preloads it behind the recorder.
 *
 * BUILD -O0 -shared -fPIC
 *
 * ld.so relocates the last library first, and ends the first one first. in_resolver asks for blocks and
 * a mapping, which are not recorded; in_constructor makes 2 blocks of 40 and frees the resolver's; the
 * destructor frees one, lets the other grow to 4000 (in_destructor) and makes 2 of 70 there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void *kept[2], *made[2], *map;

static int answer(void)
{
    return 42;
}

static int (*in_resolver(void))(void)
{
    kept[0] = malloc(100);
    kept[1] = calloc(30, 7);
    kept[0] = realloc(kept[0], 300);
    free(malloc(10));
    map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    map = mremap(map, 8192, 4096, 0);
    return answer;
}

int ends_after(void) __attribute__((visibility("hidden"), ifunc("in_resolver")));

static void say(const char *text)
{
    write(1, text, strlen(text));
}

static __attribute__((constructor)) void in_constructor(void)
{
    memset(kept[0], 1, 300);
    say(ends_after() == 42 && map && ((char *)kept[1])[209] == 0 ? "resolved\n" : "not resolved\n");
    for (int i = 0; i < 2; i++) {
        free(kept[i]);
        made[i] = malloc(40);
    }
    munmap(map, 4096);
}

static __attribute__((destructor)) void in_destructor(void)
{
    free(made[0]);
    made[1] = realloc(made[1], 4000);
    for (int i = 0; i < 2; i++)
        kept[i] = malloc(70);
    say("destructor\n");
}
