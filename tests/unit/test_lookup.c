/*
 * The recorder's look-ups against ld.so's own: every function of every library that is loaded here,
 * by each of its versions (dlvsym) and without one (dlsym), with both kinds of hash tables; and
 * what is not there is not found.
 */
#include "../../preload/lookup.c"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Without their own entries in the list: the program, and the kernel's. */
static int is_library(const struct link_map *object)
{
    return strstr(object->l_name, ".so") && strncmp(object->l_name, "linux-vdso", 10) != 0;
}

static const ElfW(Sym) * symbol_at(const struct link_map *object, uint32_t i)
{
    return (const ElfW(Sym) *)lookup_table(object, DT_SYMTAB) + i;
}

static void check_version(const struct link_map *object, const ElfW(Sym) * symbol)
{
    const char *name = lookup_name(object, symbol);
    const char *version = version_name((struct definition){object, symbol});
    if (!version)
        return;
    void *theirs = dlvsym(RTLD_DEFAULT, name, version);
    void *ours = lookup_address(lookup(lookup_all(), name, version));
    if (ours != theirs)
        fail_msg("%s@%s of %s: %p, ld.so says %p", name, version, object->l_name, ours, theirs);
    assert_null(lookup_in(object, name, "NO_SUCH_VERSION").object);
}

static void check_default(const ElfW(Sym) * symbol, const struct link_map *object)
{
    const char *name = lookup_name(object, symbol);
    void *theirs = dlsym(RTLD_DEFAULT, name),
         *ours = lookup_address(lookup(lookup_all(), name, NULL));
    /* ld.so shows what has no default version to nobody; we do, to those who were bound to it. */
    if (theirs && ours != theirs)
        fail_msg("%s: %p, ld.so says %p", name, ours, theirs);
}

static unsigned check_object(const struct link_map *object)
{
    unsigned checked = 0;
    for (uint32_t i = 1; i < lookup_count(object); i++) {
        const ElfW(Sym) *symbol = symbol_at(object, i);
        if (!is_function(symbol) || (symbol->st_other & 3) == STV_HIDDEN)
            continue;
        check_version(object, symbol);
        check_default(symbol, object);
        checked++;
    }
    return checked;
}

static void every_function(void **state)
{
    (void)state;
    unsigned libraries = 0, functions = 0;
    for (const struct link_map *o = lookup_all(); o; o = o->l_next)
        if (is_library(o)) {
            libraries++;
            functions += check_object(o);
        }
    assert_true(libraries >= 3); /* cmocka, libc, ld.so */
    assert_true(functions > 2000);
}

/* Compiled for the test with the older kind of hash table alone, and with both. */
static void *build_and_load(const char *style)
{
    char command[300], path[64];
    snprintf(path, sizeof path, "./%s.so", style);
    snprintf(command, sizeof command,
             "for i in $(seq 300); do echo \"int f_$i(void) { return $i; }\"; done |"
             " cc -shared -fPIC -Wl,--hash-style=%s -o %s -xc -",
             style, path);
    assert_int_equal(system(command), 0);
    return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

static void both_hash_tables(void **state)
{
    (void)state;
    static const char *const styles[] = {"sysv", "gnu", "both"};
    for (int style = 0; style < 3; style++) {
        struct link_map *object = build_and_load(styles[style]);
        assert_non_null(object);
        for (int i = 1; i <= 300; i++) {
            char name[16];
            snprintf(name, sizeof name, "f_%d", i);
            assert_ptr_equal(lookup_address(lookup_in(object, name, NULL)), dlsym(object, name));
            assert_ptr_equal(lookup_address(lookup_in(object, name, "ANY")), dlsym(object, name));
        }
        assert_null(lookup_in(object, "f_301", NULL).object);
        assert_true(lookup_count(object) > 300);
        dlclose(object);
    }
}

static void what_is_not_there(void **state)
{
    (void)state;
    assert_null(lookup(lookup_all(), "no_such_function_anywhere", NULL).object);
    assert_null(lookup_address(lookup(lookup_all(), "", NULL)));
    assert_null(lookup_address(lookup(NULL, "malloc", NULL)));
    assert_null(lookup_address(lookup(lookup_all(), "environ", NULL))); /* no function */
    assert_ptr_equal(lookup_own(), lookup_all());
    assert_ptr_equal(lookup_behind(), lookup_all()->l_next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function),
        cmocka_unit_test(both_hash_tables),
        cmocka_unit_test(what_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
