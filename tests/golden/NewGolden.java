import java.nio.ByteBuffer;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.TimestampType;

/** Batches as the newest Java client writes them: format, then cases. */
final class NewGolden {
    public static void main(String[] arguments) {
        byte magic = Byte.parseByte(arguments[0]);
        for (String codec : new String[] {"none", "gzip", "snappy", "lz4", "zstd"}) {
            if (magic < 2 && codec.equals("zstd")) {
                continue;
            }
            for (int at = 1; at < arguments.length; at++) {
                write(magic, codec, arguments[at]);
            }
        }
        if (magic == 2) {
            for (ControlRecordType type : new ControlRecordType[] {ControlRecordType.COMMIT, ControlRecordType.ABORT}) {
                MemoryRecords marker = MemoryRecords.withEndTransactionMarker(
                    Inputs.T, 4711, (short) 3, new EndTransactionMarker(type, 9));
                Inputs.print("none", "control-" + type.name().toLowerCase(), marker.buffer());
            }
        }
    }

    private static void write(byte magic, String codec, String name) {
        boolean appended = name.equals("log-append");
        boolean transactional = name.equals("transactional");
        TimestampType type = appended ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME;
        MemoryRecordsBuilder builder = MemoryRecords.builder(
            ByteBuffer.allocate(1 << 20), magic, Compression.of(CompressionType.forName(codec)).build(), type, 0,
            appended ? Inputs.T + 77 : -1, transactional ? 4711 : -1, transactional ? (short) 3 : -1,
            transactional ? 7 : -1, transactional, -1);
        for (Inputs.Input input : Inputs.of(name)) {
            Header[] headers = new Header[input.headers.length / 2];
            for (int at = 0; at < headers.length; at++) {
                headers[at] = new RecordHeader(input.headers[2 * at], Inputs.bytes(input.headers[2 * at + 1]));
            }
            builder.append(input.timestamp, wrap(input.key), wrap(input.value), headers);
        }
        Inputs.print(codec, name, builder.build().buffer());
    }

    private static ByteBuffer wrap(byte[] bytes) {
        return bytes == null ? null : ByteBuffer.wrap(bytes);
    }
}
