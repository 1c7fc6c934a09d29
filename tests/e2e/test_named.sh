#!/bin/bash
# Functions of the program's own with names that libc has: they are in the report and in the picture; a plugin's `main` is
# not the program's, but that of a program whose main lies in a library is.
. "$TESTS/e2e/lib.sh"

cat >start_names.c <<'END'
#include <stdlib.h>
static void *volatile block;
__attribute__((noinline)) void clone(void) { block = malloc(3000000); }
__attribute__((noinline)) void start_thread(void) { block = malloc(2000000); }
__attribute__((noinline)) void thread_start(void) { block = malloc(1000000); }
int main(void) { clone(); start_thread(); thread_start(); return 0; }
END
gcc -O1 -g -o start_names start_names.c || fail gcc
run_as names ./start_names
"$MPROF" report names >report.txt
for function in clone start_thread thread_start; do
    grep -qE "^ *[0-9]+  $function " report.txt || fail "$function is not in the report: $(cat report.txt)"
done
"$MPROF" plot -o names.svg names && assert_contains "the picture" "clone" names.svg

# A plugin with a main of its own.
cat >plugin.c <<'END'
#include <stdlib.h>
static void *volatile block;
__attribute__((noinline)) void inside(void) { block = malloc(3000); }
int main(int argc, char **argv) { (void)argc, (void)argv; inside(); return 0; }
END
cat >loads.c <<'END'
#include <dlfcn.h>
#include <stdlib.h>
static void *volatile block;
__attribute__((noinline)) void between(int (*f)(int, char **)) { block = malloc(1000); f(0, 0); __asm__ volatile(""); }
int main(void) { block = malloc(1); between((int (*)(int, char **))dlsym(dlopen("./plugin.so", 2), "main")); return 0; }
END
gcc -O1 -g -shared -fPIC -o plugin.so plugin.c && gcc -O1 -g -o loads loads.c || fail gcc
run_as loads.mprof ./loads
"$MPROF" plot -o loads.svg loads.mprof && assert_contains "what calls the plugin" between loads.svg

# A program's main in a library of its own.
gcc -O1 -g -o thin -Wl,--no-as-needed ./plugin.so -Wl,-rpath,"$PWD" || fail gcc
run_as thin.mprof ./thin
"$MPROF" plot -o thin.svg thin.mprof && assert_contains "in main" inside thin.svg
