#!/bin/bash
# A 32-bit program gets no library of 64 bits, which its ld.so would complain of; all else in LD_PRELOAD it gets.
. "$TESTS/e2e/lib.sh"

cat >small.c <<'END_OF_SMALL'
__asm__(".globl _start\n_start:\n mov %esp, %eax\n push %eax\n call begin\n");

static int call(int number, int a, const char *b, int c)
{
    __asm__ volatile("int $0x80" : "+a"(number) : "b"(a), "c"(b), "d"(c) : "memory");
    return number;
}

/* Prints its LD_PRELOAD. */
void begin(char **stack)
{
    for (char **v = stack + (long)stack[0] + 2; *v; v++) {
        int bytes = 0;
        while ((*v)[bytes])
            bytes++;
        if ((*v)[0] == 'L' && (*v)[3] == 'P')
            call(4, 1, *v, bytes);
    }
    call(4, 1, ".\n", 2);
    call(1, 5, 0, 0);
}
END_OF_SMALL
gcc -m32 -O1 -static -nostdlib -fno-pie -no-pie -fno-stack-protector -o small small.c || fail "cannot build for 32 bits"
./small >plain.out 2>/dev/null
[ $? = 5 ] || skip "this kernel starts no 32-bit programs"
mkdir bin
cp small bin/small-in-path
printf '#!%s/small\n' "$PWD" >script
printf '#!%s/script with an argument\n' "$PWD" >script-of-script
chmod 755 script script-of-script

cat >host.py <<'END_OF_SOURCE'
import ctypes, os, sys
libc = ctypes.CDLL(None)
os.environ["PATH"] = "/nowhere:bin:" + os.environ["PATH"]
libc.setenv(b"PATH", os.environ["PATH"].encode(), 1)
way, program = sys.argv[1:]
arguments = [program]
if way == "execve":
    os.execve(program, arguments, os.environ)
elif way == "execvp":
    argv = (ctypes.c_char_p * 2)(program.encode(), None)
    libc.execvp(program.encode(), argv)
elif way == "fexecve":
    os.execve(os.open(program, os.O_RDONLY), arguments, os.environ)
elif way == "fexecve, no reading":
    os.execve(os.open(program, os.O_PATH), arguments, os.environ)
elif way == "execveat":
    argv = (ctypes.c_char_p * 2)(program.encode(), None)
    folder = os.open(".", os.O_RDONLY)
    os.set_inheritable(folder, True)  # a script is opened by it once more
    environ = (ctypes.c_char_p * 2)(("LD_PRELOAD=" + os.environ["LD_PRELOAD"]).encode(), None)
    libc.syscall(322, folder, program.encode(), argv, environ, 0)
elif way == "posix_spawn":
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(os.posix_spawn(program, arguments, os.environ), 0)[1]))
elif way == "posix_spawnp":
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(os.posix_spawnp(program, arguments, os.environ), 0)[1]))
elif way == "system":
    sys.exit(os.waitstatus_to_exitcode(os.system(program)))
END_OF_SOURCE

other=$(readlink -f "$(gcc -print-file-name=libjemalloc.so.2)")
try() { # way, program
    LD_PRELOAD=$LIB:$other MPROF_OUTPUT=host.mprof /usr/bin/python3 host.py "$1" "$2" >out 2>err
    local got=$?
    assert_eq "$1 $2: status ($(cat err))" 5 $got
    assert_eq "$1 $2: what it gets" "LD_PRELOAD=$other." "$(cat out)"
}
for program in ./small ./script ./script-of-script; do
    for way in execve execvp posix_spawn posix_spawnp system execveat; do
        try $way $program
    done
done
try execvp small-in-path
try posix_spawnp small-in-path
try fexecve ./small
try "fexecve, no reading" ./small
grep -aq "is a 32-bit one" ./host.mprof*.spool || fail "the recording does not say why"

# One that is not there is still not there, and programs of 64 bits are recorded.
LD_PRELOAD=$LIB MPROF_OUTPUT=none.mprof /usr/bin/python3 host.py execvp no-such-program >out 2>err
assert_eq "no such program: status" 0 $?
LD_PRELOAD=$LIB MPROF_OUTPUT=true.mprof /usr/bin/python3 host.py posix_spawnp true || fail "true: $?"
assert_eq "a program of 64 bits" true "$(json true.mprof.1 command.0)"
