#!/bin/bash
# OpenJDK: javac, and what it makes: the collector's and the compiler's threads, code made at run time, threads of
# the program, memory outside of the heap, a subprocess.
# ALL
# TIMEOUT 400
. "$TESTS/e2e/lib.sh"
. "$TESTS/e2e/real.sh"

cat >Work.java <<'END'
import java.nio.ByteBuffer;
import java.util.*;
import java.util.concurrent.*;
import java.util.zip.*;

public class Work {
    static long fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

    static int pack(int seed) throws Exception {
        byte[] data = new byte[20000];
        new Random(seed).nextBytes(data);
        Deflater deflater = new Deflater();
        deflater.setInput(data);
        deflater.finish();
        byte[] packed = new byte[30000];
        int n = deflater.deflate(packed);
        deflater.end();
        Inflater inflater = new Inflater();
        inflater.setInput(packed, 0, n);
        byte[] again = new byte[20000];
        int m = inflater.inflate(again);
        inflater.end();
        return Arrays.equals(data, again) ? m : -1;
    }

    public static void main(String[] args) throws Exception {
        System.out.println(fibonacci(30));
        ExecutorService pool = Executors.newFixedThreadPool(4);
        List<Future<Integer>> packed = new ArrayList<>();
        for (int i = 0; i < 2000; i++) {
            final int seed = i;
            packed.add(pool.submit(() -> pack(seed)));
        }
        long sum = 0;
        for (Future<Integer> f : packed) sum += f.get();
        pool.shutdown();
        System.out.println(sum);
        for (int i = 0; i < 300; i++) {
            Thread t = new Thread(() -> ByteBuffer.allocateDirect(10000).putInt(1));
            t.start();
            t.join();
        }
        Map<String, Integer> words = new TreeMap<>();
        for (int i = 0; i < 200000; i++) words.merge("w" + i % 1000, 1, Integer::sum);
        System.out.println(words.size() + " " + words.get("w7"));
        System.gc();
        Process child = new ProcessBuilder("sh", "-c", "echo from a child; exit 4").start();
        System.out.print(new String(child.getInputStream().readAllBytes()));
        System.out.println(child.waitFor());
        try {
            deep(0);
        } catch (StackOverflowError e) {
            System.out.println("too deep");
        }
        Object nothing = args.length > 5 ? "" : null;
        try {
            nothing.hashCode(); // a SIGSEGV that the virtual machine turns into an exception
        } catch (NullPointerException e) {
            System.out.println("nothing");
        }
        System.exit(6);
    }

    static int deep(int n) { return deep(n + 1) + 1; }
}
END
real_prepare() { cp ../Work.java .; }
real_allow=(--truncated javac --program javac)
real_program 30000 javac -J-Xshare:auto Work.java
for way in plain preload run; do
    assert_same "$way: the class made" plain/Work.class $way/Work.class
done
cp plain/Work.class .

real_prepare() { cp ../Work.class .; }
real_allow=(--truncated java --program java --program sh)
real_program 50000 java -Xmx200m Work
