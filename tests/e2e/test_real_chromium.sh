#!/bin/bash
# chromium, headless, loads a page: processes in namespaces and behind filters of system calls of their own, with
# its sandbox on where this machine lets it. Its allocator is its own, linked in: run says so, and what is
# recorded is the memory that it maps; libraries' and the start-up script's allocations besides.
# ALL
# TIMEOUT 400
. "$TESTS/e2e/lib.sh"
. "$TESTS/e2e/real.sh"
real_tools_for_all

program=/usr/lib/chromium/chromium
[ -x $program ] || program=$(command -v chromium) || skip "chromium is not there"
sandbox=()
if [ "$(id -u)" = 0 ]; then # it refuses to be root's, but without its sandbox
    real_as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
fi
real_prepare() {
    [ "$(id -u)" != 0 ] || chown 65534 . "../$1.rec"
    cp ../page.html .
}
cat >page.html <<'END'
<html><body><p id=a>start</p><script>
let s = 0;
for (let i = 0; i < 200000; i++) s += ('x' + i).length;
const list = document.createElement('ul');
for (let i = 0; i < 500; i++) {
    const item = document.createElement('li');
    item.textContent = 'item ' + i;
    list.appendChild(item);
}
document.body.appendChild(list);
document.getElementById('a').textContent = 'sum ' + s;
</script></body></html>
END
export HOME=$PWD/home DBUS_SESSION_BUS_ADDRESS=disabled: DBUS_SYSTEM_BUS_ADDRESS=disabled:
mkdir home && chmod 777 home

browse() { # way
    (real_exec "$1" $program --headless "${sandbox[@]}" --disable-gpu --no-first-run \
        --user-data-dir="$PWD/profile" --dump-dom "file://$PWD/page.html" 2>err)
    echo "chromium ended: $?"
    grep '^mprof-c: ' err >&2 # its own messages are not the same in any two runs
    return 0
}

real_folders plain
(cd plain && browse plain >../first.out 2>&1)
if ! grep -q 'sum 1288890' first.out; then
    sandbox=(--no-sandbox)
    echo "without its sandbox, which this machine does not let it have"
fi

# What run has to say, on the program's own allocator and on processes that end after it.
real_normal() {
    sed '/^mprof-c: .*has an allocator of its own linked in/d; /^mprof-c: .*go.* on recording into/d'
}
real_allow=(--silent 'chrom.*|exe' --program chromium --forks 3)
real_session 0 browse
assert_contains "the page" "sum 1288890" run.out
assert_contains "what run says" "has an allocator of its own linked in" run.err
assert_at_least "mapped bytes" 10000000 "$(json run.rec/real.mprof totals.mapped_peak_bytes)"
assert_at_least "reserved bytes" 1000000000 "$(json run.rec/real.mprof totals.reserved_peak_bytes)"
