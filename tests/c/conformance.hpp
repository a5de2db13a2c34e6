// What the conformance programs in C++ share: producers by their settings, taking reports, reading back. The cases and
// their numbers are those of bindings/conformance.md.
#ifndef OTTLA_TESTS_CONFORMANCE_HPP
#define OTTLA_TESTS_CONFORMANCE_HPP

#include <atomic>
#include <initializer_list>
#include <thread>

#include <ottla.hpp>

#include "check.h"

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::int16_t produce_api = 0;
constexpr auto soon = 20s;

// The code of a result, or 0 if it holds a value.
template <class T> std::int32_t code_of(const ottla::Result<T> &result)
{
    return result ? 0 : result.error().code();
}

// A result that must hold a value, with the text if it does not.
#define CHECK_DONE(call)                                                                            \
    do {                                                                                            \
        const auto &result_ = (call);                                                               \
        if (!result_) {                                                                             \
            std::fprintf(stderr, "%s:%d: %s: %s: %s\n", __FILE__, __LINE__, #call,                  \
                         result_.error().name(), result_.error().message().c_str());                \
            std::exit(1);                                                                           \
        }                                                                                           \
    } while (0)

using Settings = std::initializer_list<std::pair<const char *, std::string>>;

inline ottla::Config config_of(Settings settings)
{
    ottla::Config config;
    for (const auto &[name, value] : settings)
        CHECK_DONE(config.set(name, value));
    return config;
}

// A producer on an embedded cluster of three brokers.
inline ottla::Producer producer_with(Settings settings = {}, ottla::Callbacks callbacks = {})
{
    ottla::Config config = config_of(settings);
    CHECK_DONE(config.set("test.mock.num.brokers", "3"));
    CHECK_DONE(config.set("report.timestamps", "true"));
    auto producer = ottla::Producer::open(config, std::move(callbacks));
    CHECK_DONE(producer);
    return std::move(*producer);
}

// A producer on a cluster that lives on its own.
inline ottla::Producer producer_on(const ottla::MockCluster &cluster, Settings settings = {})
{
    ottla::Config config = config_of(settings);
    CHECK_DONE(config.set("bootstrap.servers", cluster.bootstrap_servers()));
    auto producer = ottla::Producer::open(config);
    CHECK_DONE(producer);
    return std::move(*producer);
}

// A topic that the producer knows by now.
inline ottla::Topic known_topic(ottla::Producer &producer, std::string_view name)
{
    auto topic = producer.topic(name);
    CHECK_DONE(topic);
    CHECK_DONE(producer.topic_metadata(*topic, soon));
    return *topic;
}

inline ottla::Record text(std::string_view value, std::uint64_t token = 0, std::int32_t partition = 0)
{
    ottla::Record record;
    record.value = value;
    record.token = token;
    record.partition = partition;
    return record;
}

inline std::vector<ottla_delivery_t> take(ottla::Producer &producer, std::size_t wanted)
{
    std::vector<ottla_delivery_t> all;
    while (all.size() < wanted) {
        auto some = producer.poll(soon, wanted - all.size());
        CHECK_DONE(some);
        CHECK(!some->empty());
        all.insert(all.end(), some->begin(), some->end());
    }
    return all;
}

inline void expect_nothing_left(ottla::Producer &producer)
{
    CHECK_EQUAL(*producer.outstanding(), 0);
    CHECK(producer.poll(0s)->empty());
}

inline std::vector<ottla::StoredRecord> stored(ottla::Producer &producer, std::string_view topic,
                                               std::int32_t partition = 0)
{
    auto records = producer.mock_cluster()->records(topic, partition);
    CHECK_DONE(records);
    return std::move(*records);
}

// The records of a partition are the texts "0", "1", ...
inline void expect_numbers(ottla::Producer &producer, std::string_view topic, std::size_t count,
                           std::int32_t partition = 0)
{
    auto records = stored(producer, topic, partition);
    CHECK_EQUAL(records.size(), count);
    for (std::size_t n = 0; n < count; n++)
        CHECK(records[n].value == std::to_string(n));
}

// From now on no Produce request is answered.
inline void silence(ottla::Producer &producer)
{
    CHECK_DONE(producer.mock_cluster()->set_delay(-1, produce_api, 60s));
}

// Ends it: what was sent meanwhile goes again on new connections, and is stored once.
inline void break_silence(ottla::Producer &producer)
{
    auto cluster = producer.mock_cluster();
    CHECK_DONE(cluster->clear_faults());
    for (std::int32_t broker = 1; broker <= 3; broker++) {
        CHECK_DONE(cluster->broker_down(broker));
        CHECK_DONE(cluster->broker_up(broker));
    }
}

inline void await_requests(ottla::Producer &producer, std::uint64_t wanted)
{
    auto since = Clock::now();
    while (*producer.mock_cluster()->request_count(-1, produce_api) < wanted) {
        CHECK(Clock::now() - since < soon);
        std::this_thread::sleep_for(1ms);
    }
}

inline bool within(Clock::time_point since, Clock::duration least, Clock::duration most)
{
    auto taken = Clock::now() - since;
    return taken >= least && taken < most;
}

#endif
