#!/bin/bash
# ffmpeg: a picture and a tone made by itself, encoded by x264 in threads, then decoded, scaled and encoded again
# by other libraries. The encoders' output is the same each time, to the byte.
# TIMEOUT 150
. "$TESTS/e2e/lib.sh"
. "$TESTS/e2e/real.sh"

cat >work.sh <<'END_OF_WORK'
transcode() { ffmpeg -hide_banner -nostdin -loglevel error -y "$@" || echo "ffmpeg ended with $?"; }
same=(-flags +bitexact -fflags +bitexact)
transcode -f lavfi -i testsrc=size=320x180:rate=25:duration=2 -f lavfi -i sine=duration=2 \
    -threads 4 -c:v libx264 -preset veryfast -c:a aac "${same[@]}" x.mp4
transcode -i x.mp4 -threads 2 -c:v libvpx -b:v 300k -deadline good -cpu-used 4 -c:a libopus "${same[@]}" x.webm
transcode -threads 4 -i x.webm -vf scale=200:-2,gblur=2 -c:v mpeg4 -c:a libmp3lame "${same[@]}" x.avi
transcode -i x.avi -f framemd5 frames
transcode -i nowhere.mp4 y.mp4
cksum x.* frames
END_OF_WORK
real_prepare() { cp ../work.sh .; }
real_allow=(--program ffmpeg)
real_program 20000 bash work.sh
