#!/bin/bash
# Rust: rustc itself (which compiles in threads, and links), what it makes (threads, channels, collections, a panic
# that is caught), and the same linked statically, which cannot be recorded.
# TIMEOUT 300
. "$TESTS/e2e/lib.sh"
. "$TESTS/e2e/real.sh"

rustc=/usr/bin/rustc # a rustc before it may be rustup's, which takes the one for the folder and downloads
[ -x $rustc ] || rustc=$(command -v rustc)
cat >work.rs <<'END_OF_WORK'
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{mpsc, Arc, Mutex};
use std::thread;

fn words(seed: u64) -> Vec<String> {
    (0..5000u64).map(|i| format!("word{}", (i * 7919 + seed) % 1009)).collect()
}

fn main() {
    let (sender, receiver) = mpsc::channel::<(u64, Vec<String>)>();
    let seen = Arc::new(Mutex::new(HashMap::<String, usize>::new()));
    let workers: Vec<_> = (0..6)
        .map(|n| {
            let (sender, seen) = (sender.clone(), Arc::clone(&seen));
            thread::spawn(move || {
                for word in words(n) {
                    *seen.lock().unwrap().entry(word).or_insert(0) += 1;
                }
                sender.send((n, words(n * 3))).unwrap();
            })
        })
        .collect();
    drop(sender);
    let mut sorted = BTreeMap::new();
    for (n, list) in receiver {
        sorted.insert(n, list.into_iter().collect::<HashSet<_>>().len());
    }
    for worker in workers {
        worker.join().unwrap();
    }
    println!("{:?} {}", sorted, seen.lock().unwrap().len());
    let mut numbers: Vec<u64> = Vec::new();
    for i in 0..100_000 {
        numbers.push(i * i % 4099);
    }
    numbers.sort_unstable();
    println!("{} {}", numbers[50_000], numbers.iter().map(|n| n.to_string()).collect::<String>().len());
    let caught = thread::spawn(|| panic!("on purpose")).join();
    println!("caught {}", caught.is_err());
    std::process::exit(3);
}
END_OF_WORK
cat >compile.sh <<END_OF_WORK
$rustc -o program work.rs
echo "rustc ended with \$?"
cksum program
sed -i 's/numbers.len()/numbers.length()/; s/caught.is_err()/caught/' work.rs
$rustc --color never -o other work.rs
END_OF_WORK
real_prepare() { cp ../work.rs ../compile.sh .; }
real_allow=(--program rustc)
real_program 300000 bash compile.sh
mv plain/program . || fail "rustc made no program"

real_allow=(--program program)
real_program 60000 "$PWD/program"
assert_eq "the program's exit status" 3 "$(cat plain.status)"

echo 'fn main() { println!("{}", (1..1000).map(|n| n.to_string()).collect::<Vec<_>>().len()) }' >small.rs
$rustc -C target-feature=+crt-static -o static small.rs || fail "rustc does not link statically"
real_prepare() { :; }
real_refused "is statically linked" "$PWD/static"
