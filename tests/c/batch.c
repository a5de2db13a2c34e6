/* Many records in one call: headers of all sorts come back with the right record, a bad one among good ones is told
 * apart wherever it stands, and arrays of structs of another size are stepped through as they lie. */
#include "check.h"

#define COUNT 300

static char names[64][8], values[64][8];
static ottla_header_t headers[COUNT][64];
static ottla_record_t records[COUNT];
static int32_t statuses[COUNT];

/* How many headers the n-th record has: mostly none, and sometimes so many that a stretch ends with it. */
static size_t header_count(size_t n)
{
    return n % 5 == 0 ? 64 : n % 3 == 0 ? n % 7 : 0;
}

static void fill(uint32_t topic)
{
    const ottla_record_t empty = OTTLA_RECORD_INIT;
    for (size_t h = 0; h < 64; h++) {
        snprintf(names[h], sizeof names[h], "h%zu", h);
        snprintf(values[h], sizeof values[h], "%zu", h * h);
    }
    for (size_t n = 0; n < COUNT; n++) {
        for (size_t h = 0; h < header_count(n); h++) {
            ottla_header_t header = {names[h], strlen(names[h]), values[h], strlen(values[h])};
            headers[n][h] = header;
        }
        records[n] = empty;
        records[n].topic = topic;
        records[n].partition = (int32_t)(n / 100);
        records[n].value = names[n % 64];
        records[n].value_len = strlen(names[n % 64]);
        records[n].headers = headers[n];
        records[n].header_count = header_count(n);
        records[n].timestamp_ms = (int64_t)n;
        records[n].token = n;
    }
}

static void take(ottla_producer_t *producer, size_t wanted)
{
    static ottla_delivery_t deliveries[COUNT];
    while (wanted > 0) {
        size_t count = 0;
        CHECK_OK(ottla_producer_poll(producer, deliveries, COUNT, SOON_MS, &count));
        CHECK(count > 0 && count <= wanted);
        for (size_t i = 0; i < count; i++)
            CHECK_EQUAL(deliveries[i].status, 0);
        wanted -= count;
    }
}

/* Every stored record is whole; the timestamp says which one it was. */
static void compare(ottla_producer_t *producer, size_t wanted)
{
    ottla_mock_cluster_t *cluster = NULL;
    size_t found = 0;
    CHECK_OK(ottla_producer_mock_cluster(producer, &cluster, NULL));
    for (int32_t partition = 0; partition < 3; partition++) {
        ottla_mock_records_t *stored = NULL;
        int64_t last = -1;
        CHECK_OK(ottla_mock_cluster_records_str(cluster, "t", partition, &stored, NULL));
        for (size_t i = 0; i < ottla_mock_records_count(stored); i++) {
            ottla_record_t record = OTTLA_RECORD_INIT;
            CHECK_OK(ottla_mock_records_at(stored, i, &record, NULL));
            size_t n = (size_t)record.timestamp_ms;
            CHECK(record.timestamp_ms > last && n < COUNT && (int32_t)(n / 100) == partition);
            last = record.timestamp_ms;
            CHECK(record.value_len == records[n].value_len);
            CHECK(memcmp(record.value, names[n % 64], record.value_len) == 0);
            CHECK_EQUAL(record.header_count, header_count(n));
            for (size_t h = 0; h < record.header_count; h++) {
                CHECK(record.headers[h].key_len == strlen(names[h]));
                CHECK(memcmp(record.headers[h].key, names[h], strlen(names[h])) == 0);
                CHECK(record.headers[h].value_len == strlen(values[h]));
                CHECK(memcmp(record.headers[h].value, values[h], strlen(values[h])) == 0);
            }
            found++;
        }
        CHECK_OK(ottla_mock_records_free(stored));
    }
    CHECK_EQUAL(found, wanted);
}

static void all_good(void)
{
    ottla_producer_t *producer = embedded_producer(NULL);
    size_t accepted = 0;
    fill(topic_of(producer, "t"));
    CHECK_OK(ottla_producer_send_batch(producer, records, COUNT, sizeof records[0], 0, &accepted, NULL));
    CHECK_EQUAL(accepted, COUNT);
    take(producer, COUNT);
    compare(producer, COUNT);
    CHECK_OK(ottla_producer_free(producer));
}

/* At every place, by an error of the C layer (a header that is no text) and by one of the core (a time). */
static void bad_ones_among_good_ones(void)
{
    static const size_t bad[] = {0, 1, 62, 63, 64, 65, 66, 127, 128, 200, COUNT - 1};
    const size_t bad_count = sizeof bad / sizeof bad[0];
    for (int kind = 0; kind < 2; kind++) {
        ottla_producer_t *producer = embedded_producer(NULL);
        size_t accepted = 0;
        fill(topic_of(producer, "t"));
        for (size_t b = 0; b < bad_count; b++) {
            ottla_record_t *record = &records[bad[b]];
            if (kind == 0) {
                headers[bad[b]][0] = (ottla_header_t){"\xff", 1, NULL, 0};
                record->header_count = 1;
            } else {
                record->timestamp_ms = -5;
            }
        }
        memset(statuses, 0x7f, sizeof statuses);
        CHECK_EQUAL(ottla_producer_send_batch(producer, records, COUNT, sizeof records[0], 0, &accepted,
                                              statuses),
                    OTTLA_ERROR_ARGUMENT);
        CHECK_EQUAL(accepted, COUNT - bad_count);
        for (size_t n = 0; n < COUNT; n++) {
            bool is_bad = false;
            for (size_t b = 0; b < bad_count; b++)
                is_bad |= bad[b] == n;
            CHECK_EQUAL(statuses[n], is_bad ? OTTLA_ERROR_ARGUMENT : 0);
        }
        take(producer, COUNT - bad_count);
        compare(producer, COUNT - bad_count);

        /* Without statuses each call stops at the next bad one, and the rest can go from behind it. */
        size_t sum = 0, from = 0;
        while (from < COUNT) {
            int32_t status = ottla_producer_send_batch(producer, records + from, COUNT - from,
                                                       sizeof records[0], 0, &accepted, NULL);
            sum += accepted;
            from += accepted + (status != 0);
            CHECK(status == 0 || status == OTTLA_ERROR_ARGUMENT);
        }
        CHECK_EQUAL(sum, COUNT - bad_count);
        take(producer, sum);
        CHECK_OK(ottla_producer_free(producer));
    }
}

/* A program of the past, whose struct ended after the key, and one that keeps records in structs of its own. */
static void other_strides(void)
{
    struct old {
        uint32_t size, topic;
        int32_t partition;
        uint32_t reserved;
        const void *key;
        size_t key_len;
    } old[70];
    struct order {
        char note[40];
        ottla_record_t record;
    } orders[70];
    ottla_producer_t *producer = embedded_producer(NULL);
    uint32_t topic = topic_of(producer, "t");
    size_t accepted = 0;
    for (size_t n = 0; n < 70; n++) {
        const ottla_record_t empty = OTTLA_RECORD_INIT;
        old[n] = (struct old){sizeof old[n], topic, 0, 0, "key", 3};
        orders[n].record = empty;
        orders[n].record.topic = topic;
        orders[n].record.partition = 1;
    }
    /* The first member of the old struct lies where that of the new one does. */
    const ottla_record_t *as_new = (const ottla_record_t *)(const void *)old;
    CHECK_OK(ottla_producer_send_batch(producer, as_new, 70, sizeof old[0], 0, &accepted, NULL));
    CHECK_EQUAL(accepted, 70);
    CHECK_OK(ottla_producer_send_batch(producer, &orders[0].record, 70, sizeof orders[0], 0, &accepted,
                                       NULL));
    CHECK_EQUAL(accepted, 70);
    take(producer, 140);
    CHECK_OK(ottla_producer_free(producer));
}

int main(void)
{
    all_good();
    bad_ones_among_good_ones();
    other_strides();
    return 0;
}
