// Conformance, chapters "Ends" and "Callbacks": close in all its situations, no close at all, and what a callback may do.
#include "conformance.hpp"

// C30, C31, C34.
static void close_sends_what_lingers()
{
    auto cluster = ottla::MockCluster::start(1);
    CHECK_DONE(cluster);
    ottla::Producer producer = producer_on(*cluster, {{"linger.ms", "60000"}, {"delivery.timeout.ms", "120000"}});
    ottla::Topic topic = known_topic(producer, "t");
    for (std::uint64_t n = 0; n < 10; n++)
        CHECK_DONE(producer.send(topic, text("v", n)));
    CHECK_DONE(producer.close(soon));
    CHECK_EQUAL(*cluster->end_offset("t", 0), 10);
    CHECK_DONE(producer.close(0s));
    CHECK_DONE(producer.close());
    unsigned seen = 0;
    for (const auto &report : take(producer, 10)) {
        CHECK(report.status == 0 && report.offset == static_cast<std::int64_t>(report.token));
        seen |= 1u << report.token;
    }
    CHECK_EQUAL(seen, 1023);
    CHECK_EQUAL(code_of(producer.poll(ottla::forever)), OTTLA_ERROR_CLOSED);
    CHECK_EQUAL(*cluster->end_offset("t", 0), 10);
}

static void c32_close_has_a_limit()
{
    ottla::Producer producer = producer_with();
    ottla::Topic topic = known_topic(producer, "t");
    silence(producer);
    for (std::uint64_t n = 0; n < 1000; n++)
        CHECK_DONE(producer.send(topic, "v", n));
    auto since = Clock::now();
    CHECK_EQUAL(code_of(producer.close(100ms)), OTTLA_ERROR_TIMED_OUT);
    CHECK(within(since, 95ms, 30s));
    std::vector<int> seen(1000);
    for (const auto &report : take(producer, 1000)) {
        CHECK(report.token < 1000 && seen[report.token]++ == 0);
        CHECK_EQUAL(report.status, OTTLA_ERROR_ABORTED);
    }
    CHECK_EQUAL(code_of(producer.poll(ottla::forever)), OTTLA_ERROR_CLOSED);
}

static void c33_nothing_can_be_used_after_close()
{
    ottla::Producer producer = producer_with();
    ottla::Topic topic = known_topic(producer, "t");
    CHECK_DONE(producer.close(soon));
    std::vector<ottla::Record> records = {text("v")};
    CHECK_EQUAL(code_of(producer.send(topic, "v")), OTTLA_ERROR_CLOSED);
    CHECK_EQUAL(code_of(producer.send(topic, text("v"), OTTLA_SEND_NO_WAIT)), OTTLA_ERROR_CLOSED);
    CHECK_EQUAL(producer.send_batch(topic, records).status, OTTLA_ERROR_CLOSED);
    CHECK_EQUAL(code_of(producer.topic("other")), OTTLA_ERROR_CLOSED);
    CHECK_EQUAL(code_of(producer.purge(OTTLA_PURGE_QUEUED)), OTTLA_ERROR_CLOSED);
    CHECK_EQUAL(code_of(producer.wait_ready(ottla::forever)), OTTLA_ERROR_CLOSED);
    CHECK_EQUAL(code_of(producer.topic_metadata(topic, ottla::forever)), OTTLA_ERROR_CLOSED);
    CHECK_EQUAL(code_of(producer.survey(ottla::forever)), OTTLA_ERROR_CLOSED);
    CHECK_EQUAL(code_of(producer.poll(ottla::forever)), OTTLA_ERROR_CLOSED);
    CHECK_DONE(producer.flush()); // nothing is left to wait for
}

// C35: the end of its life without close, with records lingering, in flight and reported; and moved over another one. The
// sanitizers see what is left.
static void c35_no_close()
{
    for (int round = 0; round < 3; round++) {
        auto since = Clock::now();
        ottla::Producer kept = producer_with();
        {
            ottla::Producer producer = producer_with(
                {{"linger.ms", round == 0 ? "60000" : "0"}, {"delivery.timeout.ms", "120000"}});
            ottla::Topic topic = known_topic(producer, "t");
            if (round == 1)
                silence(producer);
            for (std::uint64_t n = 0; n < 100; n++)
                CHECK_DONE(producer.send(topic, text("v", n), OTTLA_SEND_NO_WAIT));
            if (round == 1)
                await_requests(producer, 1);
            if (round == 2)
                CHECK_DONE(producer.flush(soon));
            kept = std::move(producer);
        }
        CHECK_EQUAL(*kept.outstanding(), 100);
        CHECK(within(since, 0s, 30s));
    }
}

static void c36_one_closes_while_others_wait()
{
    ottla::Producer producer = producer_with({{"buffer.memory", "400000"}});
    ottla::Topic topic = known_topic(producer, "t");
    silence(producer);
    CHECK_DONE(producer.send(topic, text("v")));
    auto since = Clock::now();
    std::atomic<int> begun{0};
    std::thread polls([&] {
        begun++;
        auto taken = producer.poll(ottla::forever);
        while (taken)
            taken = producer.poll(ottla::forever);
        CHECK_EQUAL(code_of(taken), OTTLA_ERROR_CLOSED);
    });
    std::thread flushes([&] {
        begun++;
        auto code = code_of(producer.flush());
        CHECK(code == 0 || code == OTTLA_ERROR_CLOSED);
    });
    std::thread sends([&] {
        begun++;
        std::string large(50000, 'x');
        auto sent = producer.send(topic, text(large));
        while (sent)
            sent = producer.send(topic, text(large));
        CHECK_EQUAL(code_of(sent), OTTLA_ERROR_CLOSED);
    });
    while (begun < 3)
        std::this_thread::sleep_for(1ms);
    std::this_thread::sleep_for(100ms);
    CHECK_EQUAL(code_of(producer.close(100ms)), OTTLA_ERROR_TIMED_OUT);
    polls.join();
    flushes.join();
    sends.join();
    CHECK(within(since, 0s, 30s));
}

// C41, C42, C43; C40 is in exceptions.cpp.
static void what_a_callback_may_do()
{
    std::atomic<ottla::Producer *> own{nullptr};
    std::atomic<int> records{0}, tried{0};
    auto belongs = std::make_shared<int>(0);
    {
        ottla::Callbacks callbacks;
        callbacks.on_delivery = [&, belongs](const ottla::Reports &reports) {
            for (const auto &report : reports) {
                CHECK_EQUAL(report.status, 0);
                records += static_cast<int>(report.count);
            }
            ottla::Producer *producer = own.load();
            if (producer == nullptr || tried++ > 0)
                return;
            CHECK_EQUAL(code_of(producer->flush()), OTTLA_ERROR_IN_CALLBACK);
            CHECK_EQUAL(code_of(producer->close()), OTTLA_ERROR_IN_CALLBACK);
            CHECK_EQUAL(code_of(producer->wait_ready(ottla::forever)), OTTLA_ERROR_IN_CALLBACK);
            CHECK_DONE(producer->send(*producer->topic("again"), text("0")));
        };
        ottla::Producer producer = producer_with({}, std::move(callbacks));
        CHECK_EQUAL(belongs.use_count(), 2);
        own = &producer;
        ottla::Topic topic = *producer.topic("t");
        for (std::uint64_t n = 0; n < 1000; n++)
            CHECK_DONE(producer.send(topic, "v", n));
        CHECK_EQUAL(code_of(producer.poll(0s)), OTTLA_ERROR_STATE);
        CHECK_DONE(producer.flush(soon)); // by then it was called, and has sent
        CHECK_DONE(producer.flush(soon));
        CHECK_EQUAL(records, 1001);
        expect_numbers(producer, "again", 1);
        CHECK_DONE(producer.close(soon));
    }
    CHECK_EQUAL(belongs.use_count(), 1);
}

int main()
{
    close_sends_what_lingers();
    conforms("C30, C31, C34");
    CASE(c32_close_has_a_limit());
    CASE(c33_nothing_can_be_used_after_close());
    CASE(c35_no_close());
    CASE(c36_one_closes_while_others_wait());
    what_a_callback_may_do();
    conforms("C41, C42, C43");
    return 0;
}
