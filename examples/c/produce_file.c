/*
 * Produces a file, line by line, and shows what became of the lines.
 *
 *     produce_file FILE [BOOTSTRAP_SERVERS]
 *
 * Each line becomes a record: its number is the key, and a header says which file it comes from. Without servers it
 * runs on the cluster that is embedded in the library, reads the topic back and compares it with the file,
 * byte for byte. The exit code is 0 only if every line was stored (and, read back, is the same).
 *
 *     cc produce_file.c $(pkg-config --cflags --libs ottla) -o produce_file
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ottla.h>

#define TOPIC "lines"
#define SHOWN 5

/* A line and where it lies in the file; the newline belongs to it. */
struct line {
    const char *text;
    size_t len;
};

struct file {
    char *bytes;
    size_t len;
    struct line *lines;
    size_t count;
};

/* What the delivery callback has counted. It runs on a thread of the library; ottla_producer_flush()
 * returns after its last call, so that the main thread may then look. */
struct outcome {
    size_t reports, stored, failed;
};

static int read_file(const char *path, struct file *file)
{
    FILE *stream = fopen(path, "rb");
    long len;
    if (stream == NULL || fseek(stream, 0, SEEK_END) != 0 || (len = ftell(stream)) < 0) {
        perror(path);
        return -1;
    }
    rewind(stream);
    file->len = (size_t)len;
    file->bytes = malloc(file->len + 1);
    file->lines = malloc((file->len + 1) * sizeof *file->lines);
    if (file->bytes == NULL || file->lines == NULL
        || fread(file->bytes, 1, file->len, stream) != file->len) {
        perror(path);
        return -1;
    }
    fclose(stream);
    for (size_t at = 0; at < file->len;) {
        const char *newline = memchr(file->bytes + at, '\n', file->len - at);
        size_t end = newline ? (size_t)(newline - file->bytes) + 1 : file->len;
        file->lines[file->count++] = (struct line){file->bytes + at, end - at};
        at = end;
    }
    return 0;
}

static void on_delivery(const ottla_report_t *reports, size_t count, size_t stride, void *env)
{
    struct outcome *outcome = env;
    for (size_t i = 0; i < count; i++) {
        const ottla_report_t *report = ottla_report_at(reports, stride, i);
        if (outcome->reports++ < SHOWN)
            printf("report: partition %" PRId32 ", %zu records from offset %" PRId64 ", %s, %.1f ms\n",
                   report->partition, report->count, report->base_offset,
                   ottla_error_name(report->status), (double)report->latency_us / 1000);
        if (report->status == 0) {
            outcome->stored += report->count;
            continue;
        }
        outcome->failed += report->count;
        fprintf(stderr, "failed, the first is line %" PRIu64 ": %.*s\n", report->tokens[0] + 1,
                (int)report->message_len, report->message ? report->message : "");
    }
}

static int fail(const char *what, ottla_error_t *error)
{
    fprintf(stderr, "%s: %s\n", what, ottla_error_message(error));
    ottla_error_free(error);
    return -1;
}

/* A producer, with its reports going to on_delivery. */
static ottla_producer_t *open_producer(const char *servers, struct outcome *outcome)
{
    ottla_config_t *config = NULL;
    ottla_producer_t *producer = NULL;
    ottla_error_t *error = NULL;
    ottla_callbacks_t callbacks = OTTLA_CALLBACKS_INIT;
    callbacks.on_delivery = on_delivery;
    callbacks.delivery_env = outcome;

    if (ottla_config_new(&config) != 0)
        return NULL;
    int32_t status = servers
        ? ottla_config_set_str(config, "bootstrap.servers", servers, &error)
        : ottla_config_set_str(config, "test.mock.num.brokers", "3", &error);
    if (status == 0)
        status = ottla_config_set_str(config, "client.id", "produce_file", &error);
    if (status == 0)
        status = ottla_producer_new(config, &callbacks, &producer, &error);
    if (status == 0)
        status = ottla_producer_wait_ready(producer, 30000, &error);
    ottla_config_free(config);
    if (status != 0) {
        fail("cannot open the producer", error);
        ottla_producer_free(producer);
        return NULL;
    }
    return producer;
}

static int send_lines(ottla_producer_t *producer, const char *path, const struct file *file)
{
    ottla_error_t *error = NULL;
    ottla_header_t header = {"file", 4, path, strlen(path)};
    ottla_record_t record = OTTLA_RECORD_INIT;
    if (ottla_producer_topic_str(producer, TOPIC, &record.topic, &error) != 0)
        return fail("topic", error);
    record.headers = &header;
    record.header_count = 1;
    for (size_t n = 0; n < file->count; n++) {
        char key[24];
        record.key = key;
        record.key_len = (size_t)snprintf(key, sizeof key, "%zu", n + 1);
        record.value = file->lines[n].text;
        record.value_len = file->lines[n].len;
        record.token = n;
        /* Waits for room when the producer has no more memory for records. */
        if (ottla_producer_send_record(producer, &record, 0) != 0) {
            char text[512];
            ottla_last_error_message(text, sizeof text);
            fprintf(stderr, "line %zu: %s\n", n + 1, text);
            return -1;
        }
    }
    if (ottla_producer_flush(producer, -1, &error) != 0)
        return fail("flush", error);
    return 0;
}

/* Puts every record of a partition where its key says; 0 if it is the line that was sent. */
static int check_partition(const ottla_mock_records_t *records, const struct file *file, char *seen)
{
    for (size_t i = 0; i < ottla_mock_records_count(records); i++) {
        ottla_record_t record = OTTLA_RECORD_INIT;
        char key[24] = "";
        if (ottla_mock_records_at(records, i, &record, NULL) != 0 || record.key_len >= sizeof key)
            return -1;
        memcpy(key, record.key, record.key_len);
        size_t n = (size_t)strtoull(key, NULL, 10) - 1;
        if (n >= file->count || seen[n]++ || record.value_len != file->lines[n].len
            || memcmp(record.value, file->lines[n].text, record.value_len) != 0) {
            fprintf(stderr, "record %s is not the line that was sent\n", key);
            return -1;
        }
    }
    return 0;
}

/* Reads the topic back from the embedded cluster; 0 if it holds the file. */
static int compare(ottla_producer_t *producer, const struct file *file)
{
    ottla_mock_cluster_t *cluster = NULL;
    ottla_error_t *error = NULL;
    size_t partitions = 0, found = 0;
    char *seen = calloc(file->count + 1, 1);
    int result = 0;
    if (seen == NULL || ottla_producer_mock_cluster(producer, &cluster, &error) != 0)
        return fail("embedded cluster", error);
    if (file->count > 0)
        ottla_mock_cluster_partition_count(cluster, TOPIC, strlen(TOPIC), &partitions);
    for (size_t p = 0; p < partitions && result == 0; p++) {
        ottla_mock_records_t *records = NULL;
        if (ottla_mock_cluster_records_str(cluster, TOPIC, (int32_t)p, &records, &error) != 0) {
            result = fail("read back", error);
            break;
        }
        found += ottla_mock_records_count(records);
        result = check_partition(records, file, seen);
        ottla_mock_records_free(records);
    }
    free(seen);
    if (result == 0 && found != file->count)
        result = -1;
    printf("read back %zu of %zu lines: %s\n", found, file->count,
           result == 0 ? "the same, byte for byte" : "NOT the same");
    return result;
}

int main(int argc, char **argv)
{
    struct file file = {0};
    struct outcome outcome = {0};
    int result = -1;
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: %s FILE [BOOTSTRAP_SERVERS]\n", argv[0]);
        return 2;
    }
    const char *servers = argc > 2 ? argv[2] : NULL;
    if (read_file(argv[1], &file) == 0) {
        ottla_producer_t *producer = open_producer(servers, &outcome);
        if (producer != NULL) {
            result = send_lines(producer, argv[1], &file);
            if (result == 0 && servers == NULL)
                result = compare(producer, &file);
            ottla_producer_free(producer);
            printf("%zu lines: %zu stored, %zu failed, in %zu reports\n", file.count, outcome.stored,
                   outcome.failed, outcome.reports);
        }
    }
    if (outcome.stored != file.count)
        result = -1;
    free(file.lines);
    free(file.bytes);
    return result == 0 ? 0 : 1;
}
