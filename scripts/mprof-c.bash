# bash completion for mprof-c; made by mprof-c help --completion, do not edit.

_mprof_c_recordings() {
    local file IFS=$'\n'
    COMPREPLY=($(compgen -d -- "$word"))
    for file in $(compgen -f -- "$word"); do
        case $file in
            *.mprof.spool) COMPREPLY+=("${file%.spool}") ;;
            *.mprof|*.mprof.[0-9]*) COMPREPLY+=("$file") ;;
        esac
    done
    compopt -o filenames
}

_mprof_c() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    local command=${COMP_WORDS[1]}
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        COMPREPLY=($(compgen -W 'run plot peak report leaks list rm clean help -h --help --version' -- "$word"))
        return
    fi
    if [[ $before == -* ]]; then
        case $command.$before in
            run.-o|run.--output) compopt -o default ;;
            run.-T|run.--interval) ;;
            run.-t|run.--timeout) ;;
            plot.-o|plot.--output) compopt -o default ;;
            plot.-t|plot.--title) compopt -o default ;;
            plot.-w|plot.--window) ;;
            plot.--skip) ;;
            plot.--pid) ;;
            peak.--func) ;;
            peak.--pid) ;;
            report.-n|report.--count) ;;
            report.-s|report.--sort) COMPREPLY=($(compgen -W 'peak self at-peak allocations bytes live name' -- "$word")) ;;
            report.--pid) ;;
            leaks.-n|leaks.--count) ;;
            leaks.--pid) ;;
            *) before= ;;
        esac
        [[ $before ]] && return
    fi
    if [[ $word == -* ]]; then
        case $command in
            run) COMPREPLY=($(compgen -W '-h --help -o --output -T --interval -t --timeout -E --exit-code -q --quiet --no-children --free-stacks' -- "$word")) ;;
            plot) COMPREPLY=($(compgen -W '-h --help -o --output -t --title -w --window -n --no-function-ts --skip -s --slope -C --include-children -M --multiprocess --pid --heap --mapped' -- "$word")) ;;
            peak) COMPREPLY=($(compgen -W '-h --help --func --json --pid --tree --heap --mapped' -- "$word")) ;;
            report) COMPREPLY=($(compgen -W '-h --help -n --count -s --sort --json --addresses --pid --tree --heap --mapped' -- "$word")) ;;
            leaks) COMPREPLY=($(compgen -W '-h --help -n --count --json --addresses --pid --tree --heap --mapped' -- "$word")) ;;
            list) COMPREPLY=($(compgen -W '-h --help -a --all --json' -- "$word")) ;;
            rm) COMPREPLY=($(compgen -W '-h --help --dry-run' -- "$word")) ;;
            clean) COMPREPLY=($(compgen -W '-h --help --dry-run' -- "$word")) ;;
            help) COMPREPLY=($(compgen -W '-h --help --manual --library-manual --completion' -- "$word")) ;;
        esac
        return
    fi
    case $command in
            run) compopt -o default; COMPREPLY=($(compgen -c -- "$word")) ;;
            plot) _mprof_c_recordings ;;
            peak) _mprof_c_recordings ;;
            report) _mprof_c_recordings ;;
            leaks) _mprof_c_recordings ;;
            list) ;;
            rm) _mprof_c_recordings ;;
            clean) ;;
            help) COMPREPLY=($(compgen -W 'run plot peak report leaks list rm clean help' -- "$word")) ;;
    esac
}

complete -F _mprof_c mprof-c
