/*
 * start_facts.h - what the start needs to know about the process, read with raw system calls. Used
 * once, by one thread, before the recorder is on; start_facts_start_time again in a forked child.
 */
#ifndef MPROF_START_FACTS_H
#define MPROF_START_FACTS_H

#include "settings.h"

#include <stddef.h>
#include <stdint.h>

#define FACT_PATH 4096

struct start_facts {
    char *environment; /* NUL-separated, as at the exec; ends with an empty string */
    char *command;     /* argv, each with its NUL */
    size_t command_bytes;
    char executable[FACT_PATH], folder[FACT_PATH], host[256];
    int32_t parent_pid;
    uint64_t start_time, parent_start_time;
    uint64_t pid_space; /* the pid namespace's inode; 0 unknown */
    uint8_t boot_id[16];
    int clock_is_counter;
};

/* Everything it maps stays, except the environment and the command, which only the start needs:
 * start_facts_give_back unmaps those. Returns NULL where there is no memory. */
struct start_facts *start_facts_read(void);
void start_facts_give_back(struct start_facts *f);

/* The value of an environment variable, or of one of our settings; NULL where it is not set. */
const char *start_facts_variable(const struct start_facts *f, const char *name);
const char *start_facts_setting(const struct start_facts *f, enum setting setting);

/* The number that a text begins with, which may have a fraction, times `scale`; NULL is 0. */
uint64_t start_facts_number(const char *text, uint64_t scale);

/* MPROF_CHILDREN=0: are the children of this process left alone, and is it itself such a child?
 *   "0"      if its parent began with this library and this setting, too; a process whose parent is
 *            gone counts as a first one
 *   "0:PID"  if its parent is not PID (set by mprof-c run) */
int start_facts_no_children(const struct start_facts *f);
int start_facts_is_child(const struct start_facts *f);

/* pid's start time and parent, from /proc/PID/stat (pid 0: our own); 0 where it cannot be read. */
uint64_t start_facts_start_time(int32_t pid, int32_t *parent_pid);

/* The recording's name: MPROF_OUTPUT with %p, %h and %q{VAR} filled in, or the default; made
 * absolute. Returns its length, or 0 where it does not fit or there is no working folder. */
size_t start_facts_name(const struct start_facts *f, char *to, size_t capacity);

/* "YYYYmmddHHMMSS" of `epoch` in the machine's time zone (TZ or /etc/localtime), else in UTC. */
void start_facts_stamp(const struct start_facts *f, int64_t epoch, char to[15]);

/* Appends text to the NUL-terminated `to`; what does not fit is cut off. */
void start_facts_append(char *to, size_t capacity, const char *text);
void start_facts_append_number(char *to, size_t capacity, uint64_t number);

#endif
