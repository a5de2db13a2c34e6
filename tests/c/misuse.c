/* Every mistake that a caller can make has a status of its own, and none is a crash. */
#include <pthread.h>

#include "check.h"

#define H OTTLA_ERROR_HANDLE
#define ARG OTTLA_ERROR_ARGUMENT

/* Calls every function that takes a handle with `bad` in its place. */
static void refuse_everywhere(void *bad)
{
    ottla_producer_t *producer = bad;
    ottla_config_t *config = bad;
    ottla_error_t *error = bad;
    ottla_metadata_t *metadata = bad;
    ottla_metrics_t *metrics = bad;
    ottla_mock_cluster_t *cluster = bad;
    ottla_mock_records_t *records = bad;
    ottla_intercepted_t *intercepted = bad;
    ottla_group_metadata_t *group = bad;
    ottla_group_offset_t group_offset = OTTLA_GROUP_OFFSET_INIT;
    ottla_record_t record = OTTLA_RECORD_INIT;
    ottla_columns_t columns = OTTLA_COLUMNS_INIT;
    ottla_event_t event = OTTLA_EVENT_INIT;
    ottla_delivery_t delivery;
    ottla_run_t run;
    const uint32_t *words = NULL;
    ottla_producer_t *new_producer = NULL;
    ottla_metadata_t *new_metadata = NULL;
    ottla_metrics_t *new_metrics = NULL;
    ottla_mock_cluster_t *new_cluster = NULL;
    ottla_mock_records_t *new_records = NULL;
    char text[8];
    const char *name = NULL;
    double value;
    size_t count = 0;
    uint64_t number;
    int64_t offset;
    int32_t codes[1] = {1}, fd;
    uint32_t topic;

    const struct {
        const char *call;
        int32_t status;
    } calls[] = {
        {"config_set", ottla_config_set_str(config, "acks", "1", NULL)},
        {"config_get", ottla_config_get(config, "acks", 4, text, 8, NULL)},
        {"producer_new", ottla_producer_new(config, NULL, &new_producer, NULL)},
        {"topic", ottla_producer_topic_str(producer, "t", &topic, NULL)},
        {"topic_name", ottla_producer_topic_name(producer, 0, text, 8, NULL)},
        {"wait_ready", ottla_producer_wait_ready(producer, -1, NULL)},
        {"outstanding", ottla_producer_outstanding(producer, &count)},
        {"flush", ottla_producer_flush(producer, -1, NULL)},
        {"purge", ottla_producer_purge(producer, OTTLA_PURGE_QUEUED)},
        {"close", ottla_producer_close(producer, -1, NULL)},
        {"send", ottla_producer_send(producer, 0, 0, "k", 1, "v", 1, 0, 0)},
        {"send_record", ottla_producer_send_record(producer, &record, 0)},
        {"send_batch", ottla_producer_send_batch(producer, &record, 1, sizeof record, 0, &count, NULL)},
        {"send_columns", ottla_producer_send_columns(producer, &columns, 0, &count, NULL)},
        {"next_event", ottla_producer_next_event(producer, &event, text, 8)},
        {"waiting", ottla_producer_waiting(producer, &words)},
        {"survey", ottla_producer_survey(producer, NULL, 0, -1, &new_metadata, NULL)},
        {"init_transactions", ottla_producer_init_transactions(producer, -1, NULL)},
        {"begin_transaction", ottla_producer_begin_transaction(producer, NULL)},
        {"send_offsets", ottla_producer_send_offsets_to_transaction(producer, &group_offset, 1, sizeof group_offset,
                                                                    group, -1, NULL)},
        {"commit_transaction", ottla_producer_commit_transaction(producer, -1, NULL)},
        {"abort_transaction", ottla_producer_abort_transaction(producer, -1, NULL)},
        {"poll", ottla_producer_poll(producer, &delivery, 1, -1, &count)},
        {"poll_runs", ottla_producer_poll_runs(producer, &run, 1, &number, NULL, 1, -1, &count, &count)},
        {"message", ottla_producer_message(producer, 1, text, 8, NULL)},
        {"event_fd", ottla_producer_event_fd(producer, &fd, NULL)},
        {"metadata", ottla_producer_metadata(producer, &new_metadata, NULL)},
        {"topic_metadata", ottla_producer_topic_metadata(producer, 0, -1, &new_metadata, NULL)},
        {"metadata_broker", ottla_metadata_broker(metadata, 0, NULL, NULL, NULL, NULL)},
        {"metadata_topic", ottla_metadata_topic(metadata, 0, NULL, NULL, NULL, NULL)},
        {"metadata_partition", ottla_metadata_partition(metadata, 0, 0, NULL, NULL, NULL)},
        {"metadata_replicas", ottla_metadata_replicas(metadata, 0, 0, NULL, NULL, NULL, NULL)},
        {"metrics", ottla_producer_metrics(producer, &new_metrics, NULL)},
        {"metrics_at", ottla_metrics_at(metrics, 0, &name, &value)},
        {"metrics_get", ottla_metrics_get_str(metrics, "x", &value)},
        {"mock_cluster", ottla_producer_mock_cluster(producer, &new_cluster, NULL)},
        {"create_topic", ottla_mock_cluster_create_topic_str(cluster, "t", 1, 1)},
        {"partition_count", ottla_mock_cluster_partition_count(cluster, "t", 1, &count)},
        {"broker_down", ottla_mock_cluster_broker_down(cluster, 1)},
        {"broker_up", ottla_mock_cluster_broker_up(cluster, 1)},
        {"set_leader", ottla_mock_cluster_set_leader(cluster, "t", 1, 0, 1)},
        {"push_errors", ottla_mock_cluster_push_errors(cluster, 0, codes, 1)},
        {"push_partition_errors", ottla_mock_cluster_push_partition_errors(cluster, "t", 1, 0, codes, 1)},
        {"set_delay", ottla_mock_cluster_set_delay(cluster, -1, -1, 0)},
        {"clear_faults", ottla_mock_cluster_clear_faults(cluster)},
        {"request_count", ottla_mock_cluster_request_count(cluster, -1, 0, &number)},
        {"end_offset", ottla_mock_cluster_end_offset(cluster, "t", 1, 0, &offset)},
        {"records", ottla_mock_cluster_records_str(cluster, "t", 0, &new_records, NULL)},
        {"records_isolated", ottla_mock_cluster_records_isolated(cluster, "t", 1, 0, 1, &new_records, NULL)},
        {"committed_offset", ottla_mock_cluster_committed_offset(cluster, "g", 1, "t", 1, 0, &offset)},
        {"set_kafka_version", ottla_mock_cluster_set_kafka_version(cluster, "3.0", 3)},
        {"set_transaction_version", ottla_mock_cluster_set_transaction_version(cluster, 1)},
        {"set_marker_delay", ottla_mock_cluster_set_marker_delay(cluster, 1)},
        {"records_at", ottla_mock_records_at(records, 0, &record, &offset)},
        {"intercepted_get", ottla_intercepted_get(intercepted, &record, &name)},
        {"intercepted_set_key", ottla_intercepted_set_key(intercepted, "k", 1)},
        {"intercepted_set_value", ottla_intercepted_set_value(intercepted, "v", 1)},
        {"intercepted_set_timestamp", ottla_intercepted_set_timestamp(intercepted, 1)},
        {"intercepted_add_header", ottla_intercepted_add_header(intercepted, "h", 1, "v", 1)},
        {"intercepted_remove_headers", ottla_intercepted_remove_headers(intercepted, "h", 1)},
        {"error_code", ottla_error_code(error)},
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (calls[i].status != H)
            fprintf(stderr, "%s: %s\n", calls[i].call, ottla_error_name(calls[i].status));
        CHECK_EQUAL(calls[i].status, H);
    }
    CHECK(new_producer == NULL && new_metadata == NULL && new_metrics == NULL);
    CHECK(new_cluster == NULL && new_records == NULL);
    CHECK(strcmp(ottla_error_message(error), "") == 0);
    CHECK(!ottla_error_is_fatal(error) && !ottla_error_is_retriable(error) && !ottla_error_is_abortable(error));
    CHECK_EQUAL(ottla_metadata_broker_count(metadata), 0);
    CHECK_EQUAL(ottla_metadata_topic_count(metadata), 0);
    CHECK_EQUAL(ottla_metadata_controller(metadata), -1);
    CHECK(strcmp(ottla_metadata_cluster_id(metadata), "") == 0);
    CHECK_EQUAL(ottla_metrics_count(metrics), 0);
    CHECK_EQUAL(ottla_mock_records_count(records), 0);
    CHECK(strcmp(ottla_mock_cluster_bootstrap_servers(cluster), "") == 0);
    int32_t freed = bad == NULL ? 0 : H;
    CHECK_EQUAL(ottla_config_free(config), freed);
    CHECK_EQUAL(ottla_error_free(error), freed);
    CHECK_EQUAL(ottla_group_metadata_free(group), freed);
    CHECK_EQUAL(ottla_metadata_free(metadata), freed);
    CHECK_EQUAL(ottla_metrics_free(metrics), freed);
    CHECK_EQUAL(ottla_mock_cluster_free(cluster), freed);
    CHECK_EQUAL(ottla_mock_records_free(records), freed);
    CHECK_EQUAL(ottla_producer_free(producer), freed);
}

static void wrong_handles(void)
{
    static uint64_t memory[64];
    refuse_everywhere(NULL);
    refuse_everywhere(memory);
    refuse_everywhere((char *)memory + 1);
    refuse_everywhere((void *)(uintptr_t)-1);

    /* One of another kind. */
    ottla_config_t *config = embedded();
    ottla_producer_t *producer = NULL;
    uint32_t topic;
    CHECK_EQUAL(ottla_producer_topic_str((ottla_producer_t *)(void *)config, "t", &topic, NULL), H);
    CHECK_EQUAL(ottla_error_free((ottla_error_t *)(void *)config), H);
    CHECK_OK(ottla_producer_new(config, NULL, &producer, NULL));
    CHECK_EQUAL(ottla_config_free((ottla_config_t *)(void *)producer), H);

    /* Freed ones; the slot of each is used again by the next. */
    CHECK_OK(ottla_config_free(config));
    refuse_everywhere(config);
    ottla_mock_cluster_t *borrowed = NULL;
    CHECK_OK(ottla_producer_mock_cluster(producer, &borrowed, NULL));
    CHECK_OK(ottla_producer_free(producer));
    refuse_everywhere(producer);
    refuse_everywhere(borrowed);
}

static void wrong_arguments(void)
{
    ottla_producer_t *producer = embedded_producer(NULL);
    uint32_t topic = topic_of(producer, "t"), other;
    ottla_error_t *error = NULL;
    size_t count;

    static const struct {
        const char *name;
        size_t len;
    } names[] = {{"", 0}, {"a b", 3}, {"\xff\xfe", 2}, {".", 1}, {"a\0b", 3}, {NULL, 0}, {NULL, 5}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        CHECK_EQUAL(ottla_producer_topic(producer, names[i].name, names[i].len, &other, &error), ARG);
        CHECK(strlen(ottla_error_message(error)) > 0);
        CHECK_OK(ottla_error_free(error));
        error = NULL;
    }
    CHECK_EQUAL(ottla_producer_topic_str(producer, "t", NULL, NULL), ARG);
    CHECK_EQUAL(ottla_producer_topic(producer, "t", SIZE_MAX, &other, NULL), ARG);

    /* Known topic and partitions, so that every refusal below has its own reason. */
    CHECK_OK(ottla_producer_send(producer, topic, 0, NULL, 0, "v", 1, OTTLA_TIMESTAMP_NOW, 0));
    static const char big[2000000];
    const struct {
        uint32_t topic;
        int32_t partition;
        const void *key, *value;
        size_t key_len, value_len;
        int64_t timestamp_ms;
        int32_t status;
    } sends[] = {
        {topic + 1, 0, NULL, "v", 0, 1, -1, ARG},
        {UINT32_MAX, 0, NULL, "v", 0, 1, -1, ARG},
        {topic, 4, NULL, "v", 0, 1, -1, OTTLA_ERROR_UNKNOWN_PARTITION},
        {topic, INT32_MAX, NULL, "v", 0, 1, -1, OTTLA_ERROR_UNKNOWN_PARTITION},
        {topic, -2, NULL, "v", 0, 1, -1, ARG},
        {topic, 0, NULL, "v", 0, 1, -2, ARG},
        {topic, 0, NULL, NULL, 0, 1, -1, ARG},
        {topic, 0, NULL, NULL, 1, 0, -1, ARG},
        {topic, 0, NULL, big, 0, sizeof big, -1, OTTLA_ERROR_RECORD_TOO_LARGE},
        {topic, 0, "k", "v", SIZE_MAX, 1, -1, OTTLA_ERROR_RECORD_TOO_LARGE},
        {topic, 0, "k", "v", 1, (size_t)1 << 40, -1, OTTLA_ERROR_RECORD_TOO_LARGE},
    };
    for (size_t i = 0; i < sizeof sends / sizeof sends[0]; i++) {
        char text[256];
        /* A partition that is not there yet could still come: that is waited for unless told otherwise. */
        ottla_record_t record = OTTLA_RECORD_INIT;
        record.topic = sends[i].topic;
        record.partition = sends[i].partition;
        record.key = sends[i].key;
        record.key_len = sends[i].key_len;
        record.value = sends[i].value;
        record.value_len = sends[i].value_len;
        record.timestamp_ms = sends[i].timestamp_ms;
        CHECK_EQUAL(ottla_producer_send_record(producer, &record, OTTLA_SEND_NO_WAIT), sends[i].status);
        CHECK(ottla_last_error_message(text, sizeof text) > 0);
        if (sends[i].status == OTTLA_ERROR_UNKNOWN_PARTITION)
            continue;
        CHECK_EQUAL(ottla_producer_send(producer, sends[i].topic, sends[i].partition, sends[i].key,
                                        sends[i].key_len, sends[i].value, sends[i].value_len,
                                        sends[i].timestamp_ms, 0),
                    sends[i].status);
    }

    ottla_record_t record = OTTLA_RECORD_INIT;
    ottla_header_t header = {"\xff", 1, NULL, 0};
    record.topic = topic;
    CHECK_EQUAL(ottla_producer_send_record(producer, NULL, 0), ARG);
    CHECK_EQUAL(ottla_producer_send_record(producer, &record, 0x80), ARG);
    record.headers = &header;
    record.header_count = 1;
    CHECK_EQUAL(ottla_producer_send_record(producer, &record, 0), ARG);
    record.headers = NULL;
    CHECK_EQUAL(ottla_producer_send_record(producer, &record, 0), ARG);
    record.header_count = SIZE_MAX;
    CHECK_EQUAL(ottla_producer_send_record(producer, &record, 0), ARG);
    record.header_count = 0;
    record.reserved = 1;
    CHECK_EQUAL(ottla_producer_send_record(producer, &record, 0), ARG);
    record.reserved = 0;
    for (uint32_t size = 0; size < 4; size++) {
        record.size = size;
        CHECK_EQUAL(ottla_producer_send_record(producer, &record, 0), ARG);
    }
    record.size = UINT32_MAX;
    CHECK_EQUAL(ottla_producer_send_record(producer, &record, 0), ARG);
    /* From a program of the future: fine as long as it does not use what is new. */
    struct {
        ottla_record_t record;
        uint64_t future;
    } newer = {OTTLA_RECORD_INIT, 0};
    newer.record.topic = topic;
    newer.record.size = sizeof newer;
    CHECK_OK(ottla_producer_send_record(producer, &newer.record, 0));
    newer.future = 1;
    CHECK_EQUAL(ottla_producer_send_record(producer, &newer.record, 0), ARG);
    /* From a program of the past: what it does not have is the default. */
    record.size = 24;
    record.value = "ignored";
    record.value_len = 7;
    CHECK_OK(ottla_producer_send_record(producer, &record, 0));

    CHECK_EQUAL(ottla_producer_send_batch(producer, NULL, 1, sizeof record, 0, &count, NULL), ARG);
    CHECK_EQUAL(ottla_producer_send_batch(producer, &record, 1, 3, 0, &count, NULL), ARG);
    CHECK_EQUAL(ottla_producer_send_batch(producer, &record, 1, 0, 0, &count, NULL), ARG);
    CHECK_EQUAL(ottla_producer_send_batch(producer, &record, SIZE_MAX, 80, 0, &count, NULL), ARG);
    CHECK_EQUAL(count, 0);
    ottla_record_t two[2] = {OTTLA_RECORD_INIT, OTTLA_RECORD_INIT};
    CHECK_EQUAL(ottla_producer_send_batch(producer, two, 2, sizeof(void *), 0, &count, NULL), ARG);
    CHECK_EQUAL(count, 0);
    CHECK_OK(ottla_producer_send_batch(producer, NULL, 0, 0, 0, &count, NULL));
    CHECK_EQUAL(ottla_producer_poll(producer, NULL, 1, 0, &count), ARG);
    ottla_delivery_t delivery;
    CHECK_EQUAL(ottla_producer_poll(producer, &delivery, SIZE_MAX, 0, &count), ARG);
    CHECK_EQUAL(ottla_producer_poll(producer, &delivery, 1, 0, NULL), ARG);
    CHECK_EQUAL(ottla_producer_purge(producer, 0), ARG);
    CHECK_EQUAL(ottla_producer_purge(producer, 4), ARG);
    CHECK_EQUAL(ottla_producer_outstanding(producer, NULL), ARG);
    CHECK_EQUAL(ottla_group_metadata_new("g", 1, -1, NULL, 0, NULL, 0, NULL, NULL), ARG);
    ottla_group_metadata_t *group = NULL;
    CHECK_EQUAL(ottla_group_metadata_new(NULL, 1, -1, NULL, 0, NULL, 0, &group, NULL), ARG);
    CHECK_EQUAL(ottla_group_metadata_new("g", 1, -1, "\xff", 1, NULL, 0, &group, NULL), ARG);
    CHECK_EQUAL(ottla_group_metadata_new("g", 1, -2, NULL, 0, NULL, 0, &group, NULL), ARG);
    CHECK(group == NULL);
    CHECK_OK(ottla_group_metadata_new("g", 1, -1, NULL, 0, "i", 1, &group, NULL));
    ottla_group_offset_t unsized = OTTLA_GROUP_OFFSET_INIT;
    unsized.size = 3;
    CHECK_EQUAL(ottla_producer_send_offsets_to_transaction(producer, &unsized, 1, sizeof unsized, group, 0, NULL),
                ARG);
    CHECK_EQUAL(ottla_producer_send_offsets_to_transaction(producer, NULL, 1, sizeof unsized, group, 0, NULL), ARG);
    CHECK_OK(ottla_group_metadata_free(group));
    CHECK_EQUAL(ottla_config_new(NULL), ARG);
    CHECK_EQUAL(ottla_mock_cluster_new(0, NULL, NULL), ARG);
    ottla_mock_cluster_t *cluster = NULL;
    CHECK_EQUAL(ottla_mock_cluster_new(0, &cluster, NULL), ARG);
    CHECK_EQUAL(ottla_mock_cluster_new(1001, &cluster, NULL), ARG);
    CHECK_OK(ottla_producer_mock_cluster(producer, &cluster, NULL));
    CHECK_EQUAL(ottla_mock_cluster_set_delay(cluster, 1, 12345, 1), ARG);
    CHECK_EQUAL(ottla_mock_cluster_create_topic_str(cluster, "t", 1, 1), OTTLA_ERROR_TOPIC_ALREADY_EXISTS);
    CHECK_OK(ottla_producer_free(producer));
}

/* Every place that a result needs, left out, and every name and number that names nothing. */
static void missing_places_and_unknown_names(void)
{
    ottla_producer_t *producer = embedded_producer(NULL);
    uint32_t topic = topic_of(producer, "t");
    ottla_config_t *config = NULL;
    ottla_metadata_t *metadata = NULL;
    ottla_metrics_t *metrics = NULL;
    ottla_mock_cluster_t *cluster = NULL;
    ottla_mock_records_t *records = NULL;
    ottla_record_t record = OTTLA_RECORD_INIT;
    ottla_event_t event = OTTLA_EVENT_INIT;
    ottla_columns_t columns = OTTLA_COLUMNS_INIT;
    ottla_run_t run;
    char text[4];
    const char *name;
    double value;
    uint64_t token;
    int64_t offset;
    int32_t codes[1] = {0};
    size_t count;
    CHECK_OK(ottla_config_new(&config));
    CHECK_OK(ottla_producer_send(producer, topic, 0, NULL, 0, "v", 1, -1, 0));
    CHECK_OK(ottla_producer_flush(producer, SOON_MS, NULL));
    CHECK_OK(ottla_producer_metadata(producer, &metadata, NULL));
    CHECK_OK(ottla_producer_metrics(producer, &metrics, NULL));
    CHECK_OK(ottla_producer_mock_cluster(producer, &cluster, NULL));
    CHECK_OK(ottla_mock_cluster_records_str(cluster, "t", 0, &records, NULL));
    const struct {
        const char *call;
        int32_t status, expected;
    } calls[] = {
        {"config_set key", ottla_config_set(config, NULL, 4, "1", 1, NULL), ARG},
        {"config_set text", ottla_config_set(config, "\xff", 1, "1", 1, NULL), ARG},
        {"config_set value", ottla_config_set(config, "acks", 4, NULL, 1, NULL), ARG},
        {"config_set length", ottla_config_set(config, "acks", SIZE_MAX, "1", 1, NULL), ARG},
        {"config_set name", ottla_config_set_str(config, "", "1", NULL), OTTLA_ERROR_CONFIG},
        {"config_set NULL", ottla_config_set_str(config, NULL, NULL, NULL), OTTLA_ERROR_CONFIG},
        {"config_get name", ottla_config_get(config, "aks", 3, text, 4, NULL), OTTLA_ERROR_CONFIG},
        {"config_get short", ottla_config_get(config, "compression.type", 16, text, 4, &count), OTTLA_ERROR_TRUNCATED},
        {"topic_name", ottla_producer_topic_name(producer, 99, text, 4, NULL), ARG},
        {"poll_runs runs", ottla_producer_poll_runs(producer, NULL, 1, &token, NULL, 1, 0, &count, &count), ARG},
        {"poll_runs tokens", ottla_producer_poll_runs(producer, &run, 1, NULL, NULL, 1, 0, &count, &count), ARG},
        {"poll_runs count", ottla_producer_poll_runs(producer, &run, 1, &token, NULL, 1, 0, NULL, &count), ARG},
        {"poll_runs tokens' count", ottla_producer_poll_runs(producer, &run, 1, &token, NULL, 1, 0, &count, NULL), ARG},
        {"message", ottla_producer_message(producer, 0, text, 4, NULL), ARG},
        {"event_fd", ottla_producer_event_fd(producer, NULL, NULL), ARG},
        {"waiting", ottla_producer_waiting(producer, NULL), ARG},
        {"next_event", ottla_producer_next_event(producer, NULL, text, 4), ARG},
        {"metadata", ottla_producer_metadata(producer, NULL, NULL), ARG},
        {"topic_metadata", ottla_producer_topic_metadata(producer, topic, 0, NULL, NULL), ARG},
        {"topic_metadata topic", ottla_producer_topic_metadata(producer, 99, 0, &metadata, NULL), ARG},
        {"survey", ottla_producer_survey(producer, NULL, 0, 0, NULL, NULL), ARG},
        {"survey topic", ottla_producer_survey(producer, "\xff", 1, 0, &metadata, NULL), ARG},
        {"metrics", ottla_producer_metrics(producer, NULL, NULL), ARG},
        {"mock_cluster", ottla_producer_mock_cluster(producer, NULL, NULL), ARG},
        {"send_columns", ottla_producer_send_columns(producer, NULL, 0, &count, NULL), ARG},
        {"send_columns flags", ottla_producer_send_columns(producer, &columns, 0x80, &count, NULL), ARG},
        {"metadata_broker", ottla_metadata_broker(metadata, 99, NULL, NULL, NULL, NULL), ARG},
        {"metadata_topic", ottla_metadata_topic(metadata, SIZE_MAX, NULL, NULL, NULL, NULL), ARG},
        {"metadata_partition", ottla_metadata_partition(metadata, 0, -1, NULL, NULL, NULL), ARG},
        {"metadata_replicas", ottla_metadata_replicas(metadata, 0, INT32_MAX, NULL, NULL, NULL, NULL), ARG},
        {"metrics_at", ottla_metrics_at(metrics, SIZE_MAX, &name, &value), ARG},
        {"metrics_at name", ottla_metrics_at(metrics, 0, NULL, &value), ARG},
        {"metrics_at value", ottla_metrics_at(metrics, 0, &name, NULL), ARG},
        {"metrics_get", ottla_metrics_get(metrics, "no-such", 7, &value), ARG},
        {"metrics_get value", ottla_metrics_get(metrics, "x", 1, NULL), ARG},
        {"create_topic", ottla_mock_cluster_create_topic(cluster, NULL, 3, 1, 1), ARG},
        {"create_topic text", ottla_mock_cluster_create_topic(cluster, "\xff", 1, 1, 1), ARG},
        {"create_topic name", ottla_mock_cluster_create_topic_str(cluster, "a b", 1, 1),
         OTTLA_ERROR_INVALID_TOPIC_EXCEPTION},
        {"create_topic partitions", ottla_mock_cluster_create_topic_str(cluster, "u", 0, 1),
         OTTLA_ERROR_INVALID_PARTITIONS},
        {"create_topic replication", ottla_mock_cluster_create_topic_str(cluster, "u", 1, 99),
         OTTLA_ERROR_INVALID_REPLICATION_FACTOR},
        {"partition_count", ottla_mock_cluster_partition_count(cluster, "t", 1, NULL), ARG},
        {"partition_count topic", ottla_mock_cluster_partition_count(cluster, "u", 1, &count),
         OTTLA_ERROR_UNKNOWN_TOPIC},
        {"broker_down", ottla_mock_cluster_broker_down(cluster, 99), ARG},
        {"broker_up", ottla_mock_cluster_broker_up(cluster, -1), ARG},
        {"set_leader", ottla_mock_cluster_set_leader(cluster, "t", 1, 99, 1), OTTLA_ERROR_UNKNOWN_PARTITION},
        {"set_leader broker", ottla_mock_cluster_set_leader(cluster, "t", 1, 0, 99), ARG},
        {"push_errors", ottla_mock_cluster_push_errors(cluster, 0, NULL, 1), ARG},
        {"push_errors api", ottla_mock_cluster_push_errors(cluster, 12345, codes, 1), ARG},
        {"push_errors count", ottla_mock_cluster_push_errors(cluster, 0, codes, SIZE_MAX), ARG},
        {"push_partition_errors", ottla_mock_cluster_push_partition_errors(cluster, "t", 1, 0, NULL, 1), ARG},
        {"request_count", ottla_mock_cluster_request_count(cluster, -1, 0, NULL), ARG},
        {"end_offset", ottla_mock_cluster_end_offset(cluster, "t", 1, 0, NULL), ARG},
        {"end_offset partition", ottla_mock_cluster_end_offset(cluster, "t", 1, -1, &offset),
         OTTLA_ERROR_UNKNOWN_PARTITION},
        {"records", ottla_mock_cluster_records(cluster, "t", 1, 0, NULL, NULL), ARG},
        {"records_isolated", ottla_mock_cluster_records_isolated(cluster, "t", 1, 0, 7, &records, NULL), ARG},
        {"committed_offset", ottla_mock_cluster_committed_offset(cluster, "g", 1, "t", 1, 0, NULL), ARG},
        {"set_kafka_version", ottla_mock_cluster_set_kafka_version(cluster, "none", 4), ARG},
        {"set_transaction_version", ottla_mock_cluster_set_transaction_version(cluster, 9), ARG},
        {"records_at", ottla_mock_records_at(records, 0, NULL, NULL), ARG},
        {"records_at index", ottla_mock_records_at(records, SIZE_MAX, &record, NULL), ARG},
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (calls[i].status != calls[i].expected)
            fprintf(stderr, "%s: %s\n", calls[i].call, ottla_error_name(calls[i].status));
        CHECK_EQUAL(calls[i].status, calls[i].expected);
    }
    for (uint32_t size = 0; size < 4; size++) {
        event.size = columns.size = record.size = size;
        CHECK_EQUAL(ottla_producer_next_event(producer, &event, text, 4), ARG);
        CHECK_EQUAL(ottla_producer_send_columns(producer, &columns, 0, &count, NULL), ARG);
        CHECK_EQUAL(ottla_mock_records_at(records, 0, &record, NULL), ARG);
    }

    /* What only tells cannot fail, whatever it is asked. */
    for (int64_t status = INT32_MIN; status <= INT32_MAX; status += 12345677) {
        CHECK(strlen(ottla_error_name((int32_t)status)) > 0);
        CHECK(strlen(ottla_error_description((int32_t)status)) > 0);
        CHECK(ottla_error_flags((int32_t)status) < 16);
    }
    CHECK(strcmp(ottla_version(), OTTLA_VERSION) == 0 && ottla_version_number() == OTTLA_VERSION_NUMBER);
    CHECK(strstr(ottla_config_reference(), "linger.ms") != NULL);
    CHECK(ottla_last_error_message(NULL, SIZE_MAX) == ottla_last_error_message(text, 0));
    CHECK(ottla_last_error_message(text, sizeof text) >= strlen(text) && strlen(text) == 3);
    CHECK_OK(ottla_mock_records_free(records));
    CHECK_OK(ottla_metrics_free(metrics));
    CHECK_OK(ottla_metadata_free(metadata));
    CHECK_OK(ottla_config_free(config));
    CHECK_OK(ottla_producer_free(producer));
}

static void no_producer_without_good_settings(void)
{
    ottla_config_t *config = NULL;
    ottla_producer_t *producer = NULL;
    ottla_error_t *error = NULL;
    CHECK_OK(ottla_config_new(&config));
    CHECK_EQUAL(ottla_producer_new(config, NULL, &producer, &error), OTTLA_ERROR_CONFIG);
    CHECK(strstr(ottla_error_message(error), "bootstrap.servers") != NULL);
    CHECK_OK(ottla_error_free(error));
    CHECK_OK(ottla_config_set_str(config, "bootstrap.servers", "127.0.0.1:1", NULL));
    ottla_callbacks_t callbacks = OTTLA_CALLBACKS_INIT;
    callbacks.reserved = 1;
    CHECK_EQUAL(ottla_producer_new(config, &callbacks, &producer, NULL), ARG);
    callbacks.reserved = 0;
    callbacks.size = 0;
    CHECK_EQUAL(ottla_producer_new(config, &callbacks, &producer, NULL), ARG);
    CHECK_EQUAL(ottla_producer_new(config, NULL, NULL, NULL), ARG);
    CHECK(producer == NULL);

    /* Nobody listens there: said at once. */
    CHECK_OK(ottla_producer_new(config, NULL, &producer, NULL));
    error = NULL;
    CHECK(ottla_producer_wait_ready(producer, SOON_MS, &error) < 0);
    CHECK(ottla_error_code(error) != OTTLA_ERROR_TIMED_OUT);
    CHECK(strstr(ottla_error_message(error), "127.0.0.1:1") != NULL);
    CHECK_OK(ottla_error_free(error));
    ottla_mock_cluster_t *cluster = NULL;
    CHECK_EQUAL(ottla_producer_mock_cluster(producer, &cluster, NULL), OTTLA_ERROR_STATE);
    CHECK_OK(ottla_producer_free(producer));
    CHECK_OK(ottla_config_free(config));
}

/* C33. */
static void after_close(void)
{
    ottla_producer_t *producer = embedded_producer(NULL);
    uint32_t topic = topic_of(producer, "t"), other;
    ottla_record_t record = OTTLA_RECORD_INIT;
    ottla_metadata_t *metadata = NULL;
    size_t count;
    CHECK_OK(ottla_producer_close(producer, 0, NULL));
    CHECK_EQUAL(ottla_producer_send(producer, topic, 0, NULL, 0, "v", 1, -1, 0), OTTLA_ERROR_CLOSED);
    CHECK_EQUAL(ottla_producer_send_record(producer, &record, 0), OTTLA_ERROR_CLOSED);
    CHECK_EQUAL(ottla_producer_send_batch(producer, &record, 1, sizeof record, 0, &count, NULL),
                OTTLA_ERROR_CLOSED);
    CHECK_EQUAL(ottla_producer_topic_str(producer, "t", &other, NULL), OTTLA_ERROR_CLOSED);
    CHECK_EQUAL(ottla_producer_purge(producer, OTTLA_PURGE_QUEUED), OTTLA_ERROR_CLOSED);
    CHECK_EQUAL(ottla_producer_wait_ready(producer, -1, NULL), OTTLA_ERROR_CLOSED);
    CHECK_EQUAL(ottla_producer_topic_metadata(producer, topic, -1, &metadata, NULL), OTTLA_ERROR_CLOSED);
    CHECK_OK(ottla_producer_flush(producer, -1, NULL));
    CHECK_OK(ottla_producer_close(producer, -1, NULL));
    CHECK_OK(ottla_producer_free(producer));
}

/* A thread that waits in a call while another one ends the producer. */
static void *wait_for_reports(void *producer)
{
    ottla_delivery_t delivery;
    size_t count;
    int32_t status = ottla_producer_poll(producer, &delivery, 1, -1, &count);
    CHECK(status == OTTLA_ERROR_CLOSED || status == H);
    return NULL;
}

static void another_thread_ends_it(void)
{
    for (int round = 0; round < 20; round++) {
        ottla_producer_t *producer = embedded_producer(NULL);
        pthread_t threads[4];
        for (int i = 0; i < 4; i++)
            CHECK(pthread_create(&threads[i], NULL, wait_for_reports, producer) == 0);
        CHECK_OK(ottla_producer_free(producer));
        for (int i = 0; i < 4; i++)
            CHECK(pthread_join(threads[i], NULL) == 0);
    }
}

int main(void)
{
    wrong_handles();
    wrong_arguments();
    missing_places_and_unknown_names();
    no_producer_without_good_settings();
    after_close();
    conforms("C33");
    another_thread_ends_it();
    return 0;
}
