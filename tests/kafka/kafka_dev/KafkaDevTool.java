// Our own reader and administration tool on a current kafka-clients; kafka_dev/clients.py calls it.
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.acl.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.quota.*;
import org.apache.kafka.common.resource.*;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public class KafkaDevTool {
  static boolean text;

  static String q(String s) {
    if (s == null) return "null";
    StringBuilder b = new StringBuilder("\"");
    for (char c : s.toCharArray()) {
      if (c == '"' || c == '\\') b.append('\\').append(c);
      else if (c < 32) b.append(String.format("\\u%04x", (int) c));
      else b.append(c);
    }
    return b.append('"').toString();
  }

  static String bytes(byte[] v) {
    if (v == null) return "null";
    return text ? q(new String(v, StandardCharsets.UTF_8)) : '"' + Base64.getEncoder().encodeToString(v) + '"';
  }

  public static void main(String[] a) throws Exception {
    Properties p = new Properties();
    int n = Integer.parseInt(a[1]);
    for (int i = 0; i < n; i++) {
      int eq = a[2 + i].indexOf('=');
      p.put(a[2 + i].substring(0, eq), a[2 + i].substring(eq + 1));
    }
    String[] r = Arrays.copyOfRange(a, 2 + n, a.length);
    int rc = 1;
    try {
      rc = a[0].equals("consume") ? consume(p, r) : a[0].equals("read-group") ? GroupReader.run(p, r) : admin(a[0], p, r);
    } catch (Throwable e) {
      if (e instanceof java.util.concurrent.ExecutionException) e = e.getCause();
      for (; e != null; e = e.getCause()) System.err.println("kafka-dev: " + e);
    }
    System.out.flush();
    Runtime.getRuntime().halt(rc);
  }

  static int consume(Properties p, String[] r) throws Exception {
    String topic = r[0];
    boolean begin = r[1].equals("begin"), follow = r[3].equals("follow"), count = r[6].equals("count"), raw = r[6].equals("raw");
    long max = Long.parseLong(r[2]), deadline = System.currentTimeMillis() + Long.parseLong(r[4]);
    int only = Integer.parseInt(r[5]);
    Set<String> f = new LinkedHashSet<>(Arrays.asList(r[6].split(",")));
    text = r[7].equals("text");
    p.put("enable.auto.commit", "false");
    p.put("max.poll.records", "5000");
    p.put("auto.offset.reset", "earliest");
    KafkaConsumer<byte[], byte[]> c = new KafkaConsumer<>(p, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    List<TopicPartition> tps = new ArrayList<>();
    for (boolean first = true; tps.isEmpty(); first = false) {
      if (!first) begin = true;              // a topic made while we wait is read whole
      List<PartitionInfo> info = c.partitionsFor(topic, Duration.ofSeconds(10));
      if (info != null) for (PartitionInfo i : info)
        if (only < 0 || i.partition() == only) tps.add(new TopicPartition(topic, i.partition()));
      if (tps.isEmpty()) {
        if (System.currentTimeMillis() > deadline) { System.err.println("kafka-dev: no topic " + topic); return 2; }
        Thread.sleep(100);
      }
    }
    c.assign(tps);
    if (begin) c.seekToBeginning(tps);
    else for (Map.Entry<TopicPartition, Long> e : c.endOffsets(tps).entrySet()) c.seek(e.getKey(), e.getValue());
    Map<TopicPartition, Long> end = follow ? null : c.endOffsets(tps);
    OutputStream buffered = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 18);
    PrintStream out = new PrintStream(buffered, false, "UTF-8");
    DataOutputStream binary = new DataOutputStream(buffered);
    long seen = 0;
    Map<Integer, long[]> per = new TreeMap<>();
    int rc = 0;
    StringBuilder b = new StringBuilder();
    loop:
    while (max < 0 || seen < max) {
      if (!follow) {
        boolean done = true;
        for (TopicPartition t : tps) if (c.position(t) < end.get(t)) { done = false; break; }
        if (done) { if (max >= 0 && seen < max) rc = 4; break; }
      }
      if (System.currentTimeMillis() > deadline) { rc = max >= 0 || !follow ? 4 : 0; break; }
      for (ConsumerRecord<byte[], byte[]> x : c.poll(Duration.ofMillis(200))) {
        if (!follow && x.offset() >= end.get(new TopicPartition(topic, x.partition()))) continue;
        seen++;
        if (raw) {
          raw(x, binary);
        } else if (count) {
          long[] s = per.computeIfAbsent(x.partition(), k -> new long[] {0, x.offset(), 0, 0});
          s[0]++; s[2] = x.offset();
          s[3] += Math.max(0, x.serializedKeySize()) + Math.max(0, x.serializedValueSize());
        } else {
          b.setLength(0);
          for (String k : f) {
            b.append(b.length() == 0 ? "{" : ",").append('"').append(k).append("\":");
            switch (k) {
              case "topic": b.append(q(x.topic())); break;
              case "partition": b.append(x.partition()); break;
              case "offset": b.append(x.offset()); break;
              case "timestamp": b.append(x.timestamp()); break;
              case "timestamp_type": b.append(q(x.timestampType().toString())); break;
              case "key": b.append(bytes(x.key())); break;
              case "value": b.append(bytes(x.value())); break;
              case "headers":
                b.append('[');
                int i = 0;
                for (Header h : x.headers())
                  b.append(i++ > 0 ? "," : "").append('[').append(q(h.key())).append(',').append(bytes(h.value())).append(']');
                b.append(']');
                break;
              default: throw new IllegalArgumentException("unknown field " + k);
            }
          }
          out.println(b.append('}'));
          if (follow) out.flush();
        }
        if (max >= 0 && seen >= max) break loop;
      }
    }
    if (count) {
      b.setLength(0);
      b.append("{\"count\":").append(seen).append(",\"partitions\":{");
      int i = 0;
      for (Map.Entry<Integer, long[]> e : per.entrySet())
        b.append(i++ > 0 ? "," : "").append('"').append(e.getKey()).append("\":{\"count\":").append(e.getValue()[0])
         .append(",\"first\":").append(e.getValue()[1]).append(",\"last\":").append(e.getValue()[2])
         .append(",\"bytes\":").append(e.getValue()[3]).append('}');
      out.println(b.append("}}"));
    }
    out.flush();
    binary.flush();
    return rc;
  }

  /** One record, big-endian: partition i32, offset i64, length of the rest i32, timestamp i64, key, value, count of
   *  headers i32, each header's key and value; keys and values are an i32 length, -1 for null, and the bytes. */
  static void raw(ConsumerRecord<byte[], byte[]> x, DataOutputStream o) throws IOException {
    ByteArrayOutputStream rest = new ByteArrayOutputStream(512);
    DataOutputStream d = new DataOutputStream(rest);
    d.writeLong(x.timestamp());
    field(d, x.key());
    field(d, x.value());
    Header[] headers = x.headers().toArray();
    d.writeInt(headers.length);
    for (Header h : headers) {
      field(d, h.key().getBytes(StandardCharsets.UTF_8));
      field(d, h.value());
    }
    o.writeInt(x.partition());
    o.writeLong(x.offset());
    o.writeInt(rest.size());
    rest.writeTo(o);
  }

  static void field(DataOutputStream d, byte[] v) throws IOException {
    d.writeInt(v == null ? -1 : v.length);
    if (v != null) d.write(v);
  }

  static int admin(String cmd, Properties p, String[] r) throws Exception {
    p.put("default.api.timeout.ms", "30000");
    p.put("request.timeout.ms", "15000");
    Admin ad = Admin.create(p);
    switch (cmd) {
      case "topic-create": {
        Map<String, String> conf = kv(r, 3);
        List<String> names = Arrays.asList(r[0].split(","));
        List<NewTopic> topics = new ArrayList<>();
        for (String name : names) topics.add(new NewTopic(name, Integer.parseInt(r[1]), Short.parseShort(r[2])).configs(conf));
        ad.createTopics(topics).all().get();
        // until every partition has a leader
        for (int i = 0; i < 200; i++) {
          try {
            boolean ok = true;
            for (TopicDescription d : ad.describeTopics(names).allTopicNames().get().values()) {
              ok &= d.partitions().size() == Integer.parseInt(r[1]);
              for (TopicPartitionInfo t : d.partitions()) ok &= t.leader() != null && !t.leader().isEmpty();
            }
            if (ok) return 0;
          } catch (java.util.concurrent.ExecutionException e) { }
          Thread.sleep(50);
        }
        return 0;
      }
      case "topic-delete":
        ad.deleteTopics(Collections.singleton(r[0])).all().get();
        return 0;
      case "topic-alter": {
        int parts = Integer.parseInt(r[1]);
        if (parts > 0) ad.createPartitions(Collections.singletonMap(r[0], NewPartitions.increaseTo(parts))).all().get();
        Map<String, String> conf = kv(r, 2);
        if (!conf.isEmpty()) {
          List<AlterConfigOp> ops = new ArrayList<>();
          for (Map.Entry<String, String> e : conf.entrySet())
            ops.add(new AlterConfigOp(new ConfigEntry(e.getKey(), e.getValue()), AlterConfigOp.OpType.SET));
          ad.incrementalAlterConfigs(Collections.singletonMap(new ConfigResource(ConfigResource.Type.TOPIC, r[0]), ops)).all().get();
        }
        return 0;
      }
      case "topic-describe": {
        Collection<String> names = r.length > 0 ? Collections.singleton(r[0]) : ad.listTopics().names().get();
        for (TopicDescription d : new TreeMap<>(ad.describeTopics(names).allTopicNames().get()).values()) {
          StringBuilder b = new StringBuilder("{\"topic\":" + q(d.name()) + ",\"id\":" + q(d.topicId().toString()) + ",\"partitions\":[");
          int i = 0;
          for (TopicPartitionInfo t : d.partitions()) {
            b.append(i++ > 0 ? "," : "").append("{\"partition\":").append(t.partition()).append(",\"leader\":")
             .append(t.leader() == null || t.leader().isEmpty() ? -1 : t.leader().id())
             .append(",\"replicas\":").append(ids(t.replicas())).append(",\"isr\":").append(ids(t.isr())).append('}');
          }
          b.append("],\"configs\":{");
          ConfigResource cr = new ConfigResource(ConfigResource.Type.TOPIC, d.name());
          i = 0;
          for (ConfigEntry e : ad.describeConfigs(Collections.singleton(cr)).all().get().get(cr).entries())
            if (e.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG)
              b.append(i++ > 0 ? "," : "").append(q(e.name())).append(':').append(q(e.value()));
          System.out.println(b.append("}}"));
        }
        return 0;
      }
      case "acl": {
        AccessControlEntry e = new AccessControlEntry(r[1], "*", AclOperation.fromString(r[4].toUpperCase()),
            r[0].equals("deny") ? AclPermissionType.DENY : AclPermissionType.ALLOW);
        ad.createAcls(Collections.singleton(new AclBinding(
            new ResourcePattern(ResourceType.fromString(r[2].toUpperCase()), r[3], PatternType.LITERAL), e))).all().get();
        return 0;
      }
      case "quota": {
        Map<String, String> ent = new HashMap<>();
        if (!r[0].isEmpty()) ent.put(ClientQuotaEntity.USER, r[0]);
        if (!r[1].isEmpty()) ent.put(ClientQuotaEntity.CLIENT_ID, r[1]);
        if (ent.isEmpty()) ent.put(ClientQuotaEntity.CLIENT_ID, null);
        double rate = Double.parseDouble(r[2]);
        ad.alterClientQuotas(Collections.singleton(new ClientQuotaAlteration(new ClientQuotaEntity(ent),
            Collections.singleton(new ClientQuotaAlteration.Op("producer_byte_rate", rate > 0 ? rate : null))))).all().get();
        return 0;
      }
      default:
        throw new IllegalArgumentException(cmd);
    }
  }

  static Map<String, String> kv(String[] r, int from) {
    Map<String, String> m = new LinkedHashMap<>();
    for (int i = from; i < r.length; i++) {
      int eq = r[i].indexOf('=');
      m.put(r[i].substring(0, eq), r[i].substring(eq + 1));
    }
    return m;
  }

  static String ids(List<Node> ns) {
    StringBuilder b = new StringBuilder("[");
    for (Node x : ns) b.append(b.length() > 1 ? "," : "").append(x.id());
    return b.append(']').toString();
  }
}
