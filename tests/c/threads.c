/* Eight threads send, one takes the reports; each token comes once, each record is stored once, a thread's in their order,
 * and all memory comes back, again and again. C50, C70. */
#include <pthread.h>
#include <unistd.h>

#include "check.h"

#define THREADS 8
#define RECORDS 12500

struct work {
    ottla_producer_t *producer;
    uint32_t topic;
    uint64_t first;
};

static void *send_all(void *argument)
{
    struct work *work = argument;
    for (uint64_t n = 0; n < RECORDS; n++) {
        uint64_t token = work->first + n;
        CHECK_OK(ottla_producer_send(work->producer, work->topic, OTTLA_PARTITION_ANY, &token,
                                     sizeof token, "some value", 10, OTTLA_TIMESTAMP_NOW, token));
    }
    return NULL;
}

static double metric(ottla_producer_t *producer, const char *name)
{
    ottla_metrics_t *metrics = NULL;
    double value = -1;
    CHECK_OK(ottla_producer_metrics(producer, &metrics, NULL));
    CHECK_OK(ottla_metrics_get_str(metrics, name, &value));
    CHECK_OK(ottla_metrics_free(metrics));
    return value;
}

/* Within a partition each thread's records are in the order in which it sent them; their keys are their tokens. */
static void expect_stored(ottla_producer_t *producer)
{
    ottla_mock_cluster_t *cluster = NULL;
    size_t partitions = 0, sum = 0;
    CHECK_OK(ottla_producer_mock_cluster(producer, &cluster, NULL));
    CHECK_OK(ottla_mock_cluster_partition_count(cluster, "t", 1, &partitions));
    for (size_t partition = 0; partition < partitions; partition++) {
        ottla_mock_records_t *records = NULL;
        uint64_t next[THREADS] = {0};
        CHECK_OK(ottla_mock_cluster_records_str(cluster, "t", (int32_t)partition, &records, NULL));
        size_t count = ottla_mock_records_count(records);
        CHECK(count > 0);
        for (size_t i = 0; i < count; i++) {
            ottla_record_t record = OTTLA_RECORD_INIT;
            uint64_t token = 0;
            CHECK_OK(ottla_mock_records_at(records, i, &record, NULL));
            CHECK_EQUAL(record.key_len, sizeof token);
            memcpy(&token, record.key, sizeof token);
            CHECK(token < THREADS * RECORDS && token % RECORDS >= next[token / RECORDS]);
            next[token / RECORDS] = token % RECORDS + 1;
        }
        CHECK_OK(ottla_mock_records_free(records));
        sum += count;
    }
    CHECK_EQUAL(sum, THREADS * RECORDS);
}

static void eight_threads(void)
{
    static unsigned char seen[THREADS * RECORDS];
    ottla_producer_t *producer = embedded_producer(NULL);
    pthread_t threads[THREADS];
    struct work works[THREADS];
    uint32_t topic = topic_of(producer, "t");
    for (uint64_t t = 0; t < THREADS; t++) {
        works[t] = (struct work){producer, topic, t * RECORDS};
        CHECK(pthread_create(&threads[t], NULL, send_all, &works[t]) == 0);
    }
    for (size_t left = THREADS * RECORDS; left > 0;) {
        ottla_delivery_t some[1000];
        size_t count = 0;
        CHECK_OK(ottla_producer_poll(producer, some, 1000, SOON_MS, &count));
        CHECK(count > 0);
        for (size_t i = 0; i < count; i++) {
            CHECK_EQUAL(some[i].status, 0);
            CHECK(some[i].token < sizeof seen && !seen[some[i].token]++);
        }
        left -= count;
    }
    for (size_t t = 0; t < THREADS; t++)
        CHECK(pthread_join(threads[t], NULL) == 0);
    CHECK(metric(producer, "buffer-available-bytes") == metric(producer, "buffer-total-bytes"));
    CHECK(metric(producer, "record-ack-total") == THREADS * RECORDS);
    expect_stored(producer);
    CHECK_OK(ottla_producer_free(producer));
}

static long resident_pages(void)
{
    long all = 0, resident = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (statm == NULL)
        return 0;
    CHECK(fscanf(statm, "%ld %ld", &all, &resident) == 2);
    fclose(statm);
    return resident;
}

/* A producer that comes and goes leaves nothing behind. */
static void come_and_go(void)
{
    long before = 0;
    for (int round = 0; round < 60; round++) {
        ottla_config_t *config = embedded();
        ottla_producer_t *producer = NULL;
        CHECK_OK(ottla_config_set_str(config, "buffer.memory", "4194304", NULL));
        CHECK_OK(ottla_producer_new(config, NULL, &producer, NULL));
        CHECK_OK(ottla_config_free(config));
        uint32_t topic = topic_of(producer, "t");
        static const char value[100000];
        for (uint64_t n = 0; n < 10; n++)
            CHECK_OK(ottla_producer_send(producer, topic, 0, NULL, 0, value, sizeof value, -1, n));
        CHECK_OK(ottla_producer_flush(producer, SOON_MS, NULL));
        CHECK_OK(ottla_producer_free(producer));
        if (round == 19)
            before = resident_pages();
    }
#ifndef __SANITIZE_ADDRESS__ /* which keeps freed memory for a while */
    /* Forty more rounds of a megabyte each: a leak of a hundredth would show. */
    long grown = (resident_pages() - before) * sysconf(_SC_PAGESIZE);
    if (grown > 16 << 20)
        fprintf(stderr, "grown by %ld bytes\n", grown);
    CHECK(grown <= 16 << 20);
#else
    (void)before;
#endif
}

int main(void)
{
    eight_threads();
    conforms("C50");
    come_and_go();
    return 0;
}
