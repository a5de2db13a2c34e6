/* Conformance, chapter "Ends": close in all its situations, and no close at all. C33 is in misuse.c. */
#include <pthread.h>
#include <stdatomic.h>

#include "conformance.h"

/* C30, C31. */
static void close_sends_what_lingers(void)
{
    ottla_producer_t *producer = NULL;
    ottla_mock_cluster_t *cluster = NULL; /* outlives the producer */
    ottla_config_t *config = NULL;
    CHECK_OK(ottla_mock_cluster_new(1, &cluster, NULL));
    CHECK_OK(ottla_config_new(&config));
    CHECK_OK(ottla_config_set_str(config, "bootstrap.servers", ottla_mock_cluster_bootstrap_servers(cluster),
                                  NULL));
    CHECK_OK(ottla_config_set_str(config, "linger.ms", "60000", NULL));
    CHECK_OK(ottla_config_set_str(config, "delivery.timeout.ms", "120000", NULL));
    CHECK_OK(ottla_producer_new(config, NULL, &producer, NULL));
    CHECK_OK(ottla_config_free(config));
    uint32_t topic = known_topic(producer, "t");
    for (uint64_t n = 0; n < 10; n++)
        send_text(producer, topic, 0, "v", n);
    CHECK_OK(ottla_producer_close(producer, SOON_MS, NULL));
    int64_t end = -1;
    CHECK_OK(ottla_mock_cluster_end_offset(cluster, "t", 1, 0, &end));
    CHECK_EQUAL(end, 10);
    CHECK_OK(ottla_producer_close(producer, 0, NULL));
    CHECK_OK(ottla_producer_close(producer, -1, NULL));

    /* C34: reports that were not taken before close. */
    ottla_delivery_t reports[10];
    unsigned seen = 0;
    take(producer, reports, 10);
    for (size_t n = 0; n < 10; n++) {
        CHECK(reports[n].status == 0 && reports[n].offset == (int64_t)reports[n].token);
        seen |= 1u << reports[n].token;
    }
    CHECK_EQUAL(seen, 1023);
    size_t count = 9;
    CHECK_EQUAL(ottla_producer_poll(producer, reports, 1, -1, &count), OTTLA_ERROR_CLOSED);
    CHECK_EQUAL(count, 0);
    CHECK_OK(ottla_producer_free(producer));
    CHECK_OK(ottla_mock_cluster_end_offset(cluster, "t", 1, 0, &end));
    CHECK_EQUAL(end, 10);
    CHECK_OK(ottla_mock_cluster_free(cluster));
}

static void c32_close_has_a_limit(void)
{
    static ottla_delivery_t reports[1000];
    static unsigned char seen[1000];
    ottla_producer_t *producer = embedded_producer(NULL);
    uint32_t topic = known_topic(producer, "t");
    silence(producer);
    for (uint64_t n = 0; n < 1000; n++)
        send_text(producer, topic, OTTLA_PARTITION_ANY, "v", n);
    int64_t since = clock_ms(CLOCK_MONOTONIC);
    CHECK_EQUAL(ottla_producer_close(producer, 100, NULL), OTTLA_ERROR_TIMED_OUT);
    CHECK(elapsed_ms(since) >= 95 && elapsed_ms(since) < 30000);
    take(producer, reports, 1000);
    for (size_t n = 0; n < 1000; n++) {
        CHECK(reports[n].token < 1000 && !seen[reports[n].token]++);
        CHECK_EQUAL(reports[n].status, OTTLA_ERROR_ABORTED);
    }
    size_t count = 9;
    CHECK_EQUAL(ottla_producer_poll(producer, reports, 1, -1, &count), OTTLA_ERROR_CLOSED);
    CHECK_OK(ottla_producer_free(producer));
}

/* C35: freed without close, with records lingering, parked, in flight and reported. The sanitizers see what is left. */
static void c35_no_close(void)
{
    for (int round = 0; round < 4; round++) {
        ottla_producer_t *producer = round == 0 ? producer_with(NULL, "linger.ms", "60000", "delivery.timeout.ms",
                                                                "120000", NULL)
                                                : embedded_producer(NULL);
        int64_t since = clock_ms(CLOCK_MONOTONIC);
        uint32_t topic = topic_of(producer, "t");
        if (round < 3)
            topic = known_topic(producer, "t");
        if (round == 1)
            silence(producer);
        for (uint64_t n = 0; n < 100; n++)
            CHECK_OK(try_text(producer, topic, 0, "v", n));
        if (round == 1)
            await_requests(producer, 1);
        if (round == 2)
            CHECK_OK(ottla_producer_flush(producer, SOON_MS, NULL));
        CHECK_OK(ottla_producer_free(producer));
        CHECK(elapsed_ms(since) < 30000);
    }
}

struct waiter {
    ottla_producer_t *producer;
    uint32_t topic;
    int kind;
    atomic_int *begun;
};

static void *wait_in_a_call(void *argument)
{
    static char large[50000];
    const struct waiter *waiter = argument;
    ottla_delivery_t some[64];
    size_t count = 0;
    int32_t status = 0;
    atomic_fetch_add(waiter->begun, 1);
    if (waiter->kind == 0)
        while ((status = ottla_producer_poll(waiter->producer, some, 64, -1, &count)) == 0)
            continue;
    else if (waiter->kind == 1)
        status = ottla_producer_flush(waiter->producer, -1, NULL);
    else
        while (status == 0)
            status = ottla_producer_send(waiter->producer, waiter->topic, 0, NULL, 0, large, sizeof large, -1, 0);
    if (waiter->kind != 1)
        CHECK_EQUAL(status, OTTLA_ERROR_CLOSED);
    else
        CHECK(status == 0 || status == OTTLA_ERROR_CLOSED);
    return NULL;
}

static void c36_one_closes_while_others_wait(void)
{
    ottla_producer_t *producer = producer_with(NULL, "buffer.memory", "400000", NULL);
    atomic_int begun = 0;
    struct waiter waiters[3];
    pthread_t threads[3];
    uint32_t topic = known_topic(producer, "t");
    silence(producer);
    send_text(producer, topic, 0, "v", 0);
    int64_t since = clock_ms(CLOCK_MONOTONIC);
    for (int kind = 0; kind < 3; kind++) {
        waiters[kind] = (struct waiter){producer, topic, kind, &begun};
        CHECK(pthread_create(&threads[kind], NULL, wait_in_a_call, &waiters[kind]) == 0);
    }
    while (atomic_load(&begun) < 3)
        sleep_ms(1);
    sleep_ms(100);
    CHECK_EQUAL(ottla_producer_close(producer, 100, NULL), OTTLA_ERROR_TIMED_OUT);
    for (int kind = 0; kind < 3; kind++)
        CHECK(pthread_join(threads[kind], NULL) == 0);
    CHECK(elapsed_ms(since) < 30000);
    CHECK_OK(ottla_producer_free(producer));
}

int main(void)
{
    close_sends_what_lingers();
    conforms("C30, C31, C34");
    CASE(c32_close_has_a_limit());
    CASE(c35_no_close());
    CASE(c36_one_closes_while_others_wait());
    return 0;
}
