/* Records as columns in every layout that there is, the words that tell what waits, events, and the survey of a
 * cluster. Conformance: C06, C07, C26, C63. */
#include "check.h"

static ottla_producer_t *producer;
static ottla_mock_cluster_t *cluster;
static uint32_t topic;

static void open_producer(void)
{
    ottla_config_t *config = embedded();
    CHECK_OK(ottla_config_set_str(config, "log.queue", "true", NULL));
    CHECK_OK(ottla_config_set_str(config, "linger.ms", "1", NULL));
    CHECK_OK(ottla_producer_new(config, NULL, &producer, NULL));
    CHECK_OK(ottla_config_free(config));
    CHECK_OK(ottla_producer_mock_cluster(producer, &cluster, NULL));
    CHECK_OK(ottla_mock_cluster_create_topic_str(cluster, "t", 3, 1));
    CHECK_OK(ottla_mock_cluster_create_topic_str(cluster, "other", 1, 1));
    topic = topic_of(producer, "t");
    CHECK_OK(ottla_producer_wait_ready(producer, SOON_MS, NULL));
}

/* Takes `count` reports, which must be good; tells the sum of their tokens. */
static uint64_t take(size_t count)
{
    uint64_t sum = 0;
    while (count > 0) {
        ottla_delivery_t delivery;
        size_t taken;
        CHECK_OK(ottla_producer_poll(producer, &delivery, 1, SOON_MS, &taken));
        CHECK_EQUAL(taken, 1);
        CHECK_EQUAL(delivery.status, 0);
        sum += delivery.token;
        count--;
    }
    return sum;
}

static ottla_mock_records_t *stored(int32_t partition, size_t count)
{
    ottla_mock_records_t *records = NULL;
    CHECK_OK(ottla_mock_cluster_records_str(cluster, "t", partition, &records, NULL));
    CHECK_EQUAL(ottla_mock_records_count(records), count);
    return records;
}

static void check_bytes(const void *got, size_t got_len, const char *wanted)
{
    CHECK((got == NULL) == (wanted == NULL));
    if (wanted) {
        CHECK_EQUAL(got_len, strlen(wanted));
        CHECK(memcmp(got, wanted, got_len) == 0);
    }
}

static void check_record(ottla_mock_records_t *records, size_t index, const char *key, const char *value,
                         int64_t timestamp_ms, size_t headers)
{
    ottla_record_t record = OTTLA_RECORD_INIT;
    CHECK_OK(ottla_mock_records_at(records, index, &record, NULL));
    check_bytes(record.key, record.key_len, key);
    check_bytes(record.value, record.value_len, value);
    if (timestamp_ms >= 0)
        CHECK_EQUAL(record.timestamp_ms, timestamp_ms);
    CHECK_EQUAL(record.header_count, headers);
}

static void every_field_has_a_column(void)
{
    static const int32_t key_lengths[] = {1, -1, 0}, value_offsets[] = {0, 2, 2, 5};
    static const uint8_t validity[] = {5}; /* the second value is null */
    static const int32_t partitions[] = {0, 0, 0};
    static const int64_t times[] = {1000, 2000, 3000};
    static const uint32_t header_counts[] = {2, 0, 1};
    static const int64_t header_offsets[] = {0, 1, 2, 3};
    static const int32_t header_lengths[] = {3, -1, 0};
    ottla_columns_t columns = OTTLA_COLUMNS_INIT;
    columns.topic = topic;
    columns.count = 3;
    columns.token = 100;
    columns.token_step = 1;
    columns.partitions = partitions;
    columns.timestamps_ms = times;
    columns.header_counts = header_counts;
    columns.key.data = "k";
    columns.key.data_len = 1;
    columns.key.lengths = key_lengths;
    columns.value.data = "aabbb";
    columns.value.data_len = 5;
    columns.value.offsets = value_offsets;
    columns.value.validity = validity;
    columns.header_key.data = "xyz";
    columns.header_key.data_len = 3;
    columns.header_key.offsets = header_offsets;
    columns.header_key.offset_bits = 64;
    columns.header_value.data = "one";
    columns.header_value.data_len = 3;
    columns.header_value.lengths = header_lengths;
    size_t accepted = 0;
    CHECK_OK(ottla_producer_send_columns(producer, &columns, 0, &accepted, NULL));
    CHECK_EQUAL(accepted, 3);
    CHECK_EQUAL(take(3), 303);
    ottla_mock_records_t *records = stored(0, 3);
    check_record(records, 0, "k", "aa", 1000, 2);
    check_record(records, 1, NULL, NULL, 2000, 0);
    check_record(records, 2, "", "bbb", 3000, 1);
    ottla_record_t record = OTTLA_RECORD_INIT;
    CHECK_OK(ottla_mock_records_at(records, 0, &record, NULL));
    check_bytes(record.headers[0].key, record.headers[0].key_len, "x");
    check_bytes(record.headers[0].value, record.headers[0].value_len, "one");
    check_bytes(record.headers[1].key, record.headers[1].key_len, "y");
    CHECK(record.headers[1].value == NULL);
    CHECK_OK(ottla_mock_records_free(records));
}

/* One record is refused, with its status; the others go. Without statuses the rest waits for another call. */
static void one_of_them_is_refused(void)
{
    static char values[6];
    static const int32_t partitions[] = {1, 7, 1};
    ottla_columns_t columns = OTTLA_COLUMNS_INIT;
    int32_t statuses[3] = {1, 1, 1};
    size_t accepted = 0;
    memcpy(values, "aabbcc", 6);
    columns.topic = topic;
    columns.count = 3;
    columns.partitions = partitions;
    columns.value.data = values;
    columns.value.data_len = sizeof values;
    columns.value.width = 2;
    CHECK_EQUAL(ottla_producer_send_columns(producer, &columns, OTTLA_SEND_NO_WAIT, &accepted, statuses),
                OTTLA_ERROR_UNKNOWN_PARTITION);
    CHECK_EQUAL(accepted, 2);
    CHECK_EQUAL(statuses[0], 0);
    CHECK_EQUAL(statuses[1], OTTLA_ERROR_UNKNOWN_PARTITION);
    CHECK_EQUAL(statuses[2], 0);
    CHECK_EQUAL(ottla_producer_send_columns(producer, &columns, OTTLA_SEND_NO_WAIT, &accepted, NULL),
                OTTLA_ERROR_UNKNOWN_PARTITION);
    CHECK_EQUAL(accepted, 1);
    memset(values, 'x', sizeof values); /* they were copied */
    CHECK_EQUAL(take(3), 0);
    ottla_mock_records_t *records = stored(1, 3);
    check_record(records, 0, NULL, "aa", -1, 0);
    check_record(records, 1, NULL, "cc", -1, 0);
    check_record(records, 2, NULL, "aa", -1, 0);
    CHECK_OK(ottla_mock_records_free(records));
}

static void topics_and_the_time(void)
{
    uint32_t topics[] = {topic, topic_of(producer, "other"), topic};
    ottla_columns_t columns = OTTLA_COLUMNS_INIT;
    size_t accepted = 0, count = 0;
    columns.topics = topics;
    columns.partition = 2;
    columns.count = 1;
    columns.timestamp_ms = 77;
    CHECK_OK(ottla_producer_send_columns(producer, &columns, 0, &accepted, NULL));
    columns.partition = 0;
    columns.topics = topics + 1;
    CHECK_OK(ottla_producer_send_columns(producer, &columns, 0, &accepted, NULL));
    take(2);
    ottla_mock_records_t *records = stored(2, 1);
    check_record(records, 0, NULL, NULL, 77, 0);
    CHECK_OK(ottla_mock_records_free(records));
    CHECK_OK(ottla_mock_cluster_records_str(cluster, "other", 0, &records, NULL));
    count = ottla_mock_records_count(records);
    CHECK_EQUAL(count, 1);
    CHECK_OK(ottla_mock_records_free(records));
}

static void malformed_columns_send_nothing(void)
{
    static const int32_t lengths[] = {1, 1}, back[] = {2, 1, 2};
    static const uint32_t headers[] = {1, 1};
    ottla_columns_t good = OTTLA_COLUMNS_INIT;
    size_t accepted = 9;
    good.topic = topic;
    good.count = 2;
    for (int which = 0; which < 8; which++) {
        ottla_columns_t columns = good;
        columns.value.data = "ab";
        columns.value.data_len = 2;
        columns.value.lengths = lengths;
        switch (which) {
        case 0: columns.value.data_len = 1; break;
        case 1: columns.value.data = NULL; break;
        case 2: columns.value.lengths = NULL; columns.value.offsets = back; break;
        case 3: columns.value.lengths = NULL; columns.value.width = 2; break;
        case 4: columns.reserved = 1; break;
        case 5: columns.size = 3; break;
        case 6: columns.header_counts = headers; columns.header_key.lengths = lengths; break;
        case 7: columns.count = SIZE_MAX; break;
        }
        CHECK_EQUAL(ottla_producer_send_columns(producer, &columns, 0, &accepted, NULL), OTTLA_ERROR_ARGUMENT);
        CHECK_EQUAL(accepted, 0);
    }
    CHECK_EQUAL(ottla_producer_send_columns(producer, NULL, 0, &accepted, NULL), OTTLA_ERROR_ARGUMENT);
    CHECK_EQUAL(ottla_producer_send_columns(producer, &good, 0x80, &accepted, NULL), OTTLA_ERROR_ARGUMENT);
    good.header_counts = headers; /* a name that is null */
    CHECK_EQUAL(ottla_producer_send_columns(producer, &good, 0, &accepted, NULL), OTTLA_ERROR_ARGUMENT);
    CHECK_OK(ottla_producer_outstanding(producer, &accepted));
    CHECK_EQUAL(accepted, 0);
}

static uint32_t read_word(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void words_tell_what_waits(void)
{
    const uint32_t *words = NULL;
    size_t count;
    CHECK_OK(ottla_producer_waiting(producer, &words));
    CHECK_EQUAL(read_word(&words[0]), 0);
    CHECK_OK(ottla_producer_send(producer, topic, 0, NULL, 0, "v", 1, OTTLA_TIMESTAMP_NOW, 1));
    CHECK_OK(ottla_producer_flush(producer, SOON_MS, NULL));
    CHECK_EQUAL(read_word(&words[0]), 1);
    ottla_delivery_t delivery;
    CHECK_OK(ottla_producer_poll(producer, &delivery, 1, 0, &count));
    CHECK_EQUAL(read_word(&words[0]), 0);
    CHECK_EQUAL(ottla_producer_waiting(producer, NULL), OTTLA_ERROR_ARGUMENT);
}

/* A broker that goes away is an event, with a text. */
static void events_wait(void)
{
    const uint32_t *words = NULL;
    ottla_event_t event = OTTLA_EVENT_INIT;
    char text[200];
    ottla_config_t *config = NULL;
    ottla_producer_t *lonely = NULL;
    CHECK_OK(ottla_config_new(&config));
    CHECK_OK(ottla_config_set_str(config, "bootstrap.servers", "127.0.0.1:1", NULL));
    CHECK_OK(ottla_config_set_str(config, "log.queue", "true", NULL));
    CHECK_OK(ottla_producer_new(config, NULL, &lonely, NULL));
    CHECK(ottla_producer_wait_ready(lonely, SOON_MS, NULL) != 0);
    CHECK_OK(ottla_producer_waiting(lonely, &words));
    int errors = 0;
    while (read_word(&words[1])) {
        CHECK_OK(ottla_producer_next_event(lonely, &event, text, sizeof text));
        if (event.kind == OTTLA_EVENT_ERROR && event.status == OTTLA_ERROR_TRANSPORT)
            errors++;
        CHECK_EQUAL(strlen(text), event.text_len);
        CHECK(event.text_len > 0);
    }
    CHECK(errors > 0);
    CHECK_OK(ottla_producer_next_event(lonely, &event, NULL, 0));
    CHECK_EQUAL(event.kind, OTTLA_EVENT_NONE);
    CHECK_OK(ottla_producer_free(lonely));
    CHECK_OK(ottla_config_free(config));
}

static void a_survey_tells_of_all_topics(void)
{
    ottla_metadata_t *metadata = NULL;
    ottla_error_t *error = NULL;
    const char *name = NULL;
    int32_t status = 0;
    size_t partitions = 0;
    CHECK_OK(ottla_mock_cluster_create_topic_str(cluster, "unused", 2, 1));
    CHECK_OK(ottla_producer_survey(producer, NULL, 0, SOON_MS, &metadata, &error));
    CHECK_EQUAL(ottla_metadata_topic_count(metadata), 3);
    CHECK_EQUAL(ottla_metadata_broker_count(metadata), 3);
    CHECK_OK(ottla_metadata_topic(metadata, 2, &name, NULL, &status, &partitions));
    CHECK(strcmp(name, "unused") == 0);
    CHECK_EQUAL(partitions, 2);
    CHECK_OK(ottla_metadata_free(metadata));
    CHECK_OK(ottla_producer_survey(producer, "missing", 7, SOON_MS, &metadata, &error));
    CHECK_EQUAL(ottla_metadata_topic_count(metadata), 1);
    CHECK_OK(ottla_metadata_topic(metadata, 0, &name, NULL, &status, NULL));
    CHECK(strcmp(name, "missing") == 0);
    CHECK_EQUAL(status, OTTLA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
    CHECK_OK(ottla_metadata_free(metadata));
}

int main(void)
{
    open_producer();
    every_field_has_a_column();
    one_of_them_is_refused();
    topics_and_the_time();
    malformed_columns_send_nothing();
    words_tell_what_waits();
    events_wait();
    a_survey_tells_of_all_topics();
    CHECK_OK(ottla_producer_free(producer));
    puts("columns: fine");
    return 0;
}
