/*
 * part_one.c - a library that reload.c loads and unloads; no case of its own.
 *
 * BUILD -O0 -shared -fPIC
 */
#include <stdlib.h>

void *part_one(void);

void *part_one(void)
{
    return malloc(111);
}
