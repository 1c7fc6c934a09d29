#!/bin/bash
# redis-server (linked with jemalloc, several threads) under redis-benchmark, with a save in a forked
# child and a clean stop.
# TIMEOUT 200
. "$TESTS/e2e/lib.sh"

# Debian's redis-tools holds the server, too, under the name of a checker that looks at its own name.
server=$(command -v redis-server) || ln -s "$(command -v redis-check-rdb)" redis-server
server=${server:-$PWD/redis-server}
cli() { redis-cli -s "$PWD/socket" "$@"; }

serve() { # way
    local way=$1 i
    set -- "$server" --port 0 --unixsocket "$PWD/socket" --dir "$PWD" --dbfilename "$way.rdb" --save "" --loglevel warning
    if [ "$way" = preload ]; then
        preload $way.mprof "$@" >$way.log 2>&1 &
    else
        run_as $way.mprof "$@" >$way.log 2>&1 &
    fi
    pid=$!
    for i in $(seq 100); do
        cli ping >/dev/null 2>&1 && break
        kill -0 $pid 2>/dev/null || fail "$way: redis-server ended: $(cat $way.log)"
        sleep 0.1
    done
    redis-benchmark -s "$PWD/socket" -q -n 5000 -c 10 -t set,get,lpush,hset,zadd >$way.bench 2>&1 ||
        fail "$way: redis-benchmark: $(cat $way.bench)"
    cli bgsave >/dev/null
    for i in $(seq 100); do
        [ -s $way.rdb ] && cli info persistence | grep -q 'rdb_bgsave_in_progress:0' && break
        sleep 0.1
    done
    cli info persistence | grep -q 'rdb_last_bgsave_status:ok' || fail "$way: the save failed"
    cli shutdown nosave
    wait $pid
    assert_eq "$way: exit status of redis-server" 0 $?
    assert_clean $way.mprof
    assert_at_least "$way: allocations" 5000 "$(json $way.mprof totals.allocations)"
    assert_plots $way.mprof
    assert_at_least "$way: forked children" 1 "$(json $way.mprof children | grep -o '"fork"' | wc -l)"
}

serve preload
serve run
