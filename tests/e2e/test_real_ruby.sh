#!/bin/bash
# ruby: its garbage collector, threads, fibers, a forked child, a program of its own, an exception to the end.
# TIMEOUT 100
. "$TESTS/e2e/lib.sh"
. "$TESTS/e2e/real.sh"

cat >work.rb <<'END'
require 'json'
require 'set'
require 'zlib'
words = Hash.new(0)
3000.times { |i| (1..5).each { |k| words[((i * k) % 997).to_s * 3] += 1 } }
puts words.size, words.sort.first(3).inspect
text = JSON.generate(words)
puts JSON.parse(text).size, Zlib::Inflate.inflate(Zlib::Deflate.deflate(text)) == text
threads = 4.times.map { |t| Thread.new { (1..5000).map { |i| 'x' * (i % 90) + t.to_s }.to_set.size } }
p threads.map(&:value)
fiber = Fiber.new { 1000.times { |i| Fiber.yield('f' * i) } }
p 1000.times.sum { fiber.resume.size }
GC.start
GC.compact if GC.respond_to?(:compact)
reader, writer = IO.pipe
pid = fork { reader.close; writer.write((1..20000).map(&:to_s).join.size); exit! 9 }
writer.close
p reader.read
Process.wait(pid)
p $?.exitstatus
puts `echo from a child`
begin
  eval('def f(n) n.zero? ? raise("deep") : f(n - 1) end; f(500)')
rescue => e
  puts e.message, e.backtrace.size > 400
end
$stdout.flush
raise ArgumentError, 'the end'
END
real_prepare() { cp ../work.rb .; }
real_allow=(--program ruby.* --forks 1)
real_program 100000 ruby work.rb
