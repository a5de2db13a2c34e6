import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The records of each case; tests/golden.rs has the same ones. */
final class Inputs {
    static final long T = 1_600_000_000_000L;

    static final class Input {
        final long timestamp;
        final byte[] key;
        final byte[] value;
        final String[] headers;

        Input(long timestamp, String key, String value, String... headers) {
            this.timestamp = timestamp;
            this.key = bytes(key);
            this.value = bytes(value);
            this.headers = headers;
        }
    }

    static byte[] bytes(String text) {
        return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    }

    static List<Input> of(String name) {
        List<Input> inputs = new ArrayList<>();
        switch (name) {
            case "null":
                inputs.add(new Input(T, null, null));
                inputs.add(new Input(T, "key", null));
                break;
            case "empty":
                inputs.add(new Input(T, "", ""));
                break;
            case "headers":
                // Names and values in turn.
                inputs.add(new Input(T, "key", "value", "h", "v", "", null, "é", ""));
                inputs.add(new Input(T + 1, null, "value"));
                break;
            case "big":
                for (int n = 0; n < 40; n++) {
                    StringBuilder value = new StringBuilder();
                    for (int word = 0; word < 60; word++) {
                        value.append("word-").append((n * 31 + word * word) % 97).append(' ');
                    }
                    inputs.add(new Input(T + n, null, value.toString()));
                }
                break;
            case "timestamps":
                for (long delta : new long[] {0, -64, 65, -70_000, 5_000_000_000L}) {
                    inputs.add(new Input(T + delta, null, "value"));
                }
                break;
            default:
                for (int n = 0; n < 3; n++) {
                    String key = name.equals("plain") ? null : "key-" + n;
                    inputs.add(new Input(T + n, key, "value-" + n));
                }
        }
        return inputs;
    }

    static void print(String codec, String name, java.nio.ByteBuffer records) {
        StringBuilder line = new StringBuilder(codec + " " + name + " ");
        while (records.hasRemaining()) {
            line.append(String.format("%02x", records.get()));
        }
        System.out.println(line);
    }
}
