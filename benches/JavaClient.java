/*
 * One run of a load with Kafka's own Java producer: the same bytes, settings and measured part as harness.c has for the C clients.
 * Started by benches/run. What the virtual machine does beside (compiling, collecting) is in the processor time, as it is in a
 * program's; the warm-up comes before the measured part.
 */
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;

import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public final class JavaClient {
    private final Map<String, String> given = new HashMap<>();
    private final AtomicLong acknowledged = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();

    private JavaClient(String[] words) {
        for (int at = 0; at + 1 < words.length; at += 2) {
            given.put(words[at].substring(2), words[at + 1]);
        }
    }

    private Properties settings() {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", given.get("bootstrap"));
        settings.put("acks", "all");
        settings.put("enable.idempotence", "false");
        settings.put("linger.ms", given.getOrDefault("linger-ms", "5"));
        settings.put("batch.size", given.getOrDefault("batch-size", "1000000"));
        settings.put("buffer.memory", Long.toString(1024 * Long.parseLong(given.getOrDefault("memory-kb", "65536"))));
        settings.put("max.request.size", "1100000");
        String[] codec = given.getOrDefault("set", "compression.codec=none").split("=", 2);
        settings.put("compression.type", codec[1]);
        return settings;
    }

    private byte[][] values() throws Exception {
        byte[] all = Files.readAllBytes(Path.of(given.get("values")));
        int size = Integer.parseInt(given.get("size"));
        byte[][] values = new byte[all.length / size][size];
        for (int at = 0; at < values.length; at++) {
            System.arraycopy(all, at * size, values[at], 0, size);
        }
        return values;
    }

    private void send(KafkaProducer<byte[], byte[]> producer, byte[][] values, long count) {
        Callback told = (metadata, error) -> (error == null ? acknowledged : failed).incrementAndGet();
        String topic = given.get("topic");
        for (long number = 0; number < count; number++) {
            producer.send(new ProducerRecord<>(topic, values[(int) (number % values.length)]), told);
        }
        producer.flush();
    }

    private static long cpuNs() {
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return system.getProcessCpuTime();
    }

    private static long peakKb() throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"), StandardCharsets.UTF_8)) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("[^0-9]", ""));
            }
        }
        return 0;
    }

    private static String version() throws Exception {
        try (InputStream told = KafkaProducer.class.getResourceAsStream("/kafka/kafka-version.properties")) {
            Properties properties = new Properties();
            properties.load(told);
            return properties.getProperty("version");
        }
    }

    private void run() throws Exception {
        byte[][] values = values();
        long count = Long.parseLong(given.get("messages"));
        try (var producer = new KafkaProducer<>(settings(), new ByteArraySerializer(), new ByteArraySerializer())) {
            send(producer, values, Long.parseLong(given.get("warmup")));
            long before = acknowledged.get(), worked = cpuNs(), begun = System.nanoTime();
            send(producer, values, count);
            double seconds = (System.nanoTime() - begun) / 1e9;
            long cpu = cpuNs() - worked, counted = acknowledged.get() - before;
            int size = Integer.parseInt(given.get("size"));
            System.out.printf(Locale.ROOT, "{\"client\":\"java\",\"version\":\"%s\",\"mode\":\"throughput\",\"records\":%d,"
                + "\"records_per_s\":%.0f,\"mb_per_s\":%.2f,\"cpu_ns_per_record\":%.1f,\"acknowledged_total\":%d,"
                + "\"failed\":%d,\"peak_kb\":%d}%n", version(), counted, counted / seconds,
                counted * (double) size / seconds / 1e6, cpu / (double) counted, acknowledged.get(), failed.get(), peakKb());
        }
    }

    public static void main(String[] words) throws Exception {
        new JavaClient(words).run();
    }
}
