/*
 * lineage.h - who belongs to the tree of a recording, from the recordings in its folder.
 *
 * A root's tree is all that was recorded with it; the tree of another recording, or of a process in
 * one, is it and what descends from it. An orphan belongs to the root. Heads show who there is and
 * cost little; figures require reading every summary, and collecting what is not collected yet. One
 * recording is open at a time, as a tree may have thousands. Single-threaded; says in one sentence
 * what cannot be read, and goes on without it.
 */
#ifndef MPROF_LINEAGE_H
#define MPROF_LINEAGE_H

#include "family.h"
#include "folder.h"
#include "recording.h"

struct lineage {
    struct family family; /* its unread recordings were reported already */
    const struct folder *folder;
    struct folder own;    /* what `folder` points to after lineage_read */
    struct arena *memory; /* of the relatives' texts */
    size_t *recording_of; /* [i]: relative i's entry in the folder */
    size_t asked;         /* the entry of the recording that was asked for */
    size_t capacity, kin_capacity, recording_capacity;
    uint64_t epoch_ns; /* when the tree begins: the start of the recording asked for */
    uint64_t beside;   /* other recordings of the family, as that recording knows; 0 unknown */
};

enum lineage_depth {
    LINEAGE_HEADS,   /* figures only of `image`, which is NAME's and already open */
    LINEAGE_FIGURES, /* of all */
};

void lineage_read(struct lineage *l, const char *name, const struct image *image,
                  enum lineage_depth depth);

/* Reads the heads of a root's tree in a folder that was read already and outlives the lineage. */
void lineage_of_root(struct lineage *l, const struct folder *folder, size_t root);
void lineage_free(struct lineage *l);

/* Makes another relative `self`. */
void lineage_turn_to(struct lineage *l, size_t relative);

/* Makes `self` the last life of the process with this pid. Returns 0, or -1 after a sentence that
 * names the pids there are. */
int lineage_choose(struct lineage *l, const char *name, long pid);

/* Says in a sentence that recordings of the family are not in the folder, if the one that was asked
 * for knows of more. lineage_tell counts them, too. */
void lineage_tell_absent(const struct lineage *l, const char *name);

/* Says, in a sentence each, what the figures of the whole tree lack, as counted in family.h,
 * whether a process still runs, and of which programs only mappings are recorded. After
 * lineage_read with LINEAGE_FIGURES. */
void lineage_tell(const struct lineage *l, const char *name);

/* Calls `take` for each relative of `self`'s tree, in order of the recordings, with its recording
 * open; `last`: the recording's image is released after this call. Returns how many were taken. */
struct lineage_visit {
    struct recording *recording;
    const struct image *image;
    const struct process *process;
    const struct relative *relative;
    uint64_t shift_ns; /* the image's time 0, in time since the tree's begin */
    int last;
};
typedef void lineage_taker(void *context, const struct lineage_visit *visit);
size_t lineage_visit(const struct lineage *l, lineage_taker *take, void *context);
size_t lineage_visit_one(const struct lineage *l, size_t relative, lineage_taker *take,
                         void *context);

/* Reads the figures of the relative and of the images that its process had before, as far as only
 * their heads were read. */
void lineage_read_lives(struct lineage *l, size_t relative);

/* The whole tree as one image with one process (merged.h); NULL where nothing of it can be read.
 * image_free it. */
struct image *lineage_merge(const struct lineage *l);

#endif
