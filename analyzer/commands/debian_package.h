/*
 * debian_package.h - which Debian package has installed a file: read from dpkg's lists of files,
 * without dpkg. One thread.
 */
#ifndef MPROF_DEBIAN_PACKAGE_H
#define MPROF_DEBIAN_PACKAGE_H

#include <stddef.h>

#define DPKG_LISTS "/var/lib/dpkg/info" /* a file NAME:ARCHITECTURE.list for each package */

/* packages[i] becomes the name of the package that has paths[i], for free(), or NULL where none
 * has. /lib and /usr/lib are one folder. Reads each list once, 256 MiB of them at most. */
void debian_packages(const char *folder, const char *const *paths, char **packages, size_t count);

#endif
