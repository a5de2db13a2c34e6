/* What the conformance programs in C share: producers by their settings, taking reports, reading back, clocks. The
 * cases and their numbers are those of bindings/conformance.md. */
#ifndef OTTLA_TESTS_CONFORMANCE_H
#define OTTLA_TESTS_CONFORMANCE_H

#include <stdarg.h>
#include <time.h>

#include "check.h"

/* Kafka's number of the Produce request, and how long "while the broker does not answer" lasts. */
#define PRODUCE 0
#define SILENCE_MS 60000

static inline int64_t clock_ms(clockid_t clock)
{
    struct timespec now;
    CHECK(clock_gettime(clock, &now) == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline int64_t elapsed_ms(int64_t since)
{
    return clock_ms(CLOCK_MONOTONIC) - since;
}

static inline void sleep_ms(long time_ms)
{
    struct timespec time = {time_ms / 1000, time_ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* A producer on an embedded cluster of three brokers, with more settings: names and values, then NULL. */
static inline ottla_producer_t *producer_with(const ottla_callbacks_t *callbacks, ...)
{
    ottla_config_t *config = embedded();
    ottla_producer_t *producer = NULL;
    const char *name;
    va_list settings;
    va_start(settings, callbacks);
    while ((name = va_arg(settings, const char *)) != NULL)
        CHECK_OK(ottla_config_set_str(config, name, va_arg(settings, const char *), NULL));
    va_end(settings);
    CHECK_OK(ottla_producer_new(config, callbacks, &producer, NULL));
    CHECK_OK(ottla_config_free(config));
    return producer;
}

/* The number of a topic that the producer knows by now. */
static inline uint32_t known_topic(ottla_producer_t *producer, const char *name)
{
    ottla_metadata_t *metadata = NULL;
    uint32_t topic = topic_of(producer, name);
    CHECK_OK(ottla_producer_topic_metadata(producer, topic, SOON_MS, &metadata, NULL));
    CHECK_OK(ottla_metadata_free(metadata));
    return topic;
}

static inline ottla_mock_cluster_t *cluster_of(ottla_producer_t *producer)
{
    ottla_mock_cluster_t *cluster = NULL;
    CHECK_OK(ottla_producer_mock_cluster(producer, &cluster, NULL));
    return cluster;
}

/* Sends a text without waiting for room. */
static inline int32_t try_text(ottla_producer_t *producer, uint32_t topic, int32_t partition, const char *text,
                               uint64_t token)
{
    ottla_record_t record = OTTLA_RECORD_INIT;
    record.topic = topic;
    record.partition = partition;
    record.value = text;
    record.value_len = strlen(text);
    record.token = token;
    return ottla_producer_send_record(producer, &record, OTTLA_SEND_NO_WAIT);
}

/* As try_text(), but waits, and may not fail. */
static inline void send_text(ottla_producer_t *producer, uint32_t topic, int32_t partition, const char *text,
                             uint64_t token)
{
    CHECK_OK(ottla_producer_send(producer, topic, partition, NULL, 0, text, strlen(text), OTTLA_TIMESTAMP_NOW,
                                 token));
}

/* Takes as many reports as are wanted. */
static inline void take(ottla_producer_t *producer, ottla_delivery_t *deliveries, size_t wanted)
{
    for (size_t taken = 0; taken < wanted;) {
        size_t count = 0;
        CHECK_OK(ottla_producer_poll(producer, deliveries + taken, wanted - taken, SOON_MS, &count));
        CHECK(count > 0);
        taken += count;
    }
}

static inline ottla_delivery_t take_one(ottla_producer_t *producer)
{
    ottla_delivery_t delivery;
    take(producer, &delivery, 1);
    return delivery;
}

/* No report waits, and no record is on its way. */
static inline void expect_nothing_left(ottla_producer_t *producer)
{
    ottla_delivery_t none;
    size_t count = 9;
    CHECK_OK(ottla_producer_outstanding(producer, &count));
    CHECK_EQUAL(count, 0);
    CHECK_OK(ottla_producer_poll(producer, &none, 1, 0, &count));
    CHECK_EQUAL(count, 0);
}

/* What a partition holds, which is `wanted` records; freed by the caller. */
static inline ottla_mock_records_t *stored(ottla_producer_t *producer, const char *topic, int32_t partition,
                                           size_t wanted)
{
    ottla_mock_records_t *records = NULL;
    CHECK_OK(ottla_mock_cluster_records_str(cluster_of(producer), topic, partition, &records, NULL));
    CHECK_EQUAL(ottla_mock_records_count(records), wanted);
    return records;
}

static inline ottla_record_t record_at(const ottla_mock_records_t *records, size_t index)
{
    ottla_record_t record = OTTLA_RECORD_INIT;
    int64_t offset = -1;
    CHECK_OK(ottla_mock_records_at(records, index, &record, &offset));
    CHECK_EQUAL(offset, index);
    return record;
}

/* Whether bytes are these; NULL is null, which no empty ones are. */
static inline bool bytes_are(const void *bytes, size_t len, const char *wanted, size_t wanted_len)
{
    if (wanted == NULL || bytes == NULL)
        return wanted == NULL && bytes == NULL;
    return len == wanted_len && memcmp(bytes, wanted, len) == 0;
}

/* The records of a partition are the texts "0", "1", ... */
static inline void expect_numbers(ottla_producer_t *producer, const char *topic, int32_t partition, size_t count)
{
    ottla_mock_records_t *records = stored(producer, topic, partition, count);
    char number[24];
    for (size_t n = 0; n < count; n++) {
        ottla_record_t record = record_at(records, n);
        snprintf(number, sizeof number, "%zu", n);
        CHECK(bytes_are(record.value, record.value_len, number, strlen(number)));
    }
    CHECK_OK(ottla_mock_records_free(records));
}

static inline void silence(ottla_producer_t *producer)
{
    CHECK_OK(ottla_mock_cluster_set_delay(cluster_of(producer), -1, PRODUCE, SILENCE_MS));
}

/* Ends it: what was sent meanwhile goes again on new connections, and is stored once. */
static inline void break_silence(ottla_producer_t *producer)
{
    CHECK_OK(ottla_mock_cluster_clear_faults(cluster_of(producer)));
    for (int32_t broker = 1; broker <= 3; broker++) {
        CHECK_OK(ottla_mock_cluster_broker_down(cluster_of(producer), broker));
        CHECK_OK(ottla_mock_cluster_broker_up(cluster_of(producer), broker));
    }
}

/* Until so many Produce requests have arrived. */
static inline void await_requests(ottla_producer_t *producer, uint64_t wanted)
{
    uint64_t count = 0;
    for (int64_t since = clock_ms(CLOCK_MONOTONIC); count < wanted; sleep_ms(1)) {
        CHECK_OK(ottla_mock_cluster_request_count(cluster_of(producer), -1, PRODUCE, &count));
        CHECK(elapsed_ms(since) < SOON_MS);
    }
}

static inline double metric(ottla_producer_t *producer, const char *name)
{
    ottla_metrics_t *metrics = NULL;
    double value = -1;
    CHECK_OK(ottla_producer_metrics(producer, &metrics, NULL));
    CHECK_OK(ottla_metrics_get_str(metrics, name, &value));
    CHECK_OK(ottla_metrics_free(metrics));
    return value;
}

#endif
