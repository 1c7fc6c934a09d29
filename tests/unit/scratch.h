/*
 * scratch.h - a test's own empty folder, in which it stands; setup and teardown of cmocka.
 */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char scratch[sizeof "/tmp/mprof-test-XXXXXX"];

static inline int scratch_enter(void **state)
{
    (void)state;
    strcpy(scratch, "/tmp/mprof-test-XXXXXX");
    return mkdtemp(scratch) && chdir(scratch) == 0 ? 0 : -1;
}

static inline int scratch_leave(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", scratch);
    return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

#endif
