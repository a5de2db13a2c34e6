// Reads a topic as a member of a consumer group, for a program that consumes, transforms and produces in transactions:
// that program commits the offsets. Spoken to over standard input and output, a line at a time:
//   out  group GENERATION MEMBER       who we are, for the offsets of the batch that follows
//        record PARTITION OFFSET VALUE one per record; the value in base64
//        batch                         the end of a batch: waits for a line from the program
//        done                          nothing is left before the ends as they were at the start
//   in   next                          the offsets of the batch are committed
//        rewind                        they are not: reads on from what is committed
// The end of the input is the end of the program: leaves the group and exits.
import java.io.*;
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public class GroupReader {
  static final long DONE_LOOK_MS = 500;

  static KafkaConsumer<byte[], byte[]> consumer;
  static Map<TopicPartition, Long> ends;
  static String topic;

  static int run(Properties settings, String[] words) throws Exception {
    topic = words[0];
    settings.put("group.id", words[1]);
    settings.put("enable.auto.commit", "false");
    settings.put("auto.offset.reset", "earliest");
    settings.put("isolation.level", "read_committed");
    settings.put("session.timeout.ms", "6000");
    settings.put("heartbeat.interval.ms", "500");
    settings.put("max.poll.records", words[2]);
    consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    PrintStream out = new PrintStream(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16));
    // The end of the program may come while we wait for the brokers.
    Thread.currentThread().setName("reader");
    ends = ends();
    consumer.subscribe(List.of(topic));
    while (true) {
      ConsumerRecords<byte[], byte[]> batch = consumer.poll(Duration.ofMillis(DONE_LOOK_MS));
      if (batch.isEmpty()) {
        if (!finished()) continue;
        out.println("done");
      } else {
        tell(batch, out);
      }
      out.flush();
      if (out.checkError()) return leave();
      String answer = in.readLine();
      if (answer == null) return leave();
      if (answer.equals("rewind")) rewind();
      else if (!answer.equals("next")) throw new IllegalArgumentException("not a word of ours: " + answer);
    }
  }

  static int leave() {
    consumer.close(Duration.ofSeconds(5));
    return 0;
  }

  static void tell(ConsumerRecords<byte[], byte[]> batch, PrintStream out) {
    ConsumerGroupMetadata group = consumer.groupMetadata();
    out.println("group " + group.generationId() + " " + group.memberId());
    for (ConsumerRecord<byte[], byte[]> record : batch)
      out.println("record " + record.partition() + " " + record.offset() + " "
          + Base64.getEncoder().encodeToString(record.value()));
    out.println("batch");
  }

  static Map<TopicPartition, Long> ends() {
    List<TopicPartition> partitions = new ArrayList<>();
    for (var partition : consumer.partitionsFor(topic, Duration.ofSeconds(30)))
      partitions.add(new TopicPartition(topic, partition.partition()));
    return consumer.endOffsets(partitions, Duration.ofSeconds(30));
  }

  /** Whether what is committed reaches every end; asks the group's coordinator, as others may have committed. */
  static boolean finished() {
    try {
      Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(ends.keySet(), Duration.ofSeconds(10));
      for (Map.Entry<TopicPartition, Long> end : ends.entrySet()) {
        OffsetAndMetadata at = committed.get(end.getKey());
        if (end.getValue() > 0 && (at == null || at.offset() < end.getValue())) return false;
      }
      return true;
    } catch (org.apache.kafka.common.errors.RetriableException e) {
      return false;
    }
  }

  static void rewind() throws InterruptedException {
    while (true) {
      try {
        Set<TopicPartition> assigned = consumer.assignment();
        Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(assigned, Duration.ofSeconds(10));
        for (TopicPartition partition : assigned) {
          OffsetAndMetadata at = committed.get(partition);
          if (at == null) consumer.seekToBeginning(List.of(partition));
          else consumer.seek(partition, at.offset());
        }
        return;
      } catch (org.apache.kafka.common.errors.RetriableException e) {
        Thread.sleep(100);
      }
    }
  }
}
