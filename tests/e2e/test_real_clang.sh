#!/bin/bash
# clang: C++ compiled with -O1 in two files and linked; then a mistake.
# TIMEOUT 300
. "$TESTS/e2e/lib.sh"
. "$TESTS/e2e/real.sh"

cat >main.cc <<'END_OF_MAIN'
#include <algorithm>
#include <iostream>
#include <map>
#include <string>
#include <vector>
int matches(const std::vector<std::string> &lines);
int main()
{
    std::map<std::string, std::vector<int>> where;
    std::vector<std::string> lines;
    for (int i = 0; i < 300; i++) {
        lines.push_back("line " + std::to_string(i * 37 % 101));
        where[lines.back()].push_back(i);
    }
    std::sort(lines.begin(), lines.end());
    std::cout << lines.front() << ' ' << where.size() << ' ' << matches(lines) << '\n';
}
END_OF_MAIN
cat >matches.cc <<'END_OF_MATCHES'
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>
int matches(const std::vector<std::string> &lines)
{
    std::unordered_map<std::string, int> count;
    for (auto &line : lines)
        count[line.substr(0, 6)]++;
    std::function<bool(int)> many = [](int n) { return n > 20; };
    int found = 0;
    for (auto &[key, n] : count)
        found += many(n);
    return found;
}
END_OF_MATCHES
cat >work.sh <<'END_OF_WORK'
clang++ -O1 -c main.cc && clang++ -O1 -std=c++17 -c matches.cc && clang++ -o program main.o matches.o
echo "clang ended with $?"
cksum main.o program
./program
sed -i 's/where.size()/where.size(1) + nothing/' main.cc
clang++ -O1 -fno-color-diagnostics -c main.cc
END_OF_WORK
real_prepare() {
    cp ../*.cc ../work.sh .
}
real_allow=(--program 'clang\+\+' --program ld --program program)
real_program 300000 bash work.sh
assert_eq "clang's verdict on the mistake" 1 "$(cat plain.status)"
