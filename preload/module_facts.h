/*
 * module_facts.h - what tells one loaded object from another: its build id, a hash of what is
 * mapped, and the file at its path.
 *
 * Any thread, any signal handler: reads only memory that may be read, and asks the kernel about the
 * file. No allocation, no errno; about 5 us, so it is done only when an object is first met, and
 * again after an unload (loaded.h).
 */
#ifndef MPROF_MODULE_FACTS_H
#define MPROF_MODULE_FACTS_H

#include "objects.h"
#include "spool.h"

struct module_facts {
    uint8_t build_id[SPOOL_BUILD_ID_MAX]; /* zero-padded */
    uint32_t build_id_bytes;
    struct spool_module_facts spooled;
};

void module_facts_read(const struct object *object, struct module_facts *facts);

/* Is it the program itself, which ld.so calls ""? */
static inline int object_is_program(const struct object *object)
{
    return !object->name || !*object->name;
}

#endif
