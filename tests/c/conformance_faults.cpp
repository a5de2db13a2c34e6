// Conformance, chapters "Threads" and "Faults": eight threads on one producer; the embedded cluster does what it is told,
// and the producer lives with it.
#include "conformance.hpp"

static void c50_eight_threads()
{
    constexpr std::uint64_t threads = 8, each = 12500;
    ottla::Producer producer = producer_with();
    ottla::Topic topic = *producer.topic("t");
    std::vector<std::thread> senders;
    for (std::uint64_t t = 0; t < threads; t++)
        senders.emplace_back([&producer, topic, t] {
            for (std::uint64_t n = t * each; n < (t + 1) * each; n++)
                CHECK_DONE(producer.send(topic, std::to_string(n), "some value", n));
        });
    std::vector<unsigned char> seen(threads * each);
    for (std::size_t taken = 0; taken < seen.size();) {
        auto some = producer.poll(soon);
        CHECK(some && !some->empty());
        for (const auto &report : *some)
            CHECK(report.status == 0 && report.token < seen.size() && seen[report.token]++ == 0);
        taken += some->size();
    }
    for (auto &sender : senders)
        sender.join();
    std::size_t sum = 0;
    for (std::int32_t partition = 0; partition < 4; partition++) {
        std::uint64_t next[threads] = {};
        for (const auto &record : stored(producer, "t", partition)) {
            std::uint64_t n = std::strtoull(record.key->c_str(), nullptr, 10);
            CHECK(n / each < threads && n % each >= next[n / each]);
            next[n / each] = n % each + 1;
            sum++;
        }
    }
    CHECK_EQUAL(sum, threads * each);
    CHECK(*producer.metric("buffer-available-bytes") == *producer.metric("buffer-total-bytes"));
}

static void c60_leaders_go_down()
{
    ottla::Producer producer = producer_with({{"max.in.flight.requests.per.connection", "1"},
                                              {"linger.ms", "1"},
                                              {"retry.backoff.ms", "10"},
                                              {"retry.backoff.max.ms", "50"}});
    constexpr std::uint64_t records = 3000;
    ottla::Topic topic = known_topic(producer, "c60");
    auto cluster = producer.mock_cluster();
    CHECK_DONE(cluster->set_delay(-1, produce_api, 20ms));
    for (std::uint64_t n = 0; n < records; n++) {
        auto broker = static_cast<std::int32_t>(n / 500 % 3) + 1; // one at a time, each twice
        if (n % 500 == 100)
            CHECK_DONE(cluster->broker_down(broker));
        if (n % 500 == 400)
            CHECK_DONE(cluster->broker_up(broker));
        if (n % 50 == 0)
            std::this_thread::sleep_for(5ms);
        CHECK_DONE(producer.send(topic, text(std::to_string(n / 3), n, static_cast<std::int32_t>(n % 3))));
    }
    CHECK_DONE(producer.flush(60s));
    std::vector<int> seen(records);
    for (const auto &report : take(producer, records))
        CHECK(report.status == 0 && seen[report.token]++ == 0);
    for (std::int32_t partition = 0; partition < 3; partition++)
        expect_numbers(producer, "c60", records / 3, partition);
    // Some were on their way to a leader that went down.
    CHECK(*producer.metric("record-retry-total") > 0);
}

static void c61_an_answer_is_late()
{
    ottla::Producer producer = producer_with({{"linger.ms", "0"}});
    ottla::Topic topic = known_topic(producer, "t");
    CHECK_DONE(producer.mock_cluster()->set_delay(-1, produce_api, 500ms));
    auto since = Clock::now();
    CHECK_DONE(producer.send(topic, text("v", 0)));
    await_requests(producer, 1);
    for (std::uint64_t n = 1; n < 10; n++)
        CHECK_DONE(producer.send(topic, text("v", n)));
    std::size_t early = producer.poll(0s)->size();
    CHECK(early == 0 || within(since, 490ms, soon));
    for (const auto &report : take(producer, 10 - early))
        CHECK_EQUAL(report.status, 0);
    CHECK(within(since, 490ms, soon));
}

static void c62_the_cluster_counts()
{
    auto cluster = ottla::MockCluster::start(2);
    CHECK_DONE(cluster->create_topic("c62", 7, 2));
    CHECK_EQUAL(*cluster->partition_count("c62"), 7);
    CHECK_EQUAL(code_of(cluster->partition_count("none")), OTTLA_ERROR_UNKNOWN_TOPIC);
    ottla::Producer producer = producer_on(*cluster);
    ottla::Topic topic = known_topic(producer, "c62");
    CHECK_EQUAL(*cluster->request_count(-1, produce_api), 0);
    for (std::uint64_t n = 0; n < 3; n++) {
        CHECK_DONE(producer.send(topic, text("v", n, 6)));
        CHECK_EQUAL(take(producer, 1)[0].offset, n);
    }
    CHECK_EQUAL(*cluster->request_count(-1, produce_api), 3);
    CHECK_EQUAL(*cluster->request_count(1, produce_api) + *cluster->request_count(2, produce_api), 3);
    CHECK(*cluster->end_offset("c62", 6) == 3 && *cluster->end_offset("c62", 5) == 0);
}

static void c63_metadata_is_the_clusters()
{
    ottla::Producer producer = producer_with();
    auto cluster = producer.mock_cluster();
    CHECK_DONE(cluster->create_topic("c63", 5, 3));
    for (std::int32_t partition = 0; partition < 5; partition++)
        CHECK_DONE(cluster->set_leader("c63", partition, partition % 3 + 1));
    auto metadata = producer.topic_metadata(*producer.topic("c63"), soon);
    CHECK_DONE(metadata);
    CHECK(!metadata->cluster_id.empty() && metadata->brokers.size() == 3 && metadata->topics.size() == 1);
    for (std::size_t b = 0; b < 3; b++) {
        const auto &broker = metadata->brokers[b];
        CHECK_EQUAL(broker.id, b + 1);
        auto address = broker.host + ":" + std::to_string(broker.port);
        CHECK(cluster->bootstrap_servers().find(address) != std::string::npos && !broker.rack);
    }
    const auto &topic = metadata->topics[0];
    CHECK(topic.name == "c63" && topic.error == 0 && topic.partitions.size() == 5);
    CHECK((topic.id != std::array<std::uint8_t, 16>{}));
    for (std::size_t n = 0; n < 5; n++) {
        const auto &partition = topic.partitions[n];
        CHECK(partition.error == 0 && partition.leader == static_cast<std::int32_t>(n % 3) + 1);
        CHECK(partition.replicas.size() == 3 && partition.in_sync.size() == 3);
    }
    CHECK_EQUAL(producer.metadata()->topics.size(), 1);
    auto missing = producer.survey(soon, "none");
    CHECK_DONE(missing);
    CHECK(missing->topics.size() == 1 && missing->topics[0].name == "none");
    CHECK_EQUAL(missing->topics[0].error, OTTLA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
    auto all = producer.survey(soon);
    CHECK(all && all->topics.size() == 1 && all->topics[0].name == "c63");
}

int main()
{
    CASE(c50_eight_threads());
    CASE(c60_leaders_go_down());
    CASE(c61_an_answer_is_late());
    CASE(c62_the_cluster_counts());
    CASE(c63_metadata_is_the_clusters());
    return 0;
}
