/* rm - removes recordings by index or file. */
#include "choice.h"
#include "command.h"
#include "options.h"
#include "removal.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct values {
    int dry_run;
};

static const struct option options[] = {{0, "dry-run", OPTION_FLAG, NULL,
                                         offsetof(struct values, dry_run), NULL,
                                         "only list the files that would be removed"},
                                        {0}};

static const char *why_not(const char *name)
{
    struct recording_identity identity;
    if (!choice_exists(name))
        return "does not exist";
    if (recording_identify(name, &identity, NULL) == RECORDING_TOO_NEW)
        return "was written by a later version of mprof-c; use that one";
    return "is not a recording";
}

/* NAME or NAME.spool, of a recorder that could not begin. */
static int plan_stub(struct removal *plan, const char *name)
{
    static const char suffix[] = ".spool";
    size_t length = strlen(name), end = length - strlen(suffix);
    char *base = strdup(name);
    if (base && length > strlen(suffix) && strcmp(name + end, suffix) == 0)
        base[end] = '\0';
    int added = base && removal_add_stub(plan, base);
    free(base);
    return added;
}

/* 0, or -1 after a sentence. */
static int plan_one(struct removal *plan, const char *operand)
{
    struct folder folder;
    char *name = choice_name(operand);
    if (!name)
        return -1;
    char *path = folder_of_file(name);
    const struct folder_entry *entry = NULL;
    int is_planned = 0;
    if (folder_read(&folder, path) != 0)
        complain("%s: its folder cannot be read: %s; nothing was removed", name, strerror(errno));
    else if ((entry = folder_named(&folder, name)) != NULL)
        removal_add(plan, &folder, entry);
    else if (!(is_planned = plan_stub(plan, name)))
        complain("%s: %s; nothing was removed", name, why_not(name));
    folder_free(&folder);
    free(path);
    free(name);
    return entry || is_planned ? 0 : -1;
}

static int run(const struct invocation *call)
{
    struct values values = {0};
    struct operands operands;
    struct removal plan = {0};
    int rc = options_parse(call, &values, &operands);
    if (rc != OPTIONS_GO)
        return options_exit(rc);
    for (int i = 0; i < operands.count; i++)
        if (plan_one(&plan, operands.names[i]) != 0)
            return COMMAND_FAILED; /* what was planned is not carried out */
    size_t kept = plan.kept;
    int status = removal_finish(&plan, values.dry_run);
    return kept ? COMMAND_FAILED : status;
}

static const struct example examples[] = {
    {"mprof-c rm -1", "removes the newest recording of this folder"},
    {"mprof-c rm --dry-run 0 build.mprof", "lists what would be removed"},
    {0}};

const struct command command_rm = {
    .name = "rm",
    .operands = "FILE|INDEX...",
    .operand_kind = OPERANDS_RECORDINGS,
    .operands_min = 1,
    .operands_max = -1,
    .summary = "remove recordings",
    .description =
        "Removes the named recordings, and with one of a program those of its whole tree: what "
        "is in the files says who belongs to it. Only files that are recordings by their "
        "contents are removed, whatever their names; where one of the arguments is none, nothing "
        "is removed at all. A tree of which anything is still being written stays. How many "
        "recordings went is said.",
    .options = options,
    .examples = examples,
    .run = run,
};
