/*
 * secure.c - says whether it runs with privileges of its own and whether the library of the first argument's name is
 * loaded; for test_secure.sh, no case of its own.
 *
 * BUILD -O0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

int main(int argc, char **argv)
{
    char line[4096];
    int loaded = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps))
        loaded |= argc > 1 && strstr(line, argv[1]) != NULL;
    printf("secure %d loaded %d\n", getauxval(AT_SECURE) != 0, loaded);
    free(malloc(1000));
    return 0;
}
