#!/bin/bash
# tmux: its server leaves as a daemon and outlives what started it, so that it records to its spool on its own.
# TIMEOUT 100
. "$TESTS/e2e/lib.sh"
. "$TESTS/e2e/real.sh"

export TERM=screen SHELL=/bin/sh
mux() { tmux -S "$PWD/socket" "$@"; }
shows() { mux capture-pane -p -t "s:$1" | grep -c "$2" | grep -q "^${3-1}\$"; } # pane, what, in how many lines

serve() { # way
    local pid
    (real_exec "$1" tmux -S "$PWD/socket" -f /dev/null new-session -d -s s -x 80 -y 24 "exec sh") || fail "tmux: $?"
    pid=$(mux display-message -p '#{pid}')
    real_guard "$pid"
    mux set-option -g history-limit 20000 \; new-window -d -t s:1 cat
    mux send-keys -t s:0 "PS1='> '; clear; seq 1 30000; echo the-end" Enter
    real_wait "the output" 30 shows 0.0 '^the-end'
    # No program may end before it has begun: it would have recorded nothing.
    mux split-window -d -t s:0 'seq 1 2000; read -r line'
    real_wait "the other pane's output" 30 shows 0.1 '^2000$'
    mux send-keys -t s:1 'echoed' Enter
    real_wait "what cat repeats" 30 shows 1 '^echoed' 2
    mux resize-window -t s:0 -x 100 -y 40
    mux resize-window -t s:0 -x 60 -y 20
    mux list-windows -t s -F '#{window_index} #{window_panes} #{window_width}x#{window_height}'
    mux capture-pane -p -t s:0 -S -100 | grep -c '^[0-9]'
    mux set-buffer -b b "$(seq 1 3000)"
    mux show-buffer -b b | cksum
    mux list-keys | wc -l
    mux kill-server
    real_wait "the server's end" 30 real_gone "$pid"
}

# run, too, is gone before the server, and says so.
real_normal() {
    sed '/^mprof-c: .* still runs\? and goe\?s\? on recording into .*real\.mprof/d'
}
real_allow=(--program tmux --forks 2)
real_session 100000 serve
assert_contains "what run says" "and others" run.err
