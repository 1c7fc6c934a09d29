#!/bin/bash
# ImageMagick: filters that run in OpenMP's threads, several file formats, a picture of many frames.
# TIMEOUT 120
. "$TESTS/e2e/lib.sh"
. "$TESTS/e2e/real.sh"

convert=$(command -v convert-im6.q16 || command -v convert) # Debian's own name: convert is another tool here and there
cat >work.sh <<END_OF_WORK
export OMP_NUM_THREADS=4
im() { $convert "\$@" || echo "it ended with \$?"; }
END_OF_WORK
cat >>work.sh <<'END_OF_WORK'
im -seed 3 -size 500x400 plasma:red-blue -blur 0x3 -resize 150% -rotate 17 -quality 85 -strip x.jpg
im x.jpg -swirl 90 \( -clone 0 -negate \) -append -unsharp 0x2 -depth 8 -define png:exclude-chunks=date,time -strip x.png
im x.png -resize 50% -sharpen 0x1 -colors 64 -strip x.gif
im -delay 10 \( x.gif -crop 100x100 +repage \) -layers optimize -strip y.gif
im x.png -separate -combine -contrast-stretch 1%x1% -charcoal 1 x.pgm
im nowhere.png y.png
im x.jpg -format '%w %h %k %[fx:int(mean*1000)]\n' info:
cksum x.* y.*
END_OF_WORK
real_prepare() { cp ../work.sh .; }
real_allow=(--program "$(basename "$convert")")
real_program 10000 bash work.sh
