/* One producer from its settings to its end: every kind of send, both kinds of poll, what is stored, what it tells. */
#include <poll.h>

#include "check.h"

#define RECORDS 1000

static void settings_are_texts(void)
{
    ottla_config_t *config = embedded();
    char text[64];
    size_t len = 0;
    CHECK_OK(ottla_config_get(config, "acks", 4, text, sizeof text, &len));
    CHECK(strlen(text) == len);
    CHECK_EQUAL(ottla_config_get(config, "client.id", 9, NULL, 0, &len), 0);
    CHECK_OK(ottla_config_set_str(config, "client.id", "a-long-name", NULL));
    CHECK_EQUAL(ottla_config_get(config, "client.id", 9, text, 5, &len), OTTLA_ERROR_TRUNCATED);
    CHECK(strcmp(text, "a-lo") == 0 && len == 11);
    CHECK(strstr(ottla_config_reference(), "linger.ms") != NULL);

    ottla_error_t *error = NULL;
    CHECK_EQUAL(ottla_config_set_str(config, "lingr.ms", "5", &error), OTTLA_ERROR_CONFIG);
    CHECK(strstr(ottla_error_message(error), "linger.ms") != NULL);
    CHECK_EQUAL(ottla_error_code(error), OTTLA_ERROR_CONFIG);
    CHECK(!ottla_error_is_retriable(error) && !ottla_error_is_fatal(error));
    CHECK(!ottla_error_is_abortable(error));
    CHECK_OK(ottla_error_free(error));
    CHECK_OK(ottla_config_free(config));
}

static void every_number_has_a_name(void)
{
    CHECK(strcmp(ottla_error_name(OTTLA_ERROR_NOT_LEADER_OR_FOLLOWER), "NOT_LEADER_OR_FOLLOWER") == 0);
    CHECK(strcmp(ottla_error_name(OTTLA_ERROR_QUEUE_FULL), "QUEUE_FULL") == 0);
    CHECK(strcmp(ottla_error_name(-99999), "UNKNOWN") == 0);
    CHECK(strlen(ottla_error_description(OTTLA_ERROR_CLOSED)) > 5);
    CHECK_EQUAL(ottla_error_flags(OTTLA_ERROR_QUEUE_FULL), OTTLA_ERROR_FLAG_RETRIABLE);
    CHECK_EQUAL(ottla_error_flags(OTTLA_ERROR_NONE), 0);
    CHECK(strcmp(ottla_version(), OTTLA_VERSION) == 0);
    CHECK_EQUAL(ottla_version_number(), OTTLA_VERSION_NUMBER);
}

/* Takes `wanted` reports record by record; each token once, all stored. */
static void take_records(ottla_producer_t *producer, size_t wanted)
{
    static unsigned char seen[2 * RECORDS];
    ottla_delivery_t some[64];
    memset(seen, 0, sizeof seen);
    while (wanted > 0) {
        size_t count = 0;
        CHECK_OK(ottla_producer_poll(producer, some, 64, SOON_MS, &count));
        CHECK(count > 0 && count <= wanted);
        for (size_t i = 0; i < count; i++) {
            CHECK_EQUAL(some[i].status, 0);
            CHECK_EQUAL(some[i].persistence, OTTLA_PERSISTENCE_PERSISTED);
            CHECK(some[i].token < sizeof seen && !seen[some[i].token]++);
            CHECK(some[i].offset >= 0 && some[i].message == 0);
        }
        wanted -= count;
    }
}

static void take_runs(ottla_producer_t *producer, size_t wanted)
{
    ottla_run_t runs[4];
    uint64_t tokens[100];
    int64_t times[100];
    int64_t offset = -1;
    while (wanted > 0) {
        size_t run_count = 0, token_count = 0, sum = 0;
        CHECK_OK(ottla_producer_poll_runs(producer, runs, 4, tokens, times, 100, SOON_MS, &run_count,
                                          &token_count));
        CHECK(run_count > 0 && token_count <= wanted);
        for (size_t r = 0; r < run_count; r++) {
            CHECK_EQUAL(runs[r].status, 0);
            CHECK_EQUAL(runs[r].first, sum);
            CHECK(offset < 0 || runs[r].base_offset == offset);
            for (size_t i = 0; i < runs[r].count; i++)
                CHECK_EQUAL(tokens[sum + i], 5000 + times[sum + i]);
            sum += runs[r].count;
            offset = runs[r].base_offset + (int64_t)runs[r].count;
        }
        CHECK_EQUAL(sum, token_count);
        wanted -= token_count;
    }
}

static void records_come_back(ottla_producer_t *producer, const char *topic, size_t wanted)
{
    ottla_mock_cluster_t *cluster = NULL, *same = NULL;
    CHECK_OK(ottla_producer_mock_cluster(producer, &cluster, NULL));
    CHECK_OK(ottla_producer_mock_cluster(producer, &same, NULL));
    CHECK(cluster == same);
    CHECK_EQUAL(ottla_mock_cluster_free(cluster), OTTLA_ERROR_STATE);
    size_t partitions = 0, sum = 0;
    CHECK_OK(ottla_mock_cluster_partition_count(cluster, topic, strlen(topic), &partitions));
    for (size_t p = 0; p < partitions; p++) {
        ottla_mock_records_t *records = NULL;
        CHECK_OK(ottla_mock_cluster_records_str(cluster, topic, (int32_t)p, &records, NULL));
        size_t count = ottla_mock_records_count(records);
        int64_t end = -1;
        CHECK_OK(ottla_mock_cluster_end_offset(cluster, topic, strlen(topic), (int32_t)p, &end));
        CHECK_EQUAL(end, count);
        ottla_mock_records_t *committed = NULL;
        CHECK_OK(ottla_mock_cluster_records_isolated(cluster, topic, strlen(topic), (int32_t)p,
                                                     OTTLA_ISOLATION_READ_COMMITTED, &committed, NULL));
        CHECK_EQUAL(ottla_mock_records_count(committed), count);
        CHECK_OK(ottla_mock_records_free(committed));
        int64_t group_offset = 0;
        CHECK_OK(ottla_mock_cluster_committed_offset(cluster, "g", 1, topic, strlen(topic), (int32_t)p,
                                                     &group_offset));
        CHECK_EQUAL(group_offset, -1);
        for (size_t i = 0; i < count; i++) {
            ottla_record_t record = OTTLA_RECORD_INIT;
            int64_t offset = -1;
            CHECK_OK(ottla_mock_records_at(records, i, &record, &offset));
            CHECK(offset == (int64_t)i && record.partition == (int32_t)p);
            CHECK(record.timestamp_ms > 0);
            CHECK(record.size == sizeof record);
        }
        ottla_record_t record = OTTLA_RECORD_INIT;
        CHECK_EQUAL(ottla_mock_records_at(records, count, &record, NULL), OTTLA_ERROR_ARGUMENT);
        CHECK_OK(ottla_mock_records_free(records));
        sum += count;
    }
    CHECK_EQUAL(sum, wanted);
}

static void plain_sends(ottla_producer_t *producer)
{
    uint32_t topic = topic_of(producer, "plain");
    CHECK_EQUAL(topic_of(producer, "plain"), topic);
    for (uint64_t n = 0; n < RECORDS; n++) {
        char value[32];
        int len = snprintf(value, sizeof value, "value %" PRIu64, n);
        CHECK_OK(ottla_producer_send(producer, topic, OTTLA_PARTITION_ANY, &n, sizeof n, value,
                                     (size_t)len, OTTLA_TIMESTAMP_NOW, n));
    }
    take_records(producer, RECORDS);
    records_come_back(producer, "plain", RECORDS);
    char name[8];
    size_t len = 0;
    CHECK_OK(ottla_producer_topic_name(producer, topic, name, sizeof name, &len));
    CHECK(strcmp(name, "plain") == 0 && len == 5);
}

static void a_whole_record(ottla_producer_t *producer)
{
    ottla_header_t headers[20];
    for (size_t i = 0; i < 20; i++)
        headers[i] = (ottla_header_t){"name", 4, i % 2 ? "x" : NULL, i % 2};
    headers[1].value_len = 0;
    ottla_record_t record = OTTLA_RECORD_INIT;
    record.topic = topic_of(producer, "whole");
    record.partition = 2;
    record.value = "";
    record.headers = headers;
    record.header_count = 20;
    record.timestamp_ms = 1234;
    record.token = 7;
    CHECK_OK(ottla_producer_send_record(producer, &record, 0));
    take_records(producer, 1);

    ottla_mock_cluster_t *cluster = NULL;
    CHECK_OK(ottla_producer_mock_cluster(producer, &cluster, NULL));
    ottla_mock_records_t *records = NULL;
    CHECK_OK(ottla_mock_cluster_records_str(cluster, "whole", 2, &records, NULL));
    ottla_record_t back = OTTLA_RECORD_INIT;
    int64_t offset = -1;
    CHECK_OK(ottla_mock_records_at(records, 0, &back, &offset));
    CHECK(offset == 0 && back.timestamp_ms == 1234);
    CHECK(back.key == NULL && back.value != NULL && back.value_len == 0);
    CHECK_EQUAL(back.header_count, 20);
    CHECK(back.headers[0].value == NULL);
    CHECK(back.headers[1].value != NULL && back.headers[1].value_len == 0);
    CHECK(back.headers[3].value_len == 1 && memcmp(back.headers[3].value, "x", 1) == 0);
    CHECK(back.headers[19].key_len == 4 && memcmp(back.headers[19].key, "name", 4) == 0);
    CHECK_OK(ottla_mock_records_free(records));
}

/* A caller's own struct around the record: the stride says how far apart they lie. */
struct order {
    ottla_record_t record;
    int number;
};

static void batches(ottla_producer_t *producer)
{
    static struct order orders[RECORDS];
    static int32_t statuses[RECORDS];
    size_t accepted = 0;
    uint32_t topic = topic_of(producer, "batch");
    for (size_t i = 0; i < RECORDS; i++) {
        ottla_record_t record = OTTLA_RECORD_INIT;
        record.topic = topic;
        record.partition = 0;
        record.value = "v";
        record.value_len = 1;
        record.timestamp_ms = (int64_t)i;
        record.token = 5000 + i;
        orders[i].record = record;
    }
    CHECK_OK(ottla_producer_send_batch(producer, &orders[0].record, RECORDS, sizeof orders[0], 0,
                                       &accepted, statuses));
    CHECK_EQUAL(accepted, RECORDS);
    CHECK_OK(ottla_producer_flush(producer, SOON_MS, NULL));
    take_runs(producer, RECORDS);

    orders[1].record.partition = 77;
    CHECK_EQUAL(ottla_producer_send_batch(producer, &orders[0].record, 3, sizeof orders[0],
                                          OTTLA_SEND_NO_WAIT, &accepted, statuses),
                OTTLA_ERROR_UNKNOWN_PARTITION);
    CHECK_EQUAL(accepted, 2);
    CHECK(statuses[0] == 0 && statuses[1] == OTTLA_ERROR_UNKNOWN_PARTITION && statuses[2] == 0);
    CHECK_EQUAL(ottla_producer_send_batch(producer, &orders[0].record, 3, sizeof orders[0],
                                          OTTLA_SEND_NO_WAIT, &accepted, NULL),
                OTTLA_ERROR_UNKNOWN_PARTITION);
    CHECK_EQUAL(accepted, 1);
    CHECK_OK(ottla_producer_flush(producer, SOON_MS, NULL));
    ottla_delivery_t some[4];
    size_t count = 0;
    CHECK_OK(ottla_producer_poll(producer, some, 4, SOON_MS, &count));
    CHECK_EQUAL(count, 3);
}

static void failures_have_texts(ottla_producer_t *producer)
{
    ottla_mock_cluster_t *cluster = NULL;
    const int32_t codes[] = {OTTLA_ERROR_MESSAGE_TOO_LARGE};
    uint32_t topic = topic_of(producer, "plain");
    CHECK_OK(ottla_producer_mock_cluster(producer, &cluster, NULL));
    CHECK_OK(ottla_mock_cluster_push_partition_errors(cluster, "plain", 5, 1, codes, 1));
    CHECK_OK(ottla_producer_send(producer, topic, 1, NULL, 0, "v", 1, OTTLA_TIMESTAMP_NOW, 9));
    ottla_delivery_t failed;
    size_t count = 0, len = 0;
    char text[256];
    CHECK_OK(ottla_producer_poll(producer, &failed, 1, SOON_MS, &count));
    CHECK(count == 1 && failed.token == 9 && failed.offset == -1);
    CHECK_EQUAL(failed.status, OTTLA_ERROR_MESSAGE_TOO_LARGE);
    CHECK_EQUAL(failed.persistence, OTTLA_PERSISTENCE_NOT_PERSISTED);
    CHECK(failed.message != 0);
    CHECK_OK(ottla_producer_message(producer, failed.message, text, sizeof text, &len));
    CHECK(len > 0 && strlen(text) == len);
    CHECK_EQUAL(ottla_producer_message(producer, 999, text, sizeof text, &len), OTTLA_ERROR_ARGUMENT);
}

static void the_event_fd_wakes(ottla_producer_t *producer)
{
    int32_t fd = -1;
    uint32_t topic = topic_of(producer, "plain");
    CHECK_OK(ottla_producer_event_fd(producer, &fd, NULL));
    struct pollfd waiting = {fd, POLLIN, 0};
    CHECK_EQUAL(poll(&waiting, 1, 0), 0);
    CHECK_OK(ottla_producer_send(producer, topic, 0, NULL, 0, NULL, 0, OTTLA_TIMESTAMP_NOW, 1));
    CHECK_EQUAL(poll(&waiting, 1, SOON_MS), 1);
    ottla_delivery_t delivery;
    size_t count = 0;
    CHECK_OK(ottla_producer_poll(producer, &delivery, 1, 0, &count));
    CHECK_EQUAL(count, 1);
    CHECK_EQUAL(poll(&waiting, 1, 0), 0);
}

static void what_it_knows(ottla_producer_t *producer)
{
    ottla_metadata_t *metadata = NULL;
    uint32_t topic = topic_of(producer, "plain");
    CHECK_OK(ottla_producer_topic_metadata(producer, topic, SOON_MS, &metadata, NULL));
    CHECK_EQUAL(ottla_metadata_broker_count(metadata), 3);
    CHECK(strlen(ottla_metadata_cluster_id(metadata)) > 0);
    CHECK(ottla_metadata_controller(metadata) >= -1);
    int32_t id = 0;
    const char *host = NULL, *rack = "unset";
    uint16_t port = 0;
    CHECK_OK(ottla_metadata_broker(metadata, 2, &id, &host, &port, &rack));
    CHECK(id == 3 && port > 0 && rack == NULL && strcmp(host, "127.0.0.1") == 0);
    CHECK_EQUAL(ottla_metadata_broker(metadata, 3, NULL, NULL, NULL, NULL), OTTLA_ERROR_ARGUMENT);
    CHECK_EQUAL(ottla_metadata_topic_count(metadata), 3);
    const char *name = NULL;
    uint8_t topic_id[16];
    int32_t status = -1, leader = -1, epoch = -2;
    size_t partitions = 0, replicas = 0, in_sync = 0;
    const int32_t *ids = NULL;
    CHECK_OK(ottla_metadata_topic(metadata, 1, &name, topic_id, &status, &partitions));
    CHECK(strcmp(name, "plain") == 0 && status == 0 && partitions == 4);
    CHECK_OK(ottla_metadata_partition(metadata, 1, 3, &leader, &epoch, &status));
    CHECK(leader >= 1 && leader <= 3 && status == 0);
    CHECK_OK(ottla_metadata_replicas(metadata, 1, 3, &ids, &replicas, NULL, &in_sync));
    CHECK(replicas == 3 && in_sync == 3 && ids[0] >= 1);
    CHECK_EQUAL(ottla_metadata_partition(metadata, 1, 4, &leader, NULL, NULL), OTTLA_ERROR_ARGUMENT);
    CHECK_OK(ottla_metadata_free(metadata));

    ottla_metrics_t *metrics = NULL;
    double value = 0, total = 0, available = -1;
    const char *metric = NULL;
    CHECK_OK(ottla_producer_metrics(producer, &metrics, NULL));
    CHECK(ottla_metrics_count(metrics) > 40);
    CHECK_OK(ottla_metrics_at(metrics, 0, &metric, &value));
    CHECK(strcmp(metric, "record-append-total") == 0);
    CHECK_OK(ottla_metrics_get_str(metrics, "record-ack-total", &value));
    CHECK(value >= 2 * RECORDS);
    CHECK_OK(ottla_metrics_get_str(metrics, "buffer-total-bytes", &total));
    CHECK_OK(ottla_metrics_get_str(metrics, "buffer-available-bytes", &available));
    CHECK(total > 0 && total == available);
    CHECK_EQUAL(ottla_metrics_get_str(metrics, "no-such", &value), OTTLA_ERROR_ARGUMENT);
    CHECK_OK(ottla_metrics_free(metrics));
}

int main(void)
{
    settings_are_texts();
    every_number_has_a_name();
    ottla_producer_t *producer = embedded_producer(NULL);
    CHECK_OK(ottla_producer_wait_ready(producer, SOON_MS, NULL));
    plain_sends(producer);
    a_whole_record(producer);
    batches(producer);
    failures_have_texts(producer);
    the_event_fd_wakes(producer);
    what_it_knows(producer);
    size_t outstanding = 99;
    CHECK_OK(ottla_producer_outstanding(producer, &outstanding));
    CHECK_EQUAL(outstanding, 0);

    uint32_t topic = topic_of(producer, "plain");
    CHECK_OK(ottla_producer_send(producer, topic, 0, NULL, 0, "last", 4, OTTLA_TIMESTAMP_NOW, 1));
    CHECK_OK(ottla_producer_close(producer, SOON_MS, NULL));
    CHECK_OK(ottla_producer_close(producer, SOON_MS, NULL));
    take_records(producer, 1);
    ottla_delivery_t none;
    size_t count = 99;
    CHECK_EQUAL(ottla_producer_poll(producer, &none, 1, -1, &count), OTTLA_ERROR_CLOSED);
    CHECK_EQUAL(count, 0);
    CHECK_OK(ottla_producer_free(producer));
    CHECK_EQUAL(ottla_producer_free(producer), OTTLA_ERROR_HANDLE);
    CHECK_OK(ottla_producer_free(NULL));
    return 0;
}
