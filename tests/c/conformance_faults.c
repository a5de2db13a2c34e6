/* Conformance, chapter "Faults": the embedded cluster does what it is told, and the producer lives with it. */
#include "conformance.h"

#define RECORDS 3000

static void c60_leaders_go_down(void)
{
    ottla_producer_t *producer = producer_with(NULL, "max.in.flight.requests.per.connection", "1", "linger.ms", "1",
                                               "retry.backoff.ms", "10", "retry.backoff.max.ms", "50", NULL);
    static ottla_delivery_t reports[RECORDS];
    static unsigned char seen[RECORDS];
    ottla_mock_cluster_t *cluster = cluster_of(producer);
    uint32_t topic = known_topic(producer, "c60");
    char number[8];
    CHECK_OK(ottla_mock_cluster_set_delay(cluster, -1, PRODUCE, 20));
    for (uint64_t n = 0; n < RECORDS; n++) {
        /* One broker at a time, each twice. */
        if (n % 500 == 100)
            CHECK_OK(ottla_mock_cluster_broker_down(cluster, (int32_t)(n / 500 % 3) + 1));
        if (n % 500 == 400)
            CHECK_OK(ottla_mock_cluster_broker_up(cluster, (int32_t)(n / 500 % 3) + 1));
        if (n % 50 == 0)
            sleep_ms(5);
        snprintf(number, sizeof number, "%d", (int)(n / 3));
        send_text(producer, topic, (int32_t)(n % 3), number, n);
    }
    CHECK_OK(ottla_producer_flush(producer, 60000, NULL));
    take(producer, reports, RECORDS);
    for (size_t n = 0; n < RECORDS; n++) {
        CHECK(reports[n].token < RECORDS && !seen[reports[n].token]++);
        CHECK_EQUAL(reports[n].status, 0);
    }
    for (int32_t partition = 0; partition < 3; partition++)
        expect_numbers(producer, "c60", partition, RECORDS / 3);
    /* Some were on their way to a leader that went down. */
    CHECK(metric(producer, "record-retry-total") > 0);
    CHECK_OK(ottla_producer_free(producer));
}

static void c61_an_answer_is_late(void)
{
    ottla_producer_t *producer = producer_with(NULL, "linger.ms", "0", NULL);
    uint32_t topic = known_topic(producer, "t");
    ottla_delivery_t reports[10];
    size_t count = 9;
    CHECK_OK(ottla_mock_cluster_set_delay(cluster_of(producer), -1, PRODUCE, 500));
    int64_t since = clock_ms(CLOCK_MONOTONIC);
    send_text(producer, topic, 0, "v", 0);
    await_requests(producer, 1);
    for (uint64_t n = 1; n < 10; n++)
        send_text(producer, topic, 0, "v", n);
    CHECK_OK(ottla_producer_poll(producer, reports, 10, 0, &count));
    CHECK(count == 0 || elapsed_ms(since) >= 490);
    await_requests(producer, 2); /* which goes out before the first is answered, or after it */
    take(producer, reports + count, 10 - count);
    CHECK(elapsed_ms(since) >= 490);
    for (size_t n = 0; n < 10; n++)
        CHECK_EQUAL(reports[n].status, 0);
    CHECK_OK(ottla_producer_free(producer));
}

static void c62_the_cluster_counts(void)
{
    ottla_mock_cluster_t *cluster = NULL;
    ottla_config_t *config = NULL;
    ottla_producer_t *producer = NULL;
    uint64_t requests = 9, one = 9, two = 9;
    int64_t end = -1;
    size_t partitions = 0;
    CHECK_OK(ottla_mock_cluster_new(2, &cluster, NULL));
    CHECK_OK(ottla_mock_cluster_create_topic_str(cluster, "c62", 7, 2));
    CHECK_OK(ottla_mock_cluster_partition_count(cluster, "c62", 3, &partitions));
    CHECK_EQUAL(partitions, 7);
    CHECK_EQUAL(ottla_mock_cluster_partition_count(cluster, "none", 4, &partitions), OTTLA_ERROR_UNKNOWN_TOPIC);
    CHECK_OK(ottla_config_new(&config));
    CHECK_OK(ottla_config_set_str(config, "bootstrap.servers", ottla_mock_cluster_bootstrap_servers(cluster),
                                  NULL));
    CHECK_OK(ottla_producer_new(config, NULL, &producer, NULL));
    CHECK_OK(ottla_config_free(config));
    CHECK_OK(ottla_mock_cluster_request_count(cluster, -1, PRODUCE, &requests));
    CHECK_EQUAL(requests, 0);
    uint32_t topic = known_topic(producer, "c62");
    for (uint64_t n = 0; n < 3; n++) {
        send_text(producer, topic, 6, "v", n);
        CHECK_EQUAL(take_one(producer).offset, n);
    }
    CHECK_OK(ottla_mock_cluster_request_count(cluster, -1, PRODUCE, &requests));
    CHECK_EQUAL(requests, 3);
    CHECK_OK(ottla_mock_cluster_request_count(cluster, 1, PRODUCE, &one));
    CHECK_OK(ottla_mock_cluster_request_count(cluster, 2, PRODUCE, &two));
    CHECK_EQUAL(one + two, 3);
    CHECK_OK(ottla_mock_cluster_end_offset(cluster, "c62", 3, 6, &end));
    CHECK_EQUAL(end, 3);
    CHECK_OK(ottla_mock_cluster_end_offset(cluster, "c62", 3, 5, &end));
    CHECK_EQUAL(end, 0);
    CHECK_OK(ottla_producer_free(producer));
    CHECK_OK(ottla_mock_cluster_free(cluster));
}

static void c63_metadata_is_the_clusters(void)
{
    ottla_producer_t *producer = embedded_producer(NULL);
    ottla_mock_cluster_t *cluster = cluster_of(producer);
    ottla_metadata_t *metadata = NULL;
    CHECK_OK(ottla_mock_cluster_create_topic_str(cluster, "c63", 5, 3));
    for (int32_t partition = 0; partition < 5; partition++)
        CHECK_OK(ottla_mock_cluster_set_leader(cluster, "c63", 3, partition, partition % 3 + 1));
    CHECK_OK(ottla_producer_topic_metadata(producer, topic_of(producer, "c63"), SOON_MS, &metadata, NULL));
    CHECK(strlen(ottla_metadata_cluster_id(metadata)) > 0);
    CHECK_EQUAL(ottla_metadata_broker_count(metadata), 3);
    for (size_t b = 0; b < 3; b++) {
        int32_t id = 0;
        const char *host = NULL;
        uint16_t port = 0;
        char address[64];
        CHECK_OK(ottla_metadata_broker(metadata, b, &id, &host, &port, NULL));
        CHECK_EQUAL(id, b + 1);
        snprintf(address, sizeof address, "%s:%d", host, (int)port);
        CHECK(strstr(ottla_mock_cluster_bootstrap_servers(cluster), address) != NULL);
    }
    const char *name = NULL;
    int32_t status = 9, leader = 9;
    size_t partitions = 0;
    CHECK_EQUAL(ottla_metadata_topic_count(metadata), 1);
    CHECK_OK(ottla_metadata_topic(metadata, 0, &name, NULL, &status, &partitions));
    CHECK(strcmp(name, "c63") == 0 && status == 0 && partitions == 5);
    for (int32_t partition = 0; partition < 5; partition++) {
        CHECK_OK(ottla_metadata_partition(metadata, 0, partition, &leader, NULL, &status));
        CHECK(leader == partition % 3 + 1 && status == 0);
    }
    CHECK_OK(ottla_metadata_free(metadata));

    CHECK_OK(ottla_producer_survey(producer, "none", 4, SOON_MS, &metadata, NULL));
    CHECK_OK(ottla_metadata_topic(metadata, 0, &name, NULL, &status, &partitions));
    CHECK(strcmp(name, "none") == 0 && status == OTTLA_ERROR_UNKNOWN_TOPIC_OR_PARTITION && partitions == 0);
    CHECK_OK(ottla_metadata_free(metadata));
    CHECK_OK(ottla_producer_free(producer));
}

int main(void)
{
    CASE(c60_leaders_go_down());
    CASE(c61_an_answer_is_late());
    CASE(c62_the_cluster_counts());
    CASE(c63_metadata_is_the_clusters());
    return 0;
}
