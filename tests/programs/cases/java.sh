# shellcheck shell=bash disable=SC2034,SC2154  # programs.sh reads these, and has those.
what="java: a compilation, then objects, buffers outside of its heap and zip in eight threads"
packages="default-jdk-headless"
needs=(/usr/bin/java /usr/bin/javac)
version() { java --version; }

prepare() {
  cat >Load.java <<'JAVA'
import java.io.*;
import java.nio.ByteBuffer;
import java.util.*;
import java.util.concurrent.*;
import java.util.zip.*;

public class Load {
  static long run(int seed, int n) throws Exception {
    long sum = 0;
    List<ByteBuffer> direct = new ArrayList<>();
    Map<String, List<Integer>> map = new HashMap<>();
    for (int i = 0; i < n; ++i) {
      map.computeIfAbsent("k" + i % 1000, k -> new ArrayList<>()).add(i * seed);
      if (i % 200 != 0) continue;
      ByteBuffer buffer = ByteBuffer.allocateDirect(1 + i * seed % 50000);
      while (buffer.hasRemaining()) buffer.put((byte) i);
      direct.add(buffer);
      if (direct.size() > 20) direct.remove(0);
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      try (DeflaterOutputStream zip = new DeflaterOutputStream(out)) {
        zip.write(("text " + i).repeat(300).getBytes());
      }
      CRC32 crc = new CRC32();
      crc.update(new InflaterInputStream(new ByteArrayInputStream(out.toByteArray())).readAllBytes());
      sum += crc.getValue();
    }
    for (List<Integer> list : map.values()) for (int v : list) sum += v;
    return sum;
  }
  public static void main(String[] arguments) throws Exception {
    int n = Integer.parseInt(arguments[0]);
    ExecutorService pool = Executors.newFixedThreadPool(8);
    List<Future<Long>> results = new ArrayList<>();
    for (int i = 1; i <= 24; ++i) { int seed = i; results.add(pool.submit(() -> run(seed, n))); }
    for (Future<Long> result : results) System.out.println(result.get());
    pool.shutdown();
  }
}
JAVA
}

work() {
  preloaded javac -J-Xmx256m Load.java
  cksum <Load.class
  preloaded java -Xmx256m Load "$(quantity 20000 2000)"
}
