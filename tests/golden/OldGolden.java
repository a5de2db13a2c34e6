import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import org.apache.kafka.common.record.CompressionType;
import org.apache.kafka.common.record.MemoryRecords;

/** Message sets as the producers of 0.9 (format v0) and 0.10.0 (format v1) write them. */
final class OldGolden {
    public static void main(String[] names) throws Exception {
        for (String codec : new String[] {"none", "gzip", "snappy", "lz4"}) {
            for (String name : names) {
                MemoryRecords records = MemoryRecords.emptyRecords(
                    ByteBuffer.allocate(1 << 20), CompressionType.forName(codec));
                long offset = 0;
                for (Inputs.Input input : Inputs.of(name)) {
                    append(records, offset++, input);
                }
                records.close();
                Inputs.print(codec, name, records.buffer());
            }
        }
    }

    private static void append(MemoryRecords records, long offset, Inputs.Input input) throws Exception {
        for (Method method : MemoryRecords.class.getMethods()) {
            if (!method.getName().equals("append")) {
                continue;
            }
            if (method.getParameterCount() == 3) {
                method.invoke(records, offset, input.key, input.value);
                return;
            }
            if (method.getParameterCount() == 4) {
                method.invoke(records, offset, input.timestamp, input.key, input.value);
                return;
            }
        }
        throw new IllegalStateException("no append");
    }
}
