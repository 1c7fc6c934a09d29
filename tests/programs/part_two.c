/*
 * part_two.c - a library that reload.c loads and unloads; no case of its own.
 *
 * BUILD -O0 -shared -fPIC
 */
#include <stdlib.h>

void *part_two(void);

void *part_two(void)
{
    return malloc(222);
}
