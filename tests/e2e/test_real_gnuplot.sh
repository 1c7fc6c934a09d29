#!/bin/bash
# gnuplot: a surface as PNG and as SVG, a fit, a plot of a file of its own, as text.
# TIMEOUT 120
. "$TESTS/e2e/lib.sh"
. "$TESTS/e2e/real.sh"

cat >work.gp <<'END_OF_WORK'
set print "-"
set fit quiet nolog
set samples 300
set isosamples 50
set table "table"
plot [0:10] 3 * x + sin(x)
unset table
f(x) = a * x + b
fit f(x) "table" using 1:2 via a, b
print sprintf("%.4f %.4f", a, b)
stats "table" using 2
set terminal png size 800,600
set output "x.png"
splot sin(x * x + y * y) / (x * x + y * y + 0.1) with pm3d
set terminal svg
set output "x.svg"
plot for [i = 1:9] sin(i * x) with filledcurves
set terminal pngcairo
set output "y.png"
plot "table" using 1:2 with lines, f(x)
set output
set terminal dumb 79, 24
plot "table" using 1:2 with points
array many[2000]
do for [i = 1:2000] { many[i] = sprintf("%d times", i * i) }
print many[1999], system("echo from a child")
print nothing_of_this_name
END_OF_WORK
real_prepare() { cp ../work.gp .; }
real_allow=(--program gnuplot)
real_program 15000 bash -c 'gnuplot work.gp; echo "gnuplot ended with $?"; cksum x.png x.svg y.png table'
