#!/bin/bash
# Programs, and their debug files, that are rewritten, replaced or removed once they have run, while `run` still collects
# the family: its status is the program's, every recording is complete, and no name is another program's.
. "$TESTS/e2e/lib.sh"

cat >app.c <<'END'
#include <stdlib.h>
#include <unistd.h>

static void *volatile kept;

void *few(void)
{
    return malloc(1);
}

void *many(void)
{
    return malloc(2);
}

int main(int argc, char **argv)
{
    (void)argv;
    kept = argc > 1 ? many() : few();
    usleep(60000); /* `run` looks at it meanwhile */
    return 0;
}
END
sed 's/few/less/; s/many/more/' app.c >other.c

# What becomes of the file there; then a copy of the program as it was, at another path, goes on.
check_way() { # file, way
    local file=$1 way=$2 family each program
    rm -rf "$file" family* && cp "whole-$file" "$file" && cp whole-app app2
    printf '#!/bin/sh\n./app\n%s\n./app2 x\nexit 7\n' "$way" >family.sh
    chmod +x family.sh
    "$MPROF" run -q -o family.mprof -- ./family.sh >out 2>err
    local status=$?
    assert_eq "$way: status ($(cat err))" 7 $status
    assert_eq "$way: standard error" "" "$(grep -v "^./family.sh" err)"
    [ -z "$(find . -name 'family*.part' -o -name 'family*.spool')" ] || fail "$way: $(ls)"
    for each in family.mprof.[0-9]*; do
        program=$(json "$each" command.0)
        case $program in
        ./app) refuse="many less more main.c" ;;
        ./app2) refuse="few less more" ;;
        *) continue ;;
        esac
        assert_eq "$way: allocations of $program" 1 "$(json "$each" totals.allocations)"
        assert_clean "$each"
        "$MPROF" report --json "$each" >report.json || fail "$way: report $each"
        for family in $refuse; do
            ! grep -q "\"name\": \"$family\"" report.json || fail "$way: $program has the name $family"
        done
        [ "$program$file" != ./app2app ] || grep -q '"name": "many"' report.json || fail "$way: app2 has no names"
    done
}

for id in sha1 none; do
    gcc -g -O0 -Wl,--build-id=$id -o whole-app app.c && gcc -g -O0 -Wl,--build-id=$id -o other other.c || fail gcc
    check_way app ': >app'
    check_way app 'truncate -s 5000 app'
    check_way app 'head -c 20000 /dev/urandom >app'
    check_way app 'head -c 20000 /dev/zero >>app'
    check_way app 'rm app'
    check_way app 'rm app; mkfifo app'
    check_way app 'rm app; mkdir app'
    check_way app 'cp other app'
    check_way app 'rm app; cp other app'
done

# The same of a separate debug file.
gcc -g -O0 -o with-debug app.c && objcopy --only-keep-debug with-debug whole-app.debug &&
    cp whole-app.debug app.debug && strip -o whole-app with-debug &&
    objcopy --add-gnu-debuglink=app.debug whole-app || fail objcopy
cp whole-app app
for way in ': >app.debug' 'truncate -s 3000 app.debug' 'rm app.debug; mkfifo app.debug' 'rm app.debug' \
    'cp other app.debug'; do
    cp whole-app app
    check_way app.debug "$way"
done
