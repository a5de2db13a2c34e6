/* Conformance, chapter "Records": what is sent is stored, byte for byte, and reported once. */
#include "conformance.h"

static void send_record(ottla_producer_t *producer, const ottla_record_t *record)
{
    CHECK_OK(ottla_producer_send_record(producer, record, 0));
}

static void c01_a_record_is_stored_and_reported(ottla_producer_t *producer)
{
    ottla_record_t record = OTTLA_RECORD_INIT;
    record.topic = topic_of(producer, "c01");
    record.partition = 2;
    record.key = "k\0\xff";
    record.key_len = 3;
    record.value = "a\r\n\0value";
    record.value_len = 9;
    record.token = UINT64_MAX;
    send_record(producer, &record);
    ottla_delivery_t report = take_one(producer);
    CHECK(report.token == UINT64_MAX && report.topic == record.topic);
    CHECK(report.status == 0 && report.message == 0);
    CHECK(report.partition == 2 && report.offset == 0);
    CHECK_EQUAL(report.persistence, OTTLA_PERSISTENCE_PERSISTED);
    expect_nothing_left(producer);

    ottla_mock_records_t *records = stored(producer, "c01", 2, 1);
    ottla_record_t back = record_at(records, 0);
    CHECK(bytes_are(back.key, back.key_len, "k\0\xff", 3));
    CHECK(bytes_are(back.value, back.value_len, "a\r\n\0value", 9));
    CHECK_OK(ottla_mock_records_free(records));
}

static void c02_null_is_not_empty(ottla_producer_t *producer)
{
    const char *const both[] = {NULL, ""};
    uint32_t topic = topic_of(producer, "c02");
    ottla_delivery_t reports[4];
    for (uint64_t n = 0; n < 4; n++)
        CHECK_OK(ottla_producer_send(producer, topic, 0, both[n / 2], 0, both[n % 2], 0, -1, n));
    take(producer, reports, 4);
    ottla_mock_records_t *records = stored(producer, "c02", 0, 4);
    for (size_t n = 0; n < 4; n++) {
        ottla_record_t back = record_at(records, n);
        CHECK(bytes_are(back.key, back.key_len, both[n / 2], 0));
        CHECK(bytes_are(back.value, back.value_len, both[n % 2], 0));
    }
    CHECK_OK(ottla_mock_records_free(records));
}

static void c03_headers_keep_order_and_bytes(ottla_producer_t *producer)
{
    const ottla_header_t odd[] = {
        {"same", 4, "1", 1}, {"same", 4, "2", 1}, {"", 0, "nameless", 8}, {"null", 4, NULL, 0},
        {"empty", 5, "", 0}, {"zero", 4, "\0a\0", 3}, {"\xc3\xa4\xe2\x82\xac", 5, "\xff", 1},
    };
    static ottla_header_t many[40];
    static char names[40][8];
    ottla_record_t record = OTTLA_RECORD_INIT;
    ottla_delivery_t reports[3];
    for (size_t h = 0; h < 40; h++) {
        snprintf(names[h], sizeof names[h], "h%zu", h);
        many[h] = (ottla_header_t){names[h], strlen(names[h]), names[39 - h], 1};
    }
    record.topic = topic_of(producer, "c03");
    record.partition = 0;
    send_record(producer, &record);
    record.headers = odd;
    record.header_count = sizeof odd / sizeof odd[0];
    send_record(producer, &record);
    record.headers = many;
    record.header_count = 40;
    send_record(producer, &record);
    take(producer, reports, 3);

    ottla_mock_records_t *records = stored(producer, "c03", 0, 3);
    const ottla_header_t *const wanted[] = {NULL, odd, many};
    const size_t counts[] = {0, sizeof odd / sizeof odd[0], 40};
    for (size_t n = 0; n < 3; n++) {
        ottla_record_t back = record_at(records, n);
        CHECK_EQUAL(back.header_count, counts[n]);
        for (size_t h = 0; h < counts[n]; h++) {
            const ottla_header_t *got = &back.headers[h], *sent = &wanted[n][h];
            CHECK(bytes_are(got->key, got->key_len, sent->key, sent->key_len));
            CHECK(bytes_are(got->value, got->value_len, sent->value, sent->value_len));
        }
    }
    CHECK_OK(ottla_mock_records_free(records));
}

static void c04_timestamps_are_kept_and_reported(ottla_producer_t *producer)
{
    uint32_t topic = topic_of(producer, "c04");
    const int64_t given = 1234567890123;
    ottla_delivery_t reports[2];
    int64_t before = clock_ms(CLOCK_REALTIME);
    CHECK_OK(ottla_producer_send(producer, topic, 0, NULL, 0, "v", 1, given, 0));
    CHECK_OK(ottla_producer_send(producer, topic, 0, NULL, 0, "v", 1, OTTLA_TIMESTAMP_NOW, 1));
    int64_t after = clock_ms(CLOCK_REALTIME);
    take(producer, reports, 2);
    ottla_mock_records_t *records = stored(producer, "c04", 0, 2);
    CHECK_EQUAL(record_at(records, 0).timestamp_ms, given);
    int64_t now = record_at(records, 1).timestamp_ms;
    CHECK(now >= before && now <= after);
    for (int n = 0; n < 2; n++)
        CHECK_EQUAL(reports[n].timestamp_ms, reports[n].token == 0 ? given : now);
    CHECK_OK(ottla_mock_records_free(records));

    /* Without report.timestamps there is nothing to tell. */
    ottla_producer_t *plain = producer_with(NULL, "report.timestamps", "false", NULL);
    CHECK_OK(ottla_producer_send(plain, topic_of(plain, "c04"), 0, NULL, 0, "v", 1, given, 0));
    CHECK_EQUAL(take_one(plain).timestamp_ms, -1);
    CHECK_OK(ottla_producer_free(plain));
}

static int32_t partition_for(ottla_producer_t *producer, int32_t partition, const char *key)
{
    uint32_t topic = topic_of(producer, "t");
    CHECK_OK(ottla_producer_send(producer, topic, partition, key, strlen(key), "v", 1, -1, 0));
    ottla_delivery_t report = take_one(producer);
    CHECK_EQUAL(report.status, 0);
    return report.partition;
}

static void c05_the_same_key_has_the_same_partition(void)
{
    ottla_mock_cluster_t *cluster = NULL;
    ottla_config_t *config = NULL;
    ottla_producer_t *first = NULL, *second = NULL;
    bool differ = false;
    CHECK_OK(ottla_mock_cluster_new(1, &cluster, NULL));
    CHECK_OK(ottla_mock_cluster_create_topic_str(cluster, "t", 16, 1));
    CHECK_OK(ottla_config_new(&config));
    CHECK_OK(ottla_config_set_str(config, "bootstrap.servers", ottla_mock_cluster_bootstrap_servers(cluster),
                                  NULL));
    CHECK_OK(ottla_producer_new(config, NULL, &first, NULL));
    CHECK_OK(ottla_producer_new(config, NULL, &second, NULL));
    CHECK_OK(ottla_config_free(config));
    int32_t partition = -1, last = -1;
    for (int n = 0; n < 20; n++) {
        char key[16];
        snprintf(key, sizeof key, "key %d", n);
        partition = partition_for(first, OTTLA_PARTITION_ANY, key);
        CHECK_EQUAL(partition_for(second, OTTLA_PARTITION_ANY, key), partition);
        CHECK_EQUAL(partition_for(second, 5, key), 5);
        differ |= n > 0 && partition != last;
        last = partition;
    }
    CHECK(differ);
    CHECK_OK(ottla_producer_free(first));
    CHECK_OK(ottla_producer_free(second));
    CHECK_OK(ottla_mock_cluster_free(cluster));
}

static void c06_batch_calls_keep_their_order(ottla_producer_t *producer)
{
    static ottla_record_t records[1000];
    static ottla_delivery_t reports[1000];
    static char numbers[1000][8];
    static unsigned char seen[1000];
    uint32_t topic = topic_of(producer, "c06");
    for (size_t n = 0; n < 1000; n++) {
        const ottla_record_t empty = OTTLA_RECORD_INIT;
        snprintf(numbers[n], sizeof numbers[n], "%zu", n);
        records[n] = empty;
        records[n].topic = topic;
        records[n].partition = 1;
        records[n].value = numbers[n];
        records[n].value_len = strlen(numbers[n]);
        records[n].token = n;
    }
    for (size_t n = 0; n < 1000; n += 250) {
        size_t accepted = 0;
        CHECK_OK(ottla_producer_send_batch(producer, records + n, 250, sizeof records[0], 0, &accepted, NULL));
        CHECK_EQUAL(accepted, 250);
    }
    take(producer, reports, 1000);
    for (size_t n = 0; n < 1000; n++) {
        CHECK(reports[n].token < 1000 && !seen[reports[n].token]++);
        CHECK(reports[n].status == 0 && reports[n].offset == (int64_t)reports[n].token);
    }
    expect_nothing_left(producer);
    expect_numbers(producer, "c06", 1, 1000);
}

static void c07_what_cannot_be_sent_is_refused_by_itself(void)
{
    static char large[30000];
    ottla_producer_t *producer = producer_with(NULL, "max.request.size", "20000", "max.block.ms", "200", NULL);
    ottla_record_t records[5];
    ottla_delivery_t reports[3];
    int32_t statuses[5];
    size_t accepted = 0;
    uint32_t topic = known_topic(producer, "c07");
    for (size_t n = 0; n < 5; n++) {
        const ottla_record_t empty = OTTLA_RECORD_INIT;
        records[n] = empty;
        records[n].topic = topic;
        records[n].partition = 0;
        records[n].value = &"0 1 2"[n / 2 * 2];
        records[n].value_len = 1;
    }
    records[1].value = large;
    records[1].value_len = sizeof large;
    records[3].partition = 9;
    CHECK_EQUAL(ottla_producer_send_batch(producer, records, 5, sizeof records[0], OTTLA_SEND_NO_WAIT, &accepted,
                                          statuses),
                OTTLA_ERROR_RECORD_TOO_LARGE);
    CHECK_EQUAL(accepted, 3);
    CHECK_EQUAL(statuses[1], OTTLA_ERROR_RECORD_TOO_LARGE);
    CHECK_EQUAL(statuses[3], OTTLA_ERROR_UNKNOWN_PARTITION);
    CHECK(statuses[0] == 0 && statuses[2] == 0 && statuses[4] == 0);
    take(producer, reports, 3);
    expect_nothing_left(producer);
    expect_numbers(producer, "c07", 0, 3);
    CHECK_OK(ottla_producer_free(producer));
}

static void c08_the_largest_record(void)
{
    static char value[21000];
    ottla_producer_t *producer = producer_with(NULL, "max.request.size", "20000", NULL);
    uint32_t topic = topic_of(producer, "c08");
    size_t low = 19000, high = sizeof value, sent = 0; /* stored, refused */
    while (high - low > 1) {
        size_t size = (low + high) / 2;
        int32_t status = ottla_producer_send(producer, topic, 0, NULL, 0, value, size, -1, size);
        if (status == 0) {
            CHECK(take_one(producer).status == 0);
            low = size;
            sent++;
        } else {
            CHECK_EQUAL(status, OTTLA_ERROR_RECORD_TOO_LARGE);
            high = size;
        }
    }
    CHECK(low > 19500 && low < 20000);
    CHECK_EQUAL(ottla_producer_send(producer, topic, 0, NULL, 0, value, low + 1, -1, 0),
                OTTLA_ERROR_RECORD_TOO_LARGE);
    CHECK_OK(ottla_producer_send(producer, topic, 0, NULL, 0, value, low, -1, 0));
    CHECK_EQUAL(take_one(producer).status, 0);
    expect_nothing_left(producer);
    ottla_mock_records_t *records = stored(producer, "c08", 0, sent + 1);
    CHECK_EQUAL(record_at(records, sent).value_len, low);
    CHECK_OK(ottla_mock_records_free(records));
    CHECK_OK(ottla_producer_free(producer));
}

int main(void)
{
    ottla_producer_t *producer = embedded_producer(NULL);
    CASE(c01_a_record_is_stored_and_reported(producer));
    CASE(c02_null_is_not_empty(producer));
    CASE(c03_headers_keep_order_and_bytes(producer));
    CASE(c04_timestamps_are_kept_and_reported(producer));
    CASE(c05_the_same_key_has_the_same_partition());
    CASE(c06_batch_calls_keep_their_order(producer));
    CASE(c07_what_cannot_be_sent_is_refused_by_itself());
    CASE(c08_the_largest_record());
    CHECK_OK(ottla_producer_free(producer));
    return 0;
}
