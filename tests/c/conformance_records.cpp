// Conformance, chapter "Records": what is sent is stored, byte for byte, and reported once.
#include "conformance.hpp"

using namespace std::string_literals;
using namespace std::string_view_literals;
using Bytes = std::optional<std::string_view>;

static void c01_a_record_is_stored_and_reported(ottla::Producer &producer)
{
    ottla::Topic topic = *producer.topic("c01");
    CHECK_DONE(producer.send(topic, "k\0\xff"sv, "a\r\n\0value"sv, UINT64_MAX, 2));
    auto report = take(producer, 1)[0];
    CHECK(report.token == UINT64_MAX && report.topic == topic.id);
    CHECK(report.status == 0 && producer.message(report).empty());
    CHECK(report.partition == 2 && report.offset == 0);
    CHECK_EQUAL(report.persistence, OTTLA_PERSISTENCE_PERSISTED);
    expect_nothing_left(producer);
    auto records = stored(producer, "c01", 2);
    CHECK_EQUAL(records.size(), 1);
    CHECK(records[0].key == "k\0\xff"s && records[0].value == "a\r\n\0value"s && records[0].offset == 0);
}

static void c02_null_is_not_empty(ottla::Producer &producer)
{
    const Bytes both[] = {std::nullopt, std::string_view()};
    ottla::Topic topic = *producer.topic("c02");
    for (std::uint64_t n = 0; n < 4; n++)
        CHECK_DONE(producer.send(topic, both[n / 2], both[n % 2], n, 0));
    take(producer, 4);
    auto records = stored(producer, "c02");
    CHECK_EQUAL(records.size(), 4);
    for (std::size_t n = 0; n < 4; n++) {
        CHECK(records[n].key.has_value() == both[n / 2].has_value());
        CHECK(records[n].value.has_value() == both[n % 2].has_value());
        CHECK(records[n].key.value_or("").empty() && records[n].value.value_or("").empty());
    }
}

static void c03_headers_keep_order_and_bytes(ottla::Producer &producer)
{
    std::vector<ottla::Record> records(3, text("v"));
    records[1].headers = {{"same", "1"}, {"same", "2"}, {"", "nameless"}, {"null", std::nullopt},
                          {"empty", ""}, {"zero", "\0a\0"sv}, {"\xc3\xa4\xe2\x82\xac", "\xff"}};
    std::vector<std::string> names;
    for (int n = 0; n < 40; n++)
        names.push_back("h" + std::to_string(n));
    for (const auto &name : names)
        records[2].headers.push_back({name, name});
    ottla::Topic topic = *producer.topic("c03");
    for (const auto &record : records)
        CHECK_DONE(producer.send(topic, record));
    take(producer, 3);
    auto back = stored(producer, "c03");
    CHECK_EQUAL(back.size(), 3);
    for (std::size_t n = 0; n < 3; n++) {
        CHECK_EQUAL(back[n].headers.size(), records[n].headers.size());
        for (std::size_t h = 0; h < back[n].headers.size(); h++) {
            const auto &[name, value] = back[n].headers[h];
            CHECK(name == records[n].headers[h].key);
            CHECK((value ? Bytes(*value) : Bytes()) == records[n].headers[h].value);
        }
    }
}

static void c04_timestamps_are_kept_and_reported(ottla::Producer &producer)
{
    auto now_ms = [] {
        using namespace std::chrono;
        return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
    };
    ottla::Topic topic = *producer.topic("c04");
    ottla::Record given = text("v", 0);
    given.timestamp_ms = 1234567890123;
    auto before = now_ms();
    CHECK_DONE(producer.send(topic, given));
    CHECK_DONE(producer.send(topic, text("v", 1)));
    auto after = now_ms();
    auto reports = take(producer, 2);
    auto records = stored(producer, "c04");
    CHECK_EQUAL(records[0].timestamp_ms, 1234567890123);
    CHECK(records[1].timestamp_ms >= before && records[1].timestamp_ms <= after);
    for (const auto &report : reports)
        CHECK_EQUAL(report.timestamp_ms, records[report.token].timestamp_ms);
}

static void c05_the_same_key_has_the_same_partition()
{
    auto cluster = ottla::MockCluster::start(1);
    CHECK_DONE(cluster->create_topic("t", 16));
    ottla::Producer first = producer_on(*cluster), second = producer_on(*cluster);
    auto partition_for = [](ottla::Producer &producer, std::string_view key, std::int32_t partition) {
        CHECK_DONE(producer.send(*producer.topic("t"), key, "v", 0, partition));
        auto report = take(producer, 1)[0];
        CHECK_EQUAL(report.status, 0);
        return report.partition;
    };
    bool differ = false;
    for (int n = 0, last = -1; n < 20; n++) {
        auto key = "key " + std::to_string(n);
        auto partition = partition_for(first, key, OTTLA_PARTITION_ANY);
        CHECK_EQUAL(partition_for(second, key, OTTLA_PARTITION_ANY), partition);
        CHECK_EQUAL(partition_for(second, key, 5), 5);
        differ |= n > 0 && partition != last;
        last = partition;
    }
    CHECK(differ);
}

static void c06_batch_calls_keep_their_order(ottla::Producer &producer)
{
    std::vector<std::string> numbers;
    std::vector<ottla::Record> records;
    for (std::uint64_t n = 0; n < 1000; n++)
        numbers.push_back(std::to_string(n));
    for (std::uint64_t n = 0; n < 1000; n++)
        records.push_back(text(numbers[n], n, 1));
    ottla::Topic topic = *producer.topic("c06");
    for (std::size_t n = 0; n < 1000; n += 250) {
        auto sent = producer.send_batch(topic, &records[n], 250);
        CHECK(sent && sent.accepted == 250);
    }
    std::vector<int> seen(1000);
    for (const auto &report : take(producer, 1000)) {
        CHECK(report.status == 0 && report.token < 1000 && seen[report.token]++ == 0);
        CHECK_EQUAL(report.offset, report.token);
    }
    expect_nothing_left(producer);
    expect_numbers(producer, "c06", 1000, 1);
}

static void c07_what_cannot_be_sent_is_refused_by_itself()
{
    ottla::Producer producer = producer_with({{"max.request.size", "20000"}, {"max.block.ms", "200"}});
    ottla::Topic topic = known_topic(producer, "c07");
    std::string large(30000, 'x');
    std::vector<ottla::Record> records = {text("0"), text(large), text("1"), text("v", 0, 9), text("2")};
    std::vector<std::int32_t> statuses;
    auto sent = producer.send_batch(topic, records, &statuses, OTTLA_SEND_NO_WAIT);
    CHECK(!sent && sent.accepted == 3 && sent.status == OTTLA_ERROR_RECORD_TOO_LARGE);
    CHECK((statuses == std::vector<std::int32_t>{0, OTTLA_ERROR_RECORD_TOO_LARGE, 0,
                                                 OTTLA_ERROR_UNKNOWN_PARTITION, 0}));
    take(producer, 3);
    expect_nothing_left(producer);
    expect_numbers(producer, "c07", 3);
}

static void c08_the_largest_record()
{
    ottla::Producer producer = producer_with({{"max.request.size", "20000"}});
    ottla::Topic topic = *producer.topic("c08");
    std::size_t low = 19000, high = 21000; // stored, refused
    while (high - low > 1) {
        std::size_t size = (low + high) / 2;
        auto sent = producer.send(topic, text(std::string(size, 'x')));
        if (sent)
            CHECK_EQUAL(take(producer, 1)[0].status, 0);
        else
            CHECK_EQUAL(code_of(sent), OTTLA_ERROR_RECORD_TOO_LARGE);
        (sent ? low : high) = size;
    }
    CHECK(low > 19500 && low < 20000);
    CHECK_EQUAL(code_of(producer.send(topic, text(std::string(low + 1, 'x')))), OTTLA_ERROR_RECORD_TOO_LARGE);
    CHECK_DONE(producer.send(topic, text(std::string(low, 'x'))));
    CHECK_EQUAL(take(producer, 1)[0].status, 0);
    expect_nothing_left(producer);
    CHECK_EQUAL(stored(producer, "c08").back().value->size(), low);
}

int main()
{
    ottla::Producer producer = producer_with();
    CASE(c01_a_record_is_stored_and_reported(producer));
    CASE(c02_null_is_not_empty(producer));
    CASE(c03_headers_keep_order_and_bytes(producer));
    CASE(c04_timestamps_are_kept_and_reported(producer));
    CASE(c05_the_same_key_has_the_same_partition());
    CASE(c06_batch_calls_keep_their_order(producer));
    CASE(c07_what_cannot_be_sent_is_refused_by_itself());
    CASE(c08_the_largest_record());
    return 0;
}
