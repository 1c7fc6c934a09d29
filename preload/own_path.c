/* own_path.c - see own_path.h. */
#include "own_path.h"
#include "init.h"
#include "lookup.h"
#include "start_facts.h"

#include <stdlib.h>
#include <string.h>

uint64_t own_path_searched;

static char path[FACT_PATH];

const char *own_path(void)
{
    return path;
}

uint64_t own_path_number(const char *text)
{
    uint64_t number = 0xcbf29ce484222325u; /* FNV-1a */
    for (; *text; text++)
        number = (number ^ (unsigned char)*text) * 0x100000001b3u;
    return number | 1; /* none is OWN_PATH_NOT_SET */
}

/* By ld.so's list, not by dladdr, which takes ld.so's lock. A relative name counts from the folder
 * of the program's start, where ld.so found us. */
static __attribute__((constructor)) void find(void)
{
    const char *searched = getenv("LD_LIBRARY_PATH");
    const struct link_map *own = lookup_own();
    own_path_searched = searched ? own_path_number(searched) : OWN_PATH_NOT_SET;
    if (!own || (own->l_name[0] != '/' && !init_folder()[0]))
        return;
    if (own->l_name[0] != '/') {
        own_path_searched = OWN_PATH_ELSEWHERE;
        start_facts_append(path, sizeof path, init_folder());
        start_facts_append(path, sizeof path, "/");
    }
    start_facts_append(path, sizeof path, own->l_name);
    if (strlen(path) + 1 == sizeof path)
        path[0] = 0; /* cut short */
}
