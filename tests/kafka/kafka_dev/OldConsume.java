// Brokers 0.8 and 0.9 are older than what a current kafka-clients speaks: their own SimpleConsumer reads them.
import java.io.*;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.*;
import kafka.api.FetchRequestBuilder;
import kafka.api.PartitionOffsetRequestInfo;
import kafka.common.ErrorMapping;
import kafka.common.TopicAndPartition;
import kafka.javaapi.*;
import kafka.javaapi.consumer.SimpleConsumer;
import kafka.message.MessageAndOffset;

public class OldConsume {
  static byte[] get(ByteBuffer b) {
    if (b == null) return null;
    byte[] v = new byte[b.remaining()];
    b.duplicate().get(v);
    return v;
  }

  static SimpleConsumer open(String hp) {
    return new SimpleConsumer(hp.substring(0, hp.lastIndexOf(':')), Integer.parseInt(hp.substring(hp.lastIndexOf(':') + 1)),
        10000, 1 << 20, "kafka-dev");
  }

  static long offset(SimpleConsumer c, String topic, int part, long at) {
    Map<TopicAndPartition, PartitionOffsetRequestInfo> m = new HashMap<>();
    m.put(new TopicAndPartition(topic, part), new PartitionOffsetRequestInfo(at, 1));
    return c.getOffsetsBefore(new kafka.javaapi.OffsetRequest(m, (short) 0, "kafka-dev")).offsets(topic, part)[0];
  }

  public static void main(String[] a) throws Exception {
    int rc = 1;
    try { rc = go(a); } catch (Throwable e) { e.printStackTrace(); }
    System.out.flush();
    Runtime.getRuntime().halt(rc);
  }

  static int go(String[] a) throws Exception {
    String topic = a[1];
    boolean begin = a[2].equals("begin"), follow = a[4].equals("follow"), count = a[7].equals("count"), text = a[8].equals("text");
    long max = Long.parseLong(a[3]), deadline = System.currentTimeMillis() + Long.parseLong(a[5]);
    int only = Integer.parseInt(a[6]);
    Set<String> f = new LinkedHashSet<>(Arrays.asList(a[7].split(",")));
    TopicMetadata md = null;
    while (true) {
      for (String hp : a[0].split(",")) {
        SimpleConsumer c = open(hp);
        try { md = c.send(new TopicMetadataRequest(Collections.singletonList(topic))).topicsMetadata().get(0); break; }
        catch (Exception e) { } finally { c.close(); }
      }
      boolean led = md != null && md.errorCode() == 0;
      if (led) for (PartitionMetadata pm : md.partitionsMetadata()) led &= pm.leader() != null;
      if (led) break;
      if (System.currentTimeMillis() > deadline) { System.err.println("kafka-dev: no topic " + topic); return 2; }
      Thread.sleep(100);
    }
    Map<Integer, SimpleConsumer> cs = new TreeMap<>();
    Map<Integer, Long> pos = new TreeMap<>(), end = new TreeMap<>();
    for (PartitionMetadata pm : md.partitionsMetadata()) {
      if (only >= 0 && pm.partitionId() != only) continue;
      SimpleConsumer c = open(pm.leader().host() + ":" + pm.leader().port());
      cs.put(pm.partitionId(), c);
      end.put(pm.partitionId(), offset(c, topic, pm.partitionId(), -1));
      pos.put(pm.partitionId(), begin ? offset(c, topic, pm.partitionId(), -2) : end.get(pm.partitionId()));
    }
    PrintStream out = new PrintStream(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16), false, "UTF-8");
    long seen = 0;
    int rc = 0, size = 4 << 20;
    Map<Integer, long[]> per = new TreeMap<>();
    loop:
    while (max < 0 || seen < max) {
      if (!follow) {
        boolean done = true;
        for (int p : cs.keySet()) if (pos.get(p) < end.get(p)) done = false;
        if (done) { if (max >= 0 && seen < max) rc = 4; break; }
      }
      if (System.currentTimeMillis() > deadline) { rc = max >= 0 || !follow ? 4 : 0; break; }
      boolean any = false;
      for (Map.Entry<Integer, SimpleConsumer> e : cs.entrySet()) {
        int p = e.getKey();
        if (!follow && pos.get(p) >= end.get(p)) continue;
        FetchResponse fr = e.getValue().fetch(new FetchRequestBuilder().clientId("kafka-dev").maxWait(100).minBytes(1)
            .addFetch(topic, p, pos.get(p), size).build());
        if (fr.hasError()) { System.err.println("kafka-dev: fetch error " + fr.errorCode(topic, p)); return 1; }
        for (MessageAndOffset x : fr.messageSet(topic, p)) {
          if (x.offset() < pos.get(p)) continue;          // inside a compressed set
          if (!follow && x.offset() >= end.get(p)) break;
          any = true;
          pos.put(p, x.nextOffset());
          seen++;
          byte[] k = x.message().hasKey() ? get(x.message().key()) : null;
          byte[] v = get(x.message().payload());
          if (count) {
            long[] s = per.computeIfAbsent(p, z -> new long[] {0, x.offset(), 0, 0});
            s[0]++; s[2] = x.offset(); s[3] += (k == null ? 0 : k.length) + (v == null ? 0 : v.length);
          } else {
            StringBuilder b = new StringBuilder();
            for (String n : f) {
              b.append(b.length() == 0 ? "{" : ",").append('"').append(n).append("\":");
              switch (n) {
                case "topic": b.append(q(topic)); break;
                case "partition": b.append(p); break;
                case "offset": b.append(x.offset()); break;
                case "timestamp": b.append(-1); break;
                case "timestamp_type": b.append("\"NoTimestampType\""); break;
                case "key": b.append(bytes(k, text)); break;
                case "value": b.append(bytes(v, text)); break;
                case "headers": b.append("[]"); break;
                default: throw new IllegalArgumentException("unknown field " + n);
              }
            }
            out.println(b.append('}'));
          }
          if (max >= 0 && seen >= max) break loop;
        }
      }
      if (!any && follow) Thread.sleep(50);
      if (!any && !follow && size < (64 << 20)) size *= 2;
    }
    if (count) {
      StringBuilder b = new StringBuilder("{\"count\":" + seen + ",\"partitions\":{");
      int i = 0;
      for (Map.Entry<Integer, long[]> e : per.entrySet())
        b.append(i++ > 0 ? "," : "").append('"').append(e.getKey()).append("\":{\"count\":").append(e.getValue()[0])
         .append(",\"first\":").append(e.getValue()[1]).append(",\"last\":").append(e.getValue()[2])
         .append(",\"bytes\":").append(e.getValue()[3]).append('}');
      out.println(b.append("}}"));
    }
    out.flush();
    return rc;
  }

  static String q(String s) {
    StringBuilder b = new StringBuilder("\"");
    for (char c : s.toCharArray()) {
      if (c == '"' || c == '\\') b.append('\\').append(c);
      else if (c < 32) b.append(String.format("\\u%04x", (int) c));
      else b.append(c);
    }
    return b.append('"').toString();
  }

  static String bytes(byte[] v, boolean text) {
    if (v == null) return "null";
    return text ? q(new String(v, StandardCharsets.UTF_8)) : '"' + Base64.getEncoder().encodeToString(v) + '"';
  }
}
