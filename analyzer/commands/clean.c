/* clean - removes every recording that `list` shows. */
#include "command.h"
#include "options.h"
#include "removal.h"
#include <errno.h>
#include <string.h>

struct values {
    int dry_run;
};

static const struct option options[] = {{0, "dry-run", OPTION_FLAG, NULL,
                                         offsetof(struct values, dry_run), NULL,
                                         "only list the files that would be removed"},
                                        {0}};

static int run(const struct invocation *call)
{
    struct values values = {0};
    struct operands operands;
    struct folder folder;
    struct removal plan = {0};
    int rc = options_parse(call, &values, &operands);
    if (rc != OPTIONS_GO)
        return options_exit(rc);
    if (folder_read(&folder, ".") != 0) {
        complain("the current folder: cannot be read: %s", strerror(errno));
        folder_free(&folder);
        return COMMAND_FAILED;
    }
    for (size_t i = 0; i < folder.count; i++)
        if (folder.entries[i].index >= 0)
            removal_add(&plan, &folder, &folder.entries[i]);
    for (size_t i = 0; i < folder.unread_count; i++)
        if (folder_is_default_name(folder.unread[i].name))
            removal_add_stub(&plan, folder.unread[i].name);
    folder_free(&folder);
    return removal_finish(&plan, values.dry_run);
}

const struct command command_clean = {
    .name = "clean",
    .operands = "",
    .operand_kind = OPERANDS_NONE,
    .summary = "remove all recordings that list shows",
    .description =
        "Removes every recording of this folder that mprof-c list shows: those with names that "
        "the recorder gave by itself, and the recordings of their children; also the spools of "
        "such names in which nothing was recorded, as there was no room. Recordings named "
        "with run's -o stay, and so does what is still being written, and every other file. How "
        "many recordings went is said.",
    .options = options,
    .run = run,
};
