#!/bin/bash
# redis-server (linked with jemalloc, several threads) under redis-benchmark, with a save and a rewrite of the
# append-only file, each in a forked child, under load; then a clean stop, and the file is read again.
# TIMEOUT 150
. "$TESTS/e2e/lib.sh"
. "$TESTS/e2e/real.sh"

# Debian's redis-tools holds the server, too, under the name of a checker that looks at its own name.
server=$(command -v redis-server) || ln -s "$(command -v redis-check-rdb)" redis-server
server=${server:-$PWD/redis-server}
cli() { redis-cli -s "$PWD/socket" "$@"; }
quietly() { cli info persistence | tr -d '\r' | grep -q "^$1:0$"; }

start() { # way
    real_exec "$1" "$server" --port 0 --unixsocket "$PWD/socket" --dir "$PWD" --dbfilename dump.rdb --save "" \
        --appendonly yes --activedefrag no --loglevel warning >>log 2>&1 &
    run=$!
    real_guard $run
    real_wait "redis-server" 30 cli ping
    real_wait "its data" 30 quietly loading
    real_guard "$(cli info server | tr -d '\r' | sed -n 's/^process_id://p')"
}

stop() {
    cli shutdown
    wait $run
    echo "redis-server ended: $?"
}

load() { # tests
    redis-benchmark -s "$PWD/socket" -q -n 3000 -c 10 -P 2 -t "$1" >bench 2>&1 || fail "redis-benchmark: $(cat bench)"
}

content() {
    cli dbsize
    cli llen mylist
    cli zcard myzset
    cli strlen big
    cli eval 'local s = 0; for i = 1, 2000 do s = s + #(("x"):rep(i % 40) .. i) end; return s' 0
}

serve() { # way
    start "$1"
    load set,get,lpush,hset,zadd,sadd
    cli setrange big 3000000 end
    cli eval 'for i = 1, 5000 do redis.call("set", "key" .. i, ("v"):rep(i % 100)) end' 0
    cli bgsave
    load lpush,zadd
    real_wait "the save" 60 quietly rdb_bgsave_in_progress
    cli bgrewriteaof
    load set,lpush,mset
    real_wait "the rewrite" 60 quietly aof_rewrite_in_progress
    cli info persistence | tr -d '\r' | grep -E '^(rdb_last_bgsave|aof_last_bgrewrite|aof_last_write)_status'
    content
    stop
    [ -s dump.rdb ] || fail "no dump was written"
    real_name=again
    start "$1" # reads what was written
    content
    stop
    cat log
}

real_normal() { # pids and times: "123:M 25 Nov 2026 21:50:00.000 # .."
    sed -E 's/^[0-9]+:([A-Z]) [^#*]*/\1 /; s/pid=[0-9]+//'
}
real_allow=(--forks 2 --program redis-server)
real_session 150000 serve
