// Conformance, chapter "Room and time": the limits of memory and of waiting, purge, the wake-up descriptor.
#include <poll.h>

#include "conformance.hpp"

static void c20_memory_is_used_up()
{
    ottla::Producer producer = producer_with({{"buffer.memory", "400000"}});
    ottla::Topic topic = known_topic(producer, "c20");
    std::string large(10000, 'x');
    std::size_t accepted = 0;
    // An acknowledged record gives most of its memory back: none is while the buffer is filled.
    silence(producer);
    auto sent = producer.send(topic, text(large), OTTLA_SEND_NO_WAIT);
    for (; sent; sent = producer.send(topic, text(large), OTTLA_SEND_NO_WAIT))
        CHECK(++accepted < 40);
    CHECK_EQUAL(code_of(sent), OTTLA_ERROR_QUEUE_FULL);
    CHECK(sent.error().is_retriable() && accepted >= 10);
    break_silence(producer);
    // Memory is a record's until its report is taken.
    for (std::size_t taken = 0; !sent; taken++) {
        CHECK(taken < accepted);
        CHECK_EQUAL(take(producer, 1)[0].status, 0);
        sent = producer.send(topic, text(large), OTTLA_SEND_NO_WAIT);
    }
    CHECK_DONE(producer.flush(soon));
    CHECK_EQUAL(stored(producer, "c20").size(), accepted + 1);
}

static void c21_places_are_used_up()
{
    ottla::Producer producer = producer_with({{"queue.buffering.max.messages", "3"}});
    ottla::Topic topic = known_topic(producer, "t");
    silence(producer);
    for (std::uint64_t n = 0; n < 3; n++)
        CHECK_DONE(producer.send(topic, text("v", n), OTTLA_SEND_NO_WAIT));
    CHECK_EQUAL(code_of(producer.send(topic, text("v", 3), OTTLA_SEND_NO_WAIT)), OTTLA_ERROR_QUEUE_FULL);
    break_silence(producer);
    take(producer, 3);
    CHECK_DONE(producer.send(topic, text("v", 3), OTTLA_SEND_NO_WAIT));
    CHECK_EQUAL(take(producer, 1)[0].token, 3);
}

static void c22_flush_has_a_deadline()
{
    ottla::Producer producer = producer_with();
    ottla::Topic topic = known_topic(producer, "c22");
    silence(producer);
    for (std::uint64_t n = 0; n < 10; n++)
        CHECK_DONE(producer.send(topic, text(std::to_string(n), n)));
    auto since = Clock::now();
    CHECK_EQUAL(code_of(producer.flush(100ms)), OTTLA_ERROR_TIMED_OUT);
    CHECK(within(since, 95ms, 30s));
    CHECK_EQUAL(*producer.outstanding(), 10);
    break_silence(producer);
    CHECK_DONE(producer.flush(soon));
    for (const auto &report : take(producer, 10))
        CHECK_EQUAL(report.status, 0);
    expect_numbers(producer, "c22", 10);
}

static void c23_flush_does_not_wait_for_the_linger()
{
    ottla::Producer producer = producer_with({{"linger.ms", "60000"}, {"delivery.timeout.ms", "120000"}});
    CHECK_DONE(producer.send(known_topic(producer, "c23"), text("0")));
    CHECK(producer.poll(100ms)->empty()); // it does linger
    CHECK_DONE(producer.flush(soon));
    CHECK_EQUAL(take(producer, 1)[0].status, 0);
    expect_numbers(producer, "c23", 1);
}

static void c24_what_is_queued_is_purged()
{
    ottla::Producer producer = producer_with({{"linger.ms", "60000"}, {"delivery.timeout.ms", "120000"}});
    ottla::Topic topic = known_topic(producer, "c24");
    for (std::uint64_t n = 0; n < 10; n++)
        CHECK_DONE(producer.send(topic, text("v", n)));
    CHECK_DONE(producer.purge(OTTLA_PURGE_QUEUED));
    unsigned seen = 0;
    for (const auto &report : take(producer, 10)) {
        CHECK_EQUAL(report.status, OTTLA_ERROR_PURGED_QUEUE);
        CHECK_EQUAL(report.persistence, OTTLA_PERSISTENCE_NOT_PERSISTED);
        seen |= 1u << report.token;
    }
    CHECK_EQUAL(seen, 1023);
    CHECK_DONE(producer.flush(soon));
    expect_nothing_left(producer);
    CHECK(stored(producer, "c24").empty());
}

static void c25_what_is_in_flight_is_purged()
{
    ottla::Producer producer = producer_with(
        {{"linger.ms", "0"}, {"max.in.flight.requests.per.connection", "1"}});
    ottla::Topic topic = known_topic(producer, "t");
    silence(producer);
    CHECK_DONE(producer.send(topic, text("v", 0)));
    await_requests(producer, 1);
    CHECK_DONE(producer.send(topic, text("v", 1)));
    CHECK_DONE(producer.purge(OTTLA_PURGE_IN_FLIGHT | OTTLA_PURGE_QUEUED));
    for (const auto &report : take(producer, 2)) {
        bool in_flight = report.token == 0;
        CHECK_EQUAL(report.status, in_flight ? OTTLA_ERROR_PURGED_IN_FLIGHT : OTTLA_ERROR_PURGED_QUEUE);
        CHECK_EQUAL(report.persistence, in_flight ? OTTLA_PERSISTENCE_POSSIBLY_PERSISTED
                                                  : OTTLA_PERSISTENCE_NOT_PERSISTED);
    }
    expect_nothing_left(producer);
}

// C26, C27.
static void what_waits_is_told()
{
    ottla::Producer producer = producer_with();
    ottla::Topic topic = known_topic(producer, "t");
    auto fd = producer.event_fd();
    CHECK_DONE(fd);
    auto readable = [&fd](int timeout_ms) {
        pollfd waiting = {*fd, POLLIN, 0};
        return poll(&waiting, 1, timeout_ms) == 1;
    };
    CHECK(!readable(0) && *producer.outstanding() == 0);
    for (std::uint64_t n = 0; n < 5; n++)
        CHECK_DONE(producer.send(topic, text("v", n)));
    CHECK_EQUAL(*producer.outstanding(), 5);
    CHECK(readable(20000));
    CHECK_DONE(producer.flush(soon));
    take(producer, 4);
    CHECK(readable(0) && *producer.outstanding() == 1);
    take(producer, 1);
    CHECK(!readable(0));
    expect_nothing_left(producer);
}

int main()
{
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
