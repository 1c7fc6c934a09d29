/* completion.c - see completion.h. */
#include "completion.h"

static void put_names(const struct command *const *table, FILE *out)
{
    for (const struct command *const *c = table; *c; c++)
        fprintf(out, "%s%s", c == table ? "" : " ", (*c)->name);
}

static void put_options(const struct command *command, FILE *out)
{
    fputs("-h --help", out);
    for (const struct option *o = command->options; o && o->name; o++) {
        if (o->letter)
            fprintf(out, " -%c", o->letter);
        fprintf(out, " --%s", o->name);
    }
}

/* What may follow an option that takes an argument. */
static void put_arguments(const struct command *command, FILE *out)
{
    for (const struct option *o = command->options; o && o->name; o++) {
        if (!o->argument)
            continue;
        fprintf(out, "            %s.", command->name);
        if (o->letter)
            fprintf(out, "-%c|%s.", o->letter, command->name);
        fprintf(out, "--%s) ", o->name);
        if (o->choices)
            fprintf(out, "COMPREPLY=($(compgen -W '%s' -- \"$word\")) ;;\n", o->choices);
        else if (o->type == OPTION_TEXT)
            fputs("compopt -o default ;;\n", out);
        else
            fputs(";;\n", out);
    }
}

static void put_operands(const struct command *const *table, const struct command *command,
                         FILE *out)
{
    fprintf(out, "            %s) ", command->name);
    switch (command->operand_kind) {
    case OPERANDS_NONE:
        break;
    case OPERANDS_RECORDINGS:
        fputs("_mprof_c_recordings ", out);
        break;
    case OPERANDS_PROGRAM:
        fputs("compopt -o default; COMPREPLY=($(compgen -c -- \"$word\")) ", out);
        break;
    case OPERANDS_COMMAND:
        fputs("COMPREPLY=($(compgen -W '", out);
        put_names(table, out);
        fputs("' -- \"$word\")) ", out);
        break;
    }
    fputs(";;\n", out);
}

void completion_bash(const struct command *const *table, FILE *out)
{
    fputs("# bash completion for mprof-c; made by mprof-c help --completion, do not edit.\n\n"
          "_mprof_c_recordings() {\n"
          "    local file IFS=$'\\n'\n"
          "    COMPREPLY=($(compgen -d -- \"$word\"))\n"
          "    for file in $(compgen -f -- \"$word\"); do\n"
          "        case $file in\n"
          "            *.mprof.spool) COMPREPLY+=(\"${file%.spool}\") ;;\n"
          "            *.mprof|*.mprof.[0-9]*) COMPREPLY+=(\"$file\") ;;\n"
          "        esac\n"
          "    done\n"
          "    compopt -o filenames\n"
          "}\n\n"
          "_mprof_c() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    local command=${COMP_WORDS[1]}\n"
          "    COMPREPLY=()\n"
          "    if ((COMP_CWORD == 1)); then\n"
          "        COMPREPLY=($(compgen -W '",
          out);
    put_names(table, out);
    fputs(" -h --help --version' -- \"$word\"))\n"
          "        return\n"
          "    fi\n"
          "    if [[ $before == -* ]]; then\n"
          "        case $command.$before in\n",
          out);
    for (const struct command *const *c = table; *c; c++)
        put_arguments(*c, out);
    fputs("            *) before= ;;\n"
          "        esac\n"
          "        [[ $before ]] && return\n"
          "    fi\n"
          "    if [[ $word == -* ]]; then\n"
          "        case $command in\n",
          out);
    for (const struct command *const *c = table; *c; c++) {
        fprintf(out, "            %s) COMPREPLY=($(compgen -W '", (*c)->name);
        put_options(*c, out);
        fputs("' -- \"$word\")) ;;\n", out);
    }
    fputs("        esac\n"
          "        return\n"
          "    fi\n"
          "    case $command in\n",
          out);
    for (const struct command *const *c = table; *c; c++)
        put_operands(table, *c, out);
    fputs("    esac\n"
          "}\n\n"
          "complete -F _mprof_c mprof-c\n",
          out);
}
