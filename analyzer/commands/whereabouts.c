/* whereabouts.c - see whereabouts.h. */
#include "whereabouts.h"
#include "debian_package.h"
#include "nameless_view.h"

#include <stdlib.h>

int addresses_refused(const char *command, int json, long count, int addresses)
{
    if (!addresses || (!json && count != 0))
        return 0;
    if (json)
        complain("%s: --json has the addresses anyway; leave out --addresses", command);
    else
        complain("%s: --addresses says where code lies, and with -n 0 none is shown; leave one of "
                 "both out",
                 command);
    return 1;
}

void names_foot(const struct image *image, enum series series, FILE *out)
{
    struct nameless list[NAMELESS_SHOWN];
    const char *paths[NAMELESS_SHOWN];
    char *packages[NAMELESS_SHOWN];
    size_t count = nameless_find(image, series, list);
    size_t shown = count < NAMELESS_SHOWN ? count : NAMELESS_SHOWN;
    for (size_t i = 0; i < shown; i++)
        paths[i] = list[i].object->path;
    if (shown > 0)
        debian_packages(DPKG_LISTS, paths, packages, shown);
    for (size_t i = 0; i < shown; i++)
        list[i].package = packages[i];
    nameless_text(list, count, out);
    for (size_t i = 0; i < shown; i++)
        free(packages[i]);
}
