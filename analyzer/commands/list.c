/* list - the recordings of this folder. */
#include "choice.h"
#include "command.h"
#include "family_view.h"
#include "json.h"
#include "leader.h"
#include "lineage.h"
#include "options.h"
#include "text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WIDTH       79
#define COMMAND_MIN 8 /* columns, even where they make the line too long */
#define INDENT_MAX  12

struct values {
    int all;
    int json;
};

static const struct option options[] = {
    {'a', "all", OPTION_FLAG, NULL, offsetof(struct values, all), NULL,
     "list the processes that a command started, too"},
    {0, "json", OPTION_FLAG, NULL, offsetof(struct values, json), NULL, "print JSON"},
    {0}};

/* "03:36:48 22/11/2026". Not what the name says: under run that is the root's start. */
static void start_time(const struct folder_entry *entry, char text[32])
{
    time_t seconds = (time_t)(entry->identity.epoch_ns / 1000000000u);
    struct tm local;
    if (!localtime_r(&seconds, &local) || !strftime(text, 32, "%H:%M:%S %d/%m/%Y", &local))
        strcpy(text, "-");
}

/* Prints the command as far as the line has room, and what follows it. */
static void print_command(const struct relative *relative, size_t used, const char *tail)
{
    used += strlen(tail);
    char *command =
        family_command(relative, used + COMMAND_MIN > WIDTH ? COMMAND_MIN : WIDTH - used);
    printf("%s%s\n", command, tail);
    free(command);
}

static void print_line(const struct folder_entry *entry, const struct relative *relative,
                       size_t indent, const char *tail)
{
    char *name = text_clean(entry->name), time[32], head[32];
    if (entry->index >= 0)
        snprintf(head, sizeof head, "%ld ", entry->index);
    else
        snprintf(head, sizeof head, "%*s", (int)indent, "");
    start_time(entry, time);
    printf("%s%s %s  ", head, name, time);
    print_command(relative, strlen(head) + text_width(name) + strlen(time) + 3, tail);
    free(name);
}

static void print_forked(const struct family *family, size_t i, size_t indent)
{
    char text[96];
    snprintf(text, sizeof text, "%*s%d forked by %d  ", (int)indent, "", family->kin[i].pid,
             family->kin[family->kin[i].starter].pid);
    fputs(text, stdout);
    print_command(&family->relatives[i], strlen(text), "");
}

/* Prints the root, then all that descend from it; a forked one that became another program is shown
 * only as that. */
static void print_tree(const struct folder *folder, size_t root)
{
    struct lineage lineage;
    lineage_of_root(&lineage, folder, root);
    const struct family *f = &lineage.family;
    for (size_t i = 0; i < f->order_count; i++) {
        size_t self = f->order[i];
        size_t indent = 4 + 2 * (f->kin[self].depth > 1 ? f->kin[self].depth - 1 : 0);
        indent = indent > INDENT_MAX ? INDENT_MAX : indent;
        if (f->relatives[self].serial == 0)
            print_line(&folder->entries[lineage.recording_of[self]], &f->relatives[self], indent,
                       "");
        else if (!f->is_left[self])
            print_forked(f, self, indent);
    }
    lineage_free(&lineage);
}

/* Prints the root alone, as what it became last, and how many other processes it led to: "make -j2
 * +12". */
static void print_root(const struct folder *folder, size_t root)
{
    struct lineage lineage;
    char tail[48] = "";
    lineage_of_root(&lineage, folder, root);
    const struct family *f = &lineage.family;
    size_t processes = family_size(f);
    if (processes > 1)
        snprintf(tail, sizeof tail, "  +%zu", processes - 1);
    print_line(&folder->entries[root], &f->relatives[leader_last_image(f)], 0, tail);
    lineage_free(&lineage);
}

static void print_list(const struct folder *folder, int all)
{
    for (size_t i = 0; i < folder->count; i++) {
        if (folder->entries[i].index < 0)
            continue;
        if (all)
            print_tree(folder, i);
        else
            print_root(folder, i);
    }
}

/* ---- JSON ---- */

static void put_forked(struct json *j, const struct family *family, const struct relative *parent)
{
    json_array(j, "forked");
    for (size_t i = 0; i < family->count; i++) {
        const struct relative *r = &family->relatives[i];
        if (r->serial == 0 || strcmp(r->recording, parent->recording) != 0)
            continue;
        json_object(j, NULL);
        json_integer(j, "pid", family->kin[i].pid);
        family_starter_json(j, family, i);
        json_end_object(j);
    }
    json_end_array(j);
}

static void put_entry(struct json *j, const struct lineage *lineage, size_t i)
{
    const struct folder_entry *entry = &lineage->folder->entries[lineage->recording_of[i]];
    json_string(j, "recording", entry->name);
    json_integer(j, "pid", entry->identity.pid);
    family_starter_json(j, &lineage->family, i);
    json_string(j, "command", lineage->family.relatives[i].command);
    json_seconds(j, "start", entry->identity.epoch_ns);
    json_boolean(j, "collected", (entry->files & FOLDER_CAPTURE) != 0);
    put_forked(j, &lineage->family, &lineage->family.relatives[i]);
}

static void put_tree(struct json *j, const struct folder *folder, size_t root)
{
    struct lineage lineage;
    lineage_of_root(&lineage, folder, root);
    const struct family *f = &lineage.family;
    json_object(j, NULL);
    json_integer(j, "index", folder->entries[root].index);
    put_entry(j, &lineage, f->self);
    json_array(j, "children");
    for (size_t i = 0; i < f->count; i++) {
        if (i == f->self || f->relatives[i].serial != 0)
            continue;
        json_object(j, NULL);
        put_entry(j, &lineage, i);
        json_end_object(j);
    }
    json_end_array(j);
    json_end_object(j);
    lineage_free(&lineage);
}

static void put_list(const struct folder *folder)
{
    struct json j;
    json_start(&j, stdout);
    json_array(&j, "recordings");
    for (size_t i = 0; i < folder->count; i++)
        if (folder->entries[i].index >= 0)
            put_tree(&j, folder, i);
    json_end_array(&j);
    json_finish(&j);
}

static int run(const struct invocation *call)
{
    struct values values = {0};
    struct operands operands;
    struct folder folder;
    int rc = options_parse(call, &values, &operands);
    if (rc != OPTIONS_GO)
        return options_exit(rc);
    if (values.all && values.json) {
        complain("list: --json has the processes that a command started in any case; leave --all "
                 "out");
        return COMMAND_USAGE;
    }
    if (folder_read(&folder, ".") != 0) {
        complain("the current folder: cannot be read: %s", strerror(errno));
        folder_free(&folder);
        return COMMAND_FAILED;
    }
    if (values.json)
        put_list(&folder);
    else
        print_list(&folder, values.all);
    if (folder.listed == 0)
        choice_say_no_index(&folder);
    folder_free(&folder);
    return COMMAND_OK;
}

const struct command command_list = {
    .name = "list",
    .operands = "",
    .operand_kind = OPERANDS_NONE,
    .summary = "list the recordings of this folder",
    .description =
        "Lists the recordings of this folder that have the recorder's own names, the oldest "
        "first, each with its index, the time of its start, by the clock and time zone of whoever "
        "looks, and the command (of a program that "
        "replaced itself by exec what it became last); \"+12\" behind that are twelve more "
        "processes that it led to. With --all these stand below it, indented below the one that "
        "started them: those that a process exec'd with their recordings, forked ones, which are "
        "in the recording above, with their pids. An index means the same to every command; "
        "negative ones count from the end, -1 is the newest. Recordings named with run's -o are "
        "not listed; they are used by their names.",
    .options = options,
    .run = run,
};
