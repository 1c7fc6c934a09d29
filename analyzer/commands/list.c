/* list - the recordings of this folder. */
#include "command.h"
#include "folder.h"
#include "json.h"
#include "options.h"
#include "text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct values {
    int json;
};

static const struct option options[] = {
    {0, "json", OPTION_FLAG, NULL, offsetof(struct values, json), NULL, "print JSON"}, {0}};

static const char *base_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

/* "03:36:48 22/11/2026": what the name says (it is the recorder's local time), else the start. */
static void print_time(const struct folder_entry *entry)
{
    char text[64] = "";
    time_t seconds = (time_t)(entry->identity.epoch_ns / 1000000000u);
    struct tm local;
    const char *d = base_of(entry->name) + strlen("mprofile_");
    if (folder_is_default_name(entry->name))
        printf("%.2s:%.2s:%.2s %.2s/%.2s/%.4s\n", d + 8, d + 10, d + 12, d + 6, d + 4, d);
    else if (localtime_r(&seconds, &local) &&
             strftime(text, sizeof text, "%H:%M:%S %d/%m/%Y", &local))
        puts(text);
    else
        puts("-");
}

static void print_line(const struct folder_entry *entry)
{
    char *name = text_clean(entry->name);
    if (entry->index >= 0)
        printf("%ld %s ", entry->index, name);
    else
        printf("    %s ", name);
    print_time(entry);
    free(name);
}

static void print_list(const struct folder *folder)
{
    for (size_t i = 0; i < folder->count; i++) {
        if (folder->entries[i].index < 0)
            continue;
        print_line(&folder->entries[i]);
        for (size_t k = i + 1; k < folder->count; k++)
            if (folder->entries[k].root == i)
                print_line(&folder->entries[k]);
    }
}

static void put_entry(struct json *j, const struct folder_entry *entry)
{
    json_string(j, "recording", entry->name);
    json_integer(j, "pid", entry->identity.pid);
    json_seconds(j, "start", entry->identity.epoch_ns);
    json_boolean(j, "collected", (entry->files & FOLDER_CAPTURE) != 0);
}

static void put_list(const struct folder *folder)
{
    struct json j;
    json_start(&j, stdout);
    json_array(&j, "recordings");
    for (size_t i = 0; i < folder->count; i++) {
        if (folder->entries[i].index < 0)
            continue;
        json_object(&j, NULL);
        json_integer(&j, "index", folder->entries[i].index);
        put_entry(&j, &folder->entries[i]);
        json_array(&j, "children");
        for (size_t k = i + 1; k < folder->count; k++) {
            if (folder->entries[k].root != i)
                continue;
            json_object(&j, NULL);
            put_entry(&j, &folder->entries[k]);
            json_end_object(&j);
        }
        json_end_array(&j);
        json_end_object(&j);
    }
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
    if (folder_read(&folder, ".") != 0) {
        complain("the current folder: cannot be read: %s", strerror(errno));
        folder_free(&folder);
        return COMMAND_FAILED;
    }
    if (values.json)
        put_list(&folder);
    else
        print_list(&folder);
    if (folder.listed == 0)
        complain("there is no recording in this folder; make one with mprof-c run");
    folder_free(&folder);
    return COMMAND_OK;
}

const struct command command_list = {
    .name = "list",
    .operands = "",
    .operand_kind = OPERANDS_NONE,
    .summary = "list the recordings of this folder",
    .description =
        "Lists the recordings of this folder that have the recorder's own names, the oldest first, "
        "each with its index and the time of its start. Recordings of child processes stand "
        "indented below the one that started them. An index means the same to every command; "
        "negative ones count from the end, -1 is the newest. Recordings named with run's -o are "
        "not listed; they are used by their names.",
    .options = options,
    .run = run,
};
