// The C++ face: ownership, moves, results, both doors, null and empty, the embedded cluster. Built without
// exceptions and RTTI.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <type_traits>

#include <ottla.hpp>

#define CHECK(condition)                                                                            \
    do {                                                                                            \
        if (!(condition)) {                                                                         \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                    \
            std::exit(1);                                                                           \
        }                                                                                           \
    } while (0)

using namespace std::chrono_literals;

static_assert(!std::is_copy_constructible_v<ottla::Producer>);
static_assert(!std::is_copy_constructible_v<ottla::Config>);
static_assert(!std::is_copy_constructible_v<ottla::MockCluster>);
static_assert(std::is_nothrow_move_constructible_v<ottla::Producer>);

static ottla::Config embedded()
{
    ottla::Config config;
    CHECK(config.set("test.mock.num.brokers", "2"));
    return config;
}

static void settings()
{
    ottla::Config config = embedded();
    CHECK(*config.get("test.mock.num.brokers") == "2");
    auto wrong = config.set("lingr.ms", "5");
    CHECK(!wrong && wrong.error().code() == OTTLA_ERROR_CONFIG);
    CHECK(wrong.error().message().find("linger.ms") != std::string::npos);
    CHECK(!wrong.error().is_fatal() && !wrong.error().is_retriable());
    CHECK(!config.get("no.such.setting"));
    ottla::Config other = std::move(config);
    CHECK(other.set("acks", "all"));
    CHECK(config.set("acks", "all").error().code() == OTTLA_ERROR_HANDLE);
    CHECK(!ottla::Producer::open(ottla::Config()));
}

static void times()
{
    CHECK(ottla::Timeout(0s).milliseconds() == 0 && ottla::Timeout(7h).milliseconds() == 25200000);
    CHECK(ottla::Timeout(1ns).milliseconds() == 1 && ottla::Timeout(1000001ns).milliseconds() == 2);
    CHECK(ottla::Timeout(1.5ms).milliseconds() == 2 && ottla::Timeout(2ms).milliseconds() == 2);
    for (ottla::Timeout none : {ottla::Timeout(ottla::forever), ottla::Timeout(-1ns),
                                ottla::Timeout(std::chrono::seconds::max()),
                                ottla::Timeout(std::chrono::hours::max())})
        CHECK(none.milliseconds() == -1);
}

static void polled()
{
    auto producer = ottla::Producer::open(embedded());
    CHECK(producer && producer->wait_ready(20s));
    auto topic = producer->topic("polled");
    CHECK(topic && !producer->topic("not a topic"));
    CHECK(producer->send(*topic, "value", 1));
    CHECK(producer->send(*topic, "", std::nullopt, 2, 0));
    ottla::Record record;
    record.key = std::string_view();
    record.partition = 0;
    record.token = 3;
    record.timestamp_ms = 77;
    record.headers = {{"a", "b"}, {"null", std::nullopt}};
    CHECK(producer->send(*topic, record, OTTLA_SEND_NO_WAIT));
    CHECK(producer->flush(20s));
    std::uint64_t sum = 0;
    while (sum < 6) {
        auto deliveries = producer->poll(20s, 2);
        CHECK(deliveries && !deliveries->empty() && deliveries->size() <= 2);
        for (const auto &delivery : *deliveries) {
            CHECK(delivery.status == 0 && producer->message(delivery).empty());
            sum += delivery.token;
        }
    }
    CHECK(producer->poll(0s)->empty());
    CHECK(*producer->outstanding() == 0);
    CHECK(*producer->metric("record-ack-total") == 3);
    CHECK(!producer->metric("no-such"));
    auto cluster = producer->mock_cluster();
    CHECK(cluster);
    auto records = cluster->records("polled", 0);
    CHECK(records);
    bool empty_key = false, whole = false;
    for (const auto &stored : *records) {
        empty_key |= stored.key == std::string() && !stored.value && stored.headers.empty();
        if (stored.timestamp_ms != 77)
            continue;
        whole = stored.key == std::string() && stored.headers.size() == 2
            && stored.headers[0].first == "a" && stored.headers[0].second == std::string("b")
            && !stored.headers[1].second;
    }
    CHECK(empty_key && whole);
    auto committed = cluster->records("polled", 0, ottla::Isolation::read_committed);
    CHECK(committed && committed->size() == records->size());
    CHECK(*cluster->committed_offset("g", "polled", 0) == -1);

    CHECK(cluster->push_partition_errors("polled", 0, {OTTLA_ERROR_MESSAGE_TOO_LARGE}));
    CHECK(producer->send(*topic, std::nullopt, "v", 9, 0));
    auto failed = producer->poll(20s);
    CHECK(failed->size() == 1 && failed->front().status == OTTLA_ERROR_MESSAGE_TOO_LARGE);
    CHECK(!producer->message(failed->front()).empty());
    CHECK(producer->close(20s));
    CHECK(producer->send(*topic, "v").error().code() == OTTLA_ERROR_CLOSED);
    CHECK(producer->poll(-1ms).error().code() == OTTLA_ERROR_CLOSED);
}

static void called_back()
{
    auto cluster = ottla::MockCluster::start(1);
    CHECK(cluster && cluster->create_topic("t", 3));
    CHECK(*cluster->partition_count("t") == 3);
    ottla::Config config;
    CHECK(config.set("bootstrap.servers", cluster->bootstrap_servers()));
    auto freed = std::make_shared<int>(0);
    std::atomic<int> records{0};
    {
        auto opened = ottla::Producer::open(
            config,
            [&records, freed](const ottla::Reports &reports) {
                for (const auto &report : reports)
                    records += report.status == 0 ? static_cast<int>(report.count) : 0;
            },
            [freed](std::int32_t, std::string_view) {});
        CHECK(opened && freed.use_count() == 3);
        ottla::Producer producer = std::move(*opened);
        auto topic = producer.topic("t");
        for (std::uint64_t n = 0; n < 1000; n++)
            CHECK(producer.send(*topic, "value", n));
        CHECK(producer.flush());
        CHECK(records == 1000);
        CHECK(opened->flush().error().code() == OTTLA_ERROR_HANDLE);
    }
    CHECK(freed.use_count() == 1);
    CHECK(cluster->broker_down(1) && cluster->broker_up(1));
    CHECK(*cluster->end_offset("t", 0) + *cluster->end_offset("t", 1) + *cluster->end_offset("t", 2)
          == 1000);
    CHECK(*cluster->request_count(-1, 0) > 0 && cluster->clear_faults());
    CHECK(cluster->set_leader("t", 0, 1) && !cluster->set_leader("t", 3, 1));
    CHECK(cluster->push_errors(0, {OTTLA_ERROR_REQUEST_TIMED_OUT}) && cluster->set_delay(1, 0, 5ms));
    ottla::MockCluster moved = std::move(*cluster);
    CHECK(moved.broker_down(1));
    CHECK(cluster->broker_up(1).error().code() == OTTLA_ERROR_HANDLE);
}

static void in_batches()
{
    auto producer = ottla::Producer::open(embedded());
    auto topic = producer->topic("batch");
    std::vector<std::string> values;
    std::vector<ottla::Record> records(500);
    for (std::size_t n = 0; n < records.size(); n++)
        values.push_back(std::to_string(n));
    for (std::size_t n = 0; n < records.size(); n++) {
        records[n].value = values[n];
        records[n].partition = 0;
        records[n].token = n;
        if (n % 3 == 0)
            records[n].headers = {{"n", values[n]}, {"null", std::nullopt}};
    }
    auto sent = producer->send_batch(*topic, records);
    CHECK(sent && sent.accepted == 500);
    // One that is refused holds up the others only without a place for statuses.
    records[1].headers = {{"\xff", std::nullopt}};
    std::vector<std::int32_t> statuses;
    sent = producer->send_batch(*topic, records.data(), 3, &statuses, OTTLA_SEND_NO_WAIT);
    CHECK(!sent && sent.accepted == 2 && sent.status == OTTLA_ERROR_ARGUMENT);
    CHECK(statuses.size() == 3 && statuses[0] == 0 && statuses[1] == sent.status && statuses[2] == 0);
    sent = producer->send_batch(*topic, records.data(), 3);
    CHECK(!sent && sent.accepted == 1);
    CHECK(producer->send_batch(*topic, {}).accepted == 0);
    CHECK(producer->flush(20s));
    auto stored = *producer->mock_cluster()->records("batch", 0);
    CHECK(stored.size() == 503);
    for (std::size_t n = 0; n < 500; n++) {
        CHECK(stored[n].value == values[n] && stored[n].headers.size() == (n % 3 == 0 ? 2u : 0u));
        CHECK(stored[n].headers.empty() || (stored[n].headers[0].second == values[n]
                                            && !stored[n].headers[1].second));
    }
}

static void intercepted()
{
    std::atomic<int> seen{0}, acknowledged{0}, events{0};
    auto freed = std::make_shared<int>(0);
    {
        ottla::Callbacks callbacks;
        callbacks.on_send = [&seen, freed](ottla::Intercepted &record) {
            auto before = *record.record();
            CHECK(*record.topic() == "seen" && before.value == "v" && !before.key);
            CHECK(before.headers.size() == 2 && before.headers[0].key == "drop");
            CHECK(record.set_key("k") && record.set_value(std::nullopt));
            CHECK(record.set_timestamp_ms(55) && record.add_header("more", "1"));
            CHECK(record.remove_headers("drop") && !record.remove_headers("drop"));
            seen++;
        };
        callbacks.on_acknowledgement = [&acknowledged](const ottla_report_t &report) {
            acknowledged += static_cast<int>(report.count);
        };
        callbacks.on_event = [&events](const ottla_event_t &event, std::string_view text) {
            events += event.kind != OTTLA_EVENT_NONE && text.size() == event.text_len;
        };
        auto producer = ottla::Producer::open(embedded(), std::move(callbacks));
        CHECK(producer && freed.use_count() == 2);
        auto topic = producer->topic("seen");
        ottla::Record record;
        record.value = "v";
        record.partition = 0;
        record.headers = {{"drop", "x"}, {"keep", ""}};
        CHECK(producer->send(*topic, record));
        CHECK(producer->send_batch(*topic, &record, 1));
        CHECK(producer->flush(20s) && seen == 2 && acknowledged == 2);
        auto kept = *producer->mock_cluster()->records("seen", 0);
        CHECK(kept.size() == 2);
        for (const auto &stored : kept) {
            CHECK(stored.key == std::string("k") && !stored.value && stored.timestamp_ms == 55);
            CHECK(stored.headers.size() == 2 && stored.headers[0].first == "keep"
                  && stored.headers[1].second == std::string("1"));
        }
        // A broker that cannot be reached is an event.
        auto cluster = producer->mock_cluster();
        CHECK(cluster->broker_down(1) && cluster->broker_down(2));
        for (int n = 0; n < 2000 && events == 0; n++)
            CHECK(producer->poll(10ms));
        CHECK(producer->close(20s));
    }
    CHECK(freed.use_count() == 1);
    CHECK(events > 0);
}

int main()
{
    settings();
    times();
    polled();
    called_back();
    in_batches();
    intercepted();
    return 0;
}
