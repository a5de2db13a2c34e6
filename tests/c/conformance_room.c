/* Conformance, chapter "Room and time": the limits of memory and of waiting, purge, the wake-up descriptor. */
#include <poll.h>

#include "conformance.h"

static char large[10001]; /* 10,000 bytes of text */

static void c20_memory_is_used_up(void)
{
    ottla_producer_t *producer = producer_with(NULL, "buffer.memory", "400000", NULL);
    uint32_t topic = known_topic(producer, "c20");
    uint64_t accepted = 0;
    int32_t status = 0;
    /* An acknowledged record gives most of its memory back: none is while the buffer is filled. */
    silence(producer);
    while ((status = try_text(producer, topic, 0, large, accepted)) == 0)
        CHECK(++accepted < 40);
    CHECK_EQUAL(status, OTTLA_ERROR_QUEUE_FULL);
    CHECK(accepted >= 10);
    break_silence(producer);
    /* Memory is a record's until its report is taken. */
    for (uint64_t taken = 0; status != 0; taken++) {
        CHECK(taken < accepted);
        CHECK_EQUAL(take_one(producer).status, 0);
        status = try_text(producer, topic, 0, large, accepted);
    }
    CHECK_OK(ottla_producer_flush(producer, SOON_MS, NULL));
    CHECK_OK(ottla_mock_records_free(stored(producer, "c20", 0, accepted + 1)));
    CHECK_OK(ottla_producer_free(producer));
}

static void c21_places_are_used_up(void)
{
    ottla_producer_t *producer = producer_with(NULL, "queue.buffering.max.messages", "3", NULL);
    uint32_t topic = known_topic(producer, "t");
    ottla_delivery_t reports[3];
    silence(producer);
    for (uint64_t n = 0; n < 3; n++)
        CHECK_OK(try_text(producer, topic, 0, "v", n));
    CHECK_EQUAL(try_text(producer, topic, 0, "v", 3), OTTLA_ERROR_QUEUE_FULL);
    break_silence(producer);
    take(producer, reports, 3);
    CHECK_OK(try_text(producer, topic, 0, "v", 3));
    CHECK_EQUAL(take_one(producer).token, 3);
    CHECK_OK(ottla_producer_free(producer));
}

static void c22_flush_has_a_deadline(void)
{
    ottla_producer_t *producer = embedded_producer(NULL);
    uint32_t topic = known_topic(producer, "c22");
    ottla_delivery_t reports[10];
    size_t left = 0;
    char number[8];
    silence(producer);
    for (uint64_t n = 0; n < 10; n++) {
        snprintf(number, sizeof number, "%d", (int)n);
        send_text(producer, topic, 0, number, n);
    }
    int64_t since = clock_ms(CLOCK_MONOTONIC);
    CHECK_EQUAL(ottla_producer_flush(producer, 100, NULL), OTTLA_ERROR_TIMED_OUT);
    CHECK(elapsed_ms(since) >= 95 && elapsed_ms(since) < 30000);
    CHECK_OK(ottla_producer_outstanding(producer, &left));
    CHECK_EQUAL(left, 10);
    break_silence(producer);
    CHECK_OK(ottla_producer_flush(producer, SOON_MS, NULL));
    take(producer, reports, 10);
    for (size_t n = 0; n < 10; n++)
        CHECK_EQUAL(reports[n].status, 0);
    expect_numbers(producer, "c22", 0, 10);
    CHECK_OK(ottla_producer_free(producer));
}

static void c23_flush_does_not_wait_for_the_linger(void)
{
    ottla_producer_t *producer = producer_with(NULL, "linger.ms", "60000", "delivery.timeout.ms", "120000", NULL);
    send_text(producer, known_topic(producer, "c23"), 0, "0", 0);
    ottla_delivery_t none;
    size_t count = 0;
    CHECK_OK(ottla_producer_poll(producer, &none, 1, 100, &count));
    CHECK_EQUAL(count, 0); /* it does linger */
    CHECK_OK(ottla_producer_flush(producer, SOON_MS, NULL));
    CHECK_EQUAL(take_one(producer).status, 0);
    expect_numbers(producer, "c23", 0, 1);
    CHECK_OK(ottla_producer_free(producer));
}

static void c24_what_is_queued_is_purged(void)
{
    ottla_producer_t *producer = producer_with(NULL, "linger.ms", "60000", "delivery.timeout.ms", "120000", NULL);
    uint32_t topic = known_topic(producer, "c24");
    ottla_delivery_t reports[10];
    unsigned seen = 0;
    for (uint64_t n = 0; n < 10; n++)
        send_text(producer, topic, 0, "v", n);
    CHECK_OK(ottla_producer_purge(producer, OTTLA_PURGE_QUEUED));
    take(producer, reports, 10);
    for (size_t n = 0; n < 10; n++) {
        CHECK_EQUAL(reports[n].status, OTTLA_ERROR_PURGED_QUEUE);
        CHECK_EQUAL(reports[n].persistence, OTTLA_PERSISTENCE_NOT_PERSISTED);
        seen |= 1u << reports[n].token;
    }
    CHECK_EQUAL(seen, 1023);
    CHECK_OK(ottla_producer_flush(producer, SOON_MS, NULL));
    expect_nothing_left(producer);
    expect_numbers(producer, "c24", 0, 0);
    CHECK_OK(ottla_producer_free(producer));
}

static void c25_what_is_in_flight_is_purged(void)
{
    ottla_producer_t *producer = producer_with(NULL, "linger.ms", "0", "max.in.flight.requests.per.connection", "1",
                                               NULL);
    uint32_t topic = known_topic(producer, "t");
    silence(producer);
    send_text(producer, topic, 0, "v", 0);
    await_requests(producer, 1);
    send_text(producer, topic, 0, "v", 1);
    CHECK_OK(ottla_producer_purge(producer, OTTLA_PURGE_IN_FLIGHT | OTTLA_PURGE_QUEUED));
    ottla_delivery_t reports[2];
    take(producer, reports, 2);
    for (size_t n = 0; n < 2; n++) {
        bool in_flight = reports[n].token == 0;
        CHECK_EQUAL(reports[n].status, in_flight ? OTTLA_ERROR_PURGED_IN_FLIGHT : OTTLA_ERROR_PURGED_QUEUE);
        CHECK_EQUAL(reports[n].persistence, in_flight ? OTTLA_PERSISTENCE_POSSIBLY_PERSISTED
                                                      : OTTLA_PERSISTENCE_NOT_PERSISTED);
    }
    expect_nothing_left(producer);
    CHECK_OK(ottla_producer_free(producer));
}

/* C26, C27. */
static void what_waits_is_told(void)
{
    ottla_producer_t *producer = embedded_producer(NULL);
    uint32_t topic = known_topic(producer, "t");
    ottla_delivery_t reports[5];
    int32_t fd = -1;
    size_t count = 9;
    CHECK_OK(ottla_producer_event_fd(producer, &fd, NULL));
    struct pollfd waiting = {fd, POLLIN, 0};
    CHECK_EQUAL(poll(&waiting, 1, 0), 0);
    CHECK_OK(ottla_producer_outstanding(producer, &count));
    CHECK_EQUAL(count, 0);
    for (uint64_t n = 0; n < 5; n++)
        send_text(producer, topic, 0, "v", n);
    CHECK_OK(ottla_producer_outstanding(producer, &count));
    CHECK_EQUAL(count, 5);
    CHECK_EQUAL(poll(&waiting, 1, SOON_MS), 1);
    CHECK_OK(ottla_producer_flush(producer, SOON_MS, NULL));
    take(producer, reports, 4);
    CHECK_EQUAL(poll(&waiting, 1, 0), 1);
    CHECK_OK(ottla_producer_outstanding(producer, &count));
    CHECK_EQUAL(count, 1);
    take(producer, reports, 1);
    CHECK_EQUAL(poll(&waiting, 1, 0), 0);
    expect_nothing_left(producer);
    CHECK_OK(ottla_producer_free(producer));
}

int main(void)
{
    memset(large, 'x', sizeof large - 1);
    CASE(c20_memory_is_used_up());
    CASE(c21_places_are_used_up());
    CASE(c22_flush_has_a_deadline());
    CASE(c23_flush_does_not_wait_for_the_linger());
    CASE(c24_what_is_queued_is_purged());
    CASE(c25_what_is_in_flight_is_purged());
    what_waits_is_told();
    conforms("C26, C27");
    return 0;
}
