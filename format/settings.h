/*
 * settings.h - the environment variables of the recorder: one list, read by the recorder, set by
 * `mprof-c run` and shown by the help and libmprof(7).
 *
 * SETTING(NAME, variable, default as text, what it does)
 */
#ifndef MPROF_SETTINGS_H
#define MPROF_SETTINGS_H

#define MPROF_SETTINGS(SETTING)                                                                    \
    SETTING(OUTPUT, "MPROF_OUTPUT", "mprofile_YYYYmmddHHMMSS_PID.mprof",                           \
            "file of the recording; %p is the pid, %h the host, %q{VAR} an environment variable")  \
    SETTING(INTERVAL, "MPROF_INTERVAL", "0.1",                                                     \
            "seconds between two samples of the resident set, taken at events; 0 takes none. "     \
            "mprof-c run takes its own, whose seconds -T says, or else this")                      \
    SETTING(FREE_STACKS, "MPROF_FREE_STACKS", "0",                                                 \
            "1 records the stack of every free and unmapping, too")                                \
    SETTING(                                                                                       \
        LIMIT, "MPROF_LIMIT", "half of the free space",                                            \
        "MiB that the spool may take in all, 4 at least; what does not fit is counted as lost")    \
    SETTING(SELFCHECK, "MPROF_SELFCHECK", "0",                                                     \
            "N compares every Nth recorded stack with libunwind's; report says how many differ")   \
    SETTING(CHILDREN, "MPROF_CHILDREN", "1",                                                       \
            "0 records the first process only, no forked and no exec'd ones")                      \
    SETTING(TREE, "MPROF_TREE", "",                                                                \
            "set by mprof-c run: what all recordings of one run have in common (hexadecimal)")

enum setting {
#define SETTING_NUMBER(NAME, variable, value, help) SETTING_##NAME,
    MPROF_SETTINGS(SETTING_NUMBER)
#undef SETTING_NUMBER
};

#endif
