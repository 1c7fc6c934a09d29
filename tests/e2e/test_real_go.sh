#!/bin/bash
# Go: a program with cgo, linked dynamically, whose C part allocates in many threads; its C stacks end where they
# come to Go's code, which has no unwind tables. And one without cgo, static, which cannot be recorded.
# TIMEOUT 200
. "$TESTS/e2e/lib.sh"
. "$TESTS/e2e/real.sh"

export GOCACHE=$PWD/cache GOPATH=$PWD/path GO111MODULE=off HOME=$PWD GOFLAGS=
mkdir c pure
cat >c/main.go <<'END_OF_GO'
package main

/*
#include <stdlib.h>
#include <string.h>
static char *twice(const char *s)
{
    char *all = malloc(2 * strlen(s) + 1);
    strcpy(all, s);
    return strcat(all, s);
}
extern int callBack(int);
static int through_c(int n) { char *own = strdup("held"); int r = callBack(n); free(own); return r; }
*/
import "C"

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strings"
	"sync"
	"unsafe"
)

func twice(s string) string {
	given := C.CString(s)
	defer C.free(unsafe.Pointer(given))
	made := C.twice(given)
	defer C.free(unsafe.Pointer(made))
	return C.GoString(made)
}

//export callBack
func callBack(n C.int) C.int {
	if n == 0 {
		return C.int(len(twice("deep")))
	}
	return 1 + C.through_c(n-1)
}

func main() {
	var wait sync.WaitGroup
	lengths := make([]int, 8)
	for g := range lengths {
		wait.Add(1)
		go func(g int) {
			defer wait.Done()
			if g%2 == 0 {
				runtime.LockOSThread()
			}
			for i := 0; i < 2000; i++ {
				lengths[g] += len(twice(strings.Repeat("x", i%50+g)))
			}
		}(g)
	}
	wait.Wait()
	runtime.GC()
	words := map[string]int{}
	for i := 0; i < 20000; i++ {
		words[fmt.Sprint("w", i%997)] += i
	}
	names := make([]string, 0)
	for name := range words {
		names = append(names, name)
	}
	sort.Strings(names)
	fmt.Println(lengths, len(words), names[10], C.through_c(20))
	fmt.Fprintln(os.Stderr, "to standard error")
	os.Exit(5)
}
END_OF_GO
cat >pure/main.go <<'END_OF_GO'
package main

import "fmt"

func main() {
	lists := map[int][]int{}
	for i := 0; i < 100000; i++ {
		lists[i%100] = append(lists[i%100], i)
	}
	fmt.Println(len(lists), len(lists[7]))
}
END_OF_GO
(cd c && CGO_ENABLED=1 go build -o ../dynamic .) >go.out 2>&1 || fail "go build: $(cat go.out)"
(cd pure && CGO_ENABLED=0 go build -o ../static .) >go.out 2>&1 || fail "go build: $(cat go.out)"

real_allow=(--program dynamic --truncated dynamic)
real_program 60000 "$PWD/dynamic"
assert_eq "the program's exit status" 5 "$(cat plain.status)"
real_refused "is statically linked" "$PWD/static"
