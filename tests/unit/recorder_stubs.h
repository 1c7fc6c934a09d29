/*
 * recorder_stubs.h - what the sources of the recorder's walk need of the rest of it, for the tests
 * that include them: the spool's tables are memory here.
 */
#ifndef TESTS_RECORDER_STUBS_H
#define TESTS_RECORDER_STUBS_H

enum { MODULES = 512, PCS = 1 << 18 };

__thread struct tls tls;
uint64_t sys_forbidden;
static struct spool_control control;
static struct spool_header header;
static struct spool_process process;
static struct spool_module modules[MODULES];
static struct spool_pc pcs[PCS];
struct spool_mapping spool = {&header, &control, &process, 0};

void *spool_entry(const struct spool_table *table, uint32_t i)
{
    if (i >= table->capacity)
        return NULL;
    return table == &header.modules ? (void *)&modules[i] : (void *)&pcs[i];
}

const char *init_executable(void)
{
    return "/test";
}

const char *init_folder(void)
{
    return "/";
}

int init_counter_serves = 1;

uint64_t init_ticks_slow(void)
{
    return arch_ticks();
}

static void start_recorder(void)
{
    header.modules.capacity = MODULES;
    header.pcs.capacity = PCS;
    loaded_start();
    unwind_open();
}

#endif
