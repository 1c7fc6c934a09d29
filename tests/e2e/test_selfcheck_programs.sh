#!/bin/bash
# Real programs with the self-check on: none of their stacks differs from libunwind's. C, C++ with and without
# exceptions, threads, libraries that are loaded late, code made at run time, children.
# TIMEOUT 300
. "$TESTS/e2e/lib.sh"

export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat PYTHONMALLOC=malloc
programs=0

real() { # N, least, command..
    local every=$1 least=$2
    shift 2
    command -v "$1" >/dev/null || return
    programs=$((programs + 1))
    assert_selfchecked "$programs.mprof" "$every" "$least" 0 "$@"
    assert_eq "$1: truncated stacks" 0 "$(json "$programs.mprof" quality.truncated_stacks)"
    rm -f "$programs".mprof*
}

cat >small.cc <<'END'
#include <map>
#include <stdexcept>
#include <string>
int main()
{
    std::map<std::string, int> m;
    for (int i = 0; i < 9; i++)
        try {
            m[std::to_string(i)] = i;
            throw std::runtime_error("x");
        } catch (const std::exception &e) {
            m[e.what()]++;
        }
    return m.size() - 10;
}
END
cat >throws.py <<'END'
import ctypes, decimal, json, re, sqlite3, threading
c = sqlite3.connect(":memory:")
for i in range(20):
    try:
        json.loads("[1, {\"a\": [%d, ]}" % i)
        c.execute("no sql")
    except (ValueError, sqlite3.Error):
        pass
threads = [threading.Thread(target=lambda: re.findall("a+", "aabaa" * 10)) for _ in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
print(ctypes.CDLL(None).getpid() > 0, decimal.Decimal(2).sqrt())
END
cat >work.js <<'END'
const { Worker, isMainThread } = require('worker_threads');
const table = new Map();
for (let i = 0; i < 3000; i++) table.set('k' + i, { i, text: 'x'.repeat(i % 50) });
console.log(JSON.stringify([...table].slice(0, 3)), require('zlib').gzipSync(Buffer.alloc(100000)).length);
if (isMainThread) new Worker(__filename);
END
git init -q repository && (
    cd repository && git config user.name A && git config user.email a@example.org || exit
    for i in 1 2 3 4 5 6; do
        seq "$i" $((i * 100)) >numbers
        git add . && git commit -q -m "change $i"
    done
) || fail "git"
seq 30000 | sort -R --random-source=/bin/bash >lines

real 5 1000 perl -MPOSIX -MData::Dumper -MFile::Temp -e 'my %h; $h{$_ % 97} .= "x$_" for 1 .. 3000; print Dumper(\%h)'
real 1 500 sqlite3 :memory: 'create table t(a, b); with recursive n(i) as (select 1 union all select i + 1
    from n where i < 300) insert into t select i, i * 2 from n; select sum(b) from t group by a % 7 order by 1;'
real 1 500 git -C repository log --stat -p
real 1 50 git -C repository repack -a -d -f -q
real 5 1000 /usr/bin/python3 throws.py
real 20 3000 clang++ -c -O1 -o small.o small.cc
real 20 3000 g++ -O1 -o small small.cc
real 1 20 ./small
real 10 1000 node work.js
real 1 10 sort --parallel=2 lines
real 1 10 xz -T2 -k -f lines
real 1 100 bash -c 'for i in 1 2 3; do echo "$(ls)"; done | cat'
real 1 50 objcopy small stripped
real 1 300 gnuplot -e 'set terminal dumb; plot sin(x)'
assert_at_least "programs" 10 $programs
