#!/bin/bash
# PostgreSQL: initdb, the server's many forked processes under pgbench, a parallel query, a backend that is
# killed, an orderly stop. It refuses to be root's, so all is another user's; a program that may not write where
# its recording was to be runs all the same.
# TIMEOUT 240
. "$TESTS/e2e/lib.sh"
. "$TESTS/e2e/real.sh"
real_tools_for_all

# Debian keeps the programs where no PATH leads to.
bin=$(find /usr/lib/postgresql /usr/bin -name initdb -printf '%h\n' 2>/dev/null | tail -n 1)
[ -n "$bin" ] || skip "initdb is not there"
PATH=$bin:$PATH
if [ "$(id -u)" = 0 ]; then
    user=$(id -u postgres 2>/dev/null) || user=65534
    real_as=(setpriv --reuid "$user" --regid "$user" --clear-groups)
    real_prepare() { chown "$user" . "../$1.rec"; }
fi
export PGHOST=$PWD PGPORT=5432 PGDATABASE=postgres LC_ALL=C
PGUSER=$(id -un "${user-}")
export PGUSER

ask() { "${real_as[@]}" psql -X -q -A -t "$@"; }
bench() { "${real_as[@]}" pgbench "$@" 2>&1 | grep -E 'transactions actually|failed|rror|ERROR|done in' | sed 's/ *(done in.*\|done in.*//'; }

sleeper() { # the process that sleeps for a client
    ask -c "select pid from pg_stat_activity where query like '%sleep(1%' and pid <> pg_backend_pid()" | grep .
}

serve() { # way
    local run postmaster
    PGHOST=$PWD
    (real_name=initdb real_exec "$1" initdb -D data -A trust --no-sync -E UTF8 --locale=C 2>&1) || fail "initdb: $?"
    cat >>data/postgresql.conf <<CONF
unix_socket_directories = '$PWD'
listen_addresses = ''
fsync = off
log_line_prefix = ''
log_checkpoints = off
shared_buffers = 16MB
max_connections = 20
jit = off
CONF
    real_exec "$1" postgres -D data >log 2>&1 &
    run=$!
    real_guard $run
    real_wait "postgres" 60 ask -c 'select 1'
    postmaster=$(head -n 1 data/postmaster.pid)
    real_guard "$postmaster"
    bench -i -s 1 -q
    bench -c 4 -t 100 -n
    bench -c 2 -j 2 -t 300 -n -S
    ask -f "$real_top/work.sql"
    ask -c "select pg_backend_pid(), pg_sleep(1000)" >/dev/null 2>&1 &
    real_wait "a sleeping backend" 30 sleeper
    kill -KILL "$(sleeper)" # the postmaster ends all others and begins anew
    wait $!
    real_wait "the recovery" 60 ask -c 'select 1'
    ask -c "select count(*) from pgbench_accounts"
    kill -INT "$postmaster"
    wait $run
    echo "postgres ended: $?"
    grep -E 'PANIC|WARNING|ERROR|terminated by|shut down$' log
}
real_normal() {
    sed 's/(PID [0-9]*)//'
}

cat >work.sql <<'END'
create table words as select i, repeat(md5(i::text), 1 + i % 5) as word from generate_series(1, 20000) i;
create index on words (word);
select count(*), sum(length(word)), min(word) from words;
set max_parallel_workers_per_gather = 2;
set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set min_parallel_table_scan_size = 0;
set work_mem = '64kB';
select left(word, 1) as first, count(*) from words group by 1 order by 1;
select count(distinct word) from words w join pgbench_accounts a on a.aid = w.i;
do $$ declare t text := ''; begin
    for i in 1 .. 2000 loop t := t || i; end loop;
    raise notice 'length %', length(t);
    begin perform 1 / 0; exception when division_by_zero then raise notice 'caught'; end;
end $$;
select jsonb_agg(jsonb_build_object('i', i, 'word', left(word, 3)) order by i) from words where i < 5;
select no_such_column from words;
vacuum analyze words;
END
real_allow=(--program initdb --program postgres --program sh --forks 15)
real_session 200000 serve

# The folders are root's now: what setpriv becomes may not write there any more.
[ "$(id -u)" = 0 ] || exit 0
user_as=("${real_as[@]}") real_as=() real_name=shut
for way in plain preload run; do
    chown 0 $way.rec
    (real_exec $way "${user_as[@]}" postgres --single -D "$PWD/plain/data" postgres) \
        <<<'select count(*) from words;' >$way.out 2>$way.err
    echo $? >$way.status
    assert_contains "shut out, $way" '"20000"' $way.out
    [ $way = plain ] || real_same $way "shut out: postgres"
    [ $way = plain ] || assert_eq "shut out: recordings" 1 "$(find $way.rec -name 'shut.*' | wc -l)"
done
