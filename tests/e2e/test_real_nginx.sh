#!/bin/bash
# nginx: a master and its worker processes, which are nobody's, under wrk; a reload while it works, logs opened
# anew, an orderly end.
# TIMEOUT 150
. "$TESTS/e2e/lib.sh"
. "$TESTS/e2e/real.sh"
real_tools_for_all
PATH=$PATH:/usr/sbin

real_prepare() {
    mkdir site
    seq 1 5000 >site/numbers
    echo '<p>hello <!--# include virtual="/small" --></p>' >site/page.html
    echo small >site/small
    chmod -R a+rX ../"$1"
    # Workers are another user: they go on in the spool that their master made.
    [ "$(id -u)" = 0 ] && echo "user nobody nogroup;" >nginx.conf
    cat >>nginx.conf <<CONF
worker_processes 2;
pid $PWD/pid;
error_log $PWD/error.log warn;
events { worker_connections 200; }
http {
    log_not_found off;
    access_log $PWD/access.log;
    client_body_temp_path $PWD/t1; proxy_temp_path $PWD/t2; fastcgi_temp_path $PWD/t3;
    uwsgi_temp_path $PWD/t4; scgi_temp_path $PWD/t5;
    types { text/html html; }
    default_type text/plain;
    gzip on; gzip_types text/plain; gzip_min_length 100;
    keepalive_requests 20;
    upstream own { server unix:$PWD/socket; }
    server { listen unix:$PWD/socket; root $PWD/site; ssi on; }
    server { listen 127.0.0.1:PORT; location / { proxy_pass http://own; } }
}
CONF
}

answers() { # port
    /usr/bin/python3 - "$1" <<'END'
import gzip, hashlib, sys, urllib.error, urllib.request
for path, packed in (("numbers", 0), ("numbers", 1), ("page.html", 0), ("absent", 0)):
    request = urllib.request.Request(f"http://127.0.0.1:{sys.argv[1]}/{path}")
    if packed:
        request.add_header("Accept-Encoding", "gzip")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            body = answer.read()
            kind = answer.headers["Content-Encoding"]
            if kind == "gzip":
                body = gzip.decompress(body)
            print(path, answer.status, kind, len(body), hashlib.sha1(body).hexdigest())
    except urllib.error.HTTPError as e:
        print(path, e.code, e.read())
END
}

workers() { pgrep -P "$(cat pid)"; }
two_new_workers() { # the old ones
    [ "$(workers | grep -vwF "$1" | wc -l)" = 2 ] && ! workers | grep -qwF "$1"
}

load() { # port
    wrk -t 1 -c 8 -d 1 "http://127.0.0.1:$1/page.html" >wrk.out 2>&1 || fail "wrk: $(cat wrk.out)"
    ! grep -qE 'Non-2xx|Socket errors' wrk.out || fail "wrk: $(cat wrk.out)"
}

serve() { # way
    local port run before master
    port=$(real_port)
    sed -i "s/PORT/$port/" nginx.conf
    real_exec "$1" nginx -p "$PWD" -e "$PWD/error.log" -c "$PWD/nginx.conf" -g 'daemon off;' >nginx.out 2>nginx.err &
    run=$!
    real_guard $run
    real_wait "nginx's pid" 30 test -s pid
    master=$(cat pid)
    real_guard "$master"
    real_wait "nginx" 30 answers "$port"
    answers "$port"
    load "$port"
    before=$(workers)
    kill -HUP "$master"
    real_wait "new workers" 30 two_new_workers "$before"
    load "$port"
    mv access.log old.log
    kill -USR1 "$master"
    real_wait "the new log" 30 test -e access.log
    answers "$port"
    kill -QUIT "$master"
    wait $run
    echo "nginx ended: $?"
    [ "$(wc -l <old.log)" -gt 1000 ] || fail "no log was written"
    cat nginx.out nginx.err error.log
}

real_allow=(--forks 4 --program nginx)
real_session 50000 serve
