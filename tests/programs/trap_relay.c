/*
 * trap_relay.c - a library that loads another by its bare name, found by its own $ORIGIN; no case of its
 * own.
 *
 * BUILD -O0 -shared -fPIC '-Wl,-rpath,$ORIGIN'
 */
#include <dlfcn.h>
#include <stdlib.h>

void *relay(const char *name);
void *relay_block(void);
void relay_free(void *block);

void *relay(const char *name)
{
    return dlopen(name, RTLD_NOW | RTLD_LOCAL);
}

void *relay_block(void)
{
    return malloc(70);
}

void relay_free(void *block)
{
    free(block);
}
