/* scenarios.h - what the threads of a world's program do. */
#ifndef TESTS_SCENARIOS_H
#define TESTS_SCENARIOS_H

struct scenario {
    const char *name;
    void (*start)(void); /* world_fork_program's */
};

extern const struct scenario scenarios[];
extern const int scenario_count;

#endif
