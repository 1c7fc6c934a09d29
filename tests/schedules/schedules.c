/*
 * schedules.c - runs recorder and collector against each other in many orders of their steps, with
 * kills and jumps, and holds the outcome against what the threads know to have done.
 *
 *   schedules [--random N] [--pairs] [--replay SCENARIO FINE SEED OFTEN KILL JUMP AT TO AT TO]
 *
 * For each scenario: no switches but at the ends; every single switch to every actor; a kill at
 * every point, and a jump; with --pairs two switches, at all pairs of points where these are few,
 * else at those of every fourth to ninth point; then N random plans, half of them with switches
 * at atomic accesses, too, a third with a kill, a third with a jump. It prints how many of what
 * were tried. The first plan that fails is printed with the points before its end, and how to
 * replay it; exit status 1.
 *
 * The laws: what a thread knows to be recorded is in the capture, and nothing else but what it was
 * about to record; nothing is lost, cut, unmatched or implied; no event is given after a later one;
 * nobody waits for ever; and a second collector, who comes afterwards, finds the same in the spool.
 */
#include "collector.h"
#include "points.h"
#include "scenarios.h"
#include "summary.h"
#include "world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEPS_MAX = 20000, ALL_PAIRS_BELOW = 200, PAIRS_MAX = 2500 };

static char spool_path[256];

/* ---- one world ---- */

/* The spool, once its header is there; -1: not yet. */
static int open_spool(struct collector **c)
{
    int fd = open(spool_path, O_RDONLY | O_CLOEXEC);

    if (fd >= 0 && collector_open(c, fd, -1, NULL) != COLLECT_OK) {
        close(fd);
        fd = -1;
    }
    if (fd >= 0)
        collector_recycle(*c);
    return fd;
}

struct sums {
    struct ledger of[ACTORS]; /* by process serial */
};

static struct sums sum_ledgers(void)
{
    struct sums sums = {0};

    for (int i = 1; i < ACTORS; i++) {
        const struct ledger *l = &world->ledger[i];
        struct ledger *sum = &sums.of[world->actors[i].serial];
        sum->allocations += l->allocations;
        sum->frees += l->frees;
        sum->bytes += l->bytes;
        sum->maybe_allocations += l->maybe_allocations;
        sum->maybe_frees += l->maybe_frees;
        sum->maybe_bytes += l->maybe_bytes;
    }
    return sums;
}

static int is_between(const char *what, uint64_t value, uint64_t least, uint64_t most)
{
    if (value >= least && value <= most)
        return 1;
    fprintf(stderr, "%s: %lu, expected %lu to %lu\n", what, (unsigned long)value,
            (unsigned long)least, (unsigned long)most);
    return 0;
}

static int check_process(const struct process *p, const struct ledger *l)
{
    const struct quality *q = &p->quality;

    return is_between("allocations", p->totals.allocations, l->allocations, l->maybe_allocations) &
           is_between("frees", p->totals.frees, l->frees, l->maybe_frees) &
           is_between("bytes", p->totals.allocated_bytes, l->bytes, l->maybe_bytes) &
           is_between("unmatched", q->unmatched_frees, 0, 0) &
           is_between("implied", q->implied_frees, 0, 0) &
           is_between("lost", q->loss.allocations + q->loss.frees, 0, 0);
}

static int check_image(const struct image *image)
{
    struct sums sums = sum_ledgers();
    int good = is_between("cut", (uint64_t)image->cut, 0, 0);

    for (uint32_t i = 0; i < world->processes; i++) {
        static const struct process nothing;
        const struct process *p = i < image->process_count ? &image->processes[i] : &nothing;
        if (!check_process(p, &sums.of[i])) {
            fprintf(stderr, "in process %u\n", i);
            good = 0;
        }
    }
    return good;
}

/* Another collector, who comes when all is over, finds the same: what was moved is there as a copy.
 */
static int is_still_there(void)
{
    struct collector *c = NULL;
    int fd = open(spool_path, O_RDONLY | O_CLOEXEC);
    int good = collector_open(&c, fd, -1, NULL) == COLLECT_OK &&
               collector_finish(c, 0) == COLLECT_OK && check_image(collector_image(c));

    if (!good)
        fprintf(stderr, "expected the same of a second collector\n");
    collector_free(c);
    close(fd);
    return good;
}

/* The collector, beside whom the program runs. */
static int collect(void)
{
    struct collector *c = NULL;
    int fd = -1, steps = 0;

    for (; world_goes_on() && steps < STEPS_MAX; steps++) {
        point("step");
        if (!c)
            fd = open_spool(&c);
        if (c)
            collector_step(c);
        world_yield();
    }
    if (!c)
        fd = open_spool(&c);
    if (!c) /* killed before there was anything */
        return is_between("killed", (uint64_t)world->killed, 1, 1);
    int good = is_between("steps", (uint64_t)steps, 0, STEPS_MAX - 1);
    good &= collector_finish(c, 0) == COLLECT_OK && check_image(collector_image(c));
    good &= is_between("late events", c->order.late, 0, 0);
    collector_free(c);
    close(fd);
    return good && is_still_there();
}

static void print_plan(const struct plan *p)
{
    fprintf(stderr, "failed: %s; to see it again: schedules --replay %d %d %lu %u %lu %lu",
            scenarios[p->scenario].name, p->scenario, p->fine, (unsigned long)p->seed, p->often,
            (unsigned long)p->kill_at, (unsigned long)p->jump_at);
    for (int i = 0; i < PREEMPTIONS; i++)
        fprintf(stderr, " %lu %d", (unsigned long)p->preemptions[i].at, p->preemptions[i].to);
    fprintf(stderr, "\n");
}

/* Returns the number of points; ends the test where the plan fails. */
static uint64_t run(const struct plan *plan)
{
    unlink(spool_path);
    world_begin(plan);
    world_fork_program(scenarios[plan->scenario].start);
    int good = collect();
    uint64_t points = world->points;
    if (!good)
        print_plan(plan);
    world_end(!good);
    if (!good)
        exit(1);
    return points;
}

/* ---- many ---- */

struct counts {
    unsigned long schedules, kills, jumps;
};

static void try_plan(struct counts *counts, struct plan plan)
{
    counts->schedules++;
    counts->kills += plan.kill_at != 0;
    counts->jumps += plan.jump_at != 0;
    run(&plan);
}

/* Actors of a scenario have the numbers 0 to 2, 3 where there are three threads or more, and 5
 * where the first one forks; of a burst all are alike. */
static int is_actor(int scenario, int actor)
{
    return actor <= 2 || (actor == 3 && (scenario == 1 || scenario >= 5)) ||
           (actor == 5 && scenario == 4);
}

static void try_singles(struct counts *counts, int scenario, uint64_t points)
{
    for (uint64_t at = 1; at <= points; at++) {
        for (int to = 0; to < ACTORS; to++)
            if (is_actor(scenario, to))
                try_plan(counts, (struct plan){.scenario = scenario, .preemptions = {{at, to}}});
        try_plan(counts, (struct plan){.scenario = scenario, .kill_at = at});
        try_plan(counts, (struct plan){.scenario = scenario, .jump_at = at});
    }
}

/* How far the points of pairs are apart. */
static uint64_t stride_of(uint64_t points)
{
    uint64_t stride = 1;

    while (points >= ALL_PAIRS_BELOW && points * points / (2 * stride * stride) > PAIRS_MAX)
        stride++;
    return stride;
}

static void try_pairs(struct counts *counts, int scenario, uint64_t points)
{
    uint64_t stride = stride_of(points);

    for (uint64_t a = 1; a <= points; a += stride)
        for (uint64_t b = a + 1; b <= points; b += stride)
            for (int i = 0; i < 9; i++)
                if (is_actor(scenario, i % 3) && is_actor(scenario, i / 3))
                    try_plan(counts, (struct plan){.scenario = scenario,
                                                   .preemptions = {{a, i % 3}, {b, i / 3}}});
}

static void try_random(struct counts *counts, unsigned long n)
{
    static const uint32_t often[] = {1, 2, 4, 10, 30, 100};

    for (unsigned long i = 1; i <= n; i++) {
        /* Each scenario in all ways, however many there are of them. */
        unsigned long way = i / (unsigned long)scenario_count;
        struct plan plan = {.scenario = (int)(i % (unsigned long)scenario_count),
                            .fine = way % 2 == 0,
                            .seed = i,
                            .often = often[way / 6 % 6]};
        uint64_t at = 1 + i * 2654435761u % (plan.fine ? 3000 : 700);
        if (way % 3 == 0)
            plan.kill_at = at;
        if (way % 3 == 1)
            plan.jump_at = at;
        try_plan(counts, plan);
    }
}

static struct plan read_plan(char **argv)
{
    struct plan p = {atoi(argv[0]),
                     atoi(argv[1]),
                     strtoul(argv[2], NULL, 10),
                     (uint32_t)atoi(argv[3]),
                     {{0, 0}},
                     strtoul(argv[4], NULL, 10),
                     strtoul(argv[5], NULL, 10)};

    for (int i = 0; i < PREEMPTIONS; i++)
        p.preemptions[i] =
            (struct preemption){strtoul(argv[6 + 2 * i], NULL, 10), atoi(argv[7 + 2 * i])};
    return p;
}

/* The recorder takes its settings from the environment that the program began with. */
static void begin_with_output(char **argv)
{
    const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : ".";
    char name[200];

    if (getenv("MPROF_OUTPUT") == NULL) {
        snprintf(name, sizeof name, "%s/schedules-%d.mprof", folder, (int)getpid());
        setenv("MPROF_OUTPUT", name, 1);
        execv("/proc/self/exe", argv);
    }
    snprintf(spool_path, sizeof spool_path, "%s.spool", getenv("MPROF_OUTPUT"));
}

int main(int argc, char **argv)
{
    struct counts counts = {0};
    unsigned long random = 0;
    int pairs = 0;

    begin_with_output(argv);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--replay") == 0 && i + 10 < argc) {
            struct plan plan = read_plan(argv + i + 1);
            printf("%lu points\n", (unsigned long)run(&plan));
            return 0;
        }
        if (strcmp(argv[i], "--random") == 0 && i + 1 < argc)
            random = strtoul(argv[++i], NULL, 10);
        pairs |= strcmp(argv[i], "--pairs") == 0;
    }
    for (int s = 0; s < scenario_count; s++) {
        struct plan plain = {.scenario = s};
        uint64_t points = run(&plain);
        printf("%s: %lu points\n", scenarios[s].name, (unsigned long)points);
        try_singles(&counts, s, points);
        if (pairs)
            try_pairs(&counts, s, points);
    }
    try_random(&counts, random);
    unlink(spool_path);
    printf("%lu schedules, %lu of them with a kill, %lu with a jump: all as they should be\n",
           counts.schedules, counts.kills, counts.jumps);
    return 0;
}
