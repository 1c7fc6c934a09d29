/*
 * folder.h - the recordings in a folder: which there are, which is whose child, and their indexes.
 *
 * A recording is what recording_identify takes for one, whatever its name. NAME, NAME.spool and
 * NAME.part are files of one recording. A recording's child is one whose process it started, or
 * that took over its process by exec; with the tree mark of `mprof-c run`, all belong to the one
 * that started first. Roots with names that the recorder gives by itself,
 * mprofile_YYYYmmddHHMMSS_PID.mprof, are numbered from 0, the oldest first.
 *
 * The folder owns its entries. Reads the head of each file once; opens nothing else and writes
 * nothing. Single-threaded.
 */
#ifndef MPROF_FOLDER_H
#define MPROF_FOLDER_H

#include "recording.h"

enum folder_file { /* which files a recording has, one bit each */
                   FOLDER_CAPTURE = 1 << 0,
                   FOLDER_SPOOL = 1 << 1,
                   FOLDER_PART = 1 << 2,
};

struct folder_entry {
    char *name; /* as recording_open takes it, with the folder's path unless that is "." */
    unsigned files;
    struct recording_identity identity; /* of the capture, else the spool, else the part */
    struct forks forks;                 /* the same one's */
    size_t root;                        /* index in entries; its own for a root */
    long index;                         /* as `list` shows it; -1: has none */
};

struct folder_unread {       /* a file that a recorder seems to have named, and nobody can read */
    char *name;              /* as in folder_entry; no entry has it */
    int error, error_number; /* of recording.h, and errno */
};

struct folder {
    char *path;
    struct folder_entry *entries; /* the earliest start first */
    size_t count;
    size_t listed; /* entries with an index */
    struct folder_unread *unread;
    size_t unread_count, unread_capacity;
};

/* 0, or -1 where the folder cannot be read (errno says why); folder_free in any case. */
int folder_read(struct folder *folder, const char *path);
void folder_free(struct folder *folder);

/* The entry with this index, negative ones from the end; NULL: there is none. */
const struct folder_entry *folder_at(const struct folder *folder, long index);

/* The entry of this name (NAME, or one of its files), NULL: there is none. */
const struct folder_entry *folder_named(const struct folder *folder, const char *name);

/* Does the name show that the recording is of the root's family? NAME and NAME.1, .2 .. are, and
 * default names with the same moment, as `run` gives them. Names with %p show nothing. */
int folder_same_family(const char *root, const char *name);

/* Is the name the root's with a number behind it: NAME.1, NAME.2 ..? */
int folder_is_numbered(const char *root, const char *name);

/* The folder of a file's name: "." or what comes before the last slash. free() it. */
char *folder_of_file(const char *name);

/* Is the base name one that the recorder gives by itself? */
int folder_is_default_name(const char *name);

/* NAME, NAME.spool or NAME.part of an entry; free() it. */
char *folder_file_name(const struct folder_entry *entry, enum folder_file file);

#endif
