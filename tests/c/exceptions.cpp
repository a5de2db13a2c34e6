// The C++ face where exceptions are on: one that leaves a partitioner refuses the record and goes no further.
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <ottla.hpp>

#define CHECK(condition)                                                                            \
    do {                                                                                            \
        if (!(condition)) {                                                                         \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                    \
            std::exit(1);                                                                           \
        }                                                                                           \
    } while (0)

using namespace std::chrono_literals;

int main()
{
    ottla::Config config;
    CHECK(config.set("test.mock.num.brokers", "1"));
    ottla::Callbacks callbacks;
    callbacks.partitioner = [](std::string_view topic, std::optional<std::string_view> key,
                               std::optional<std::string_view> value, std::uint32_t count) {
        CHECK(topic == "t" && value == "v" && count == 4);
        if (!key)
            throw std::runtime_error("no key");
        return static_cast<std::int32_t>(key->size());
    };
    auto producer = ottla::Producer::open(config, callbacks);
    CHECK(producer);
    auto topic = producer->topic("t");
    auto refused = producer->send(*topic, "v");
    CHECK(!refused && refused.error().code() == OTTLA_ERROR_ARGUMENT);
    CHECK(producer->send(*topic, "ab", "v"));
    auto deliveries = producer->poll(20s);
    CHECK(deliveries && deliveries->size() == 1 && deliveries->front().partition == 2);

    // Parked: it is asked on the sender thread.
    auto cluster = producer->mock_cluster();
    CHECK(cluster && cluster->set_delay(-1, 3, 200ms));
    ottla::Record record;
    record.value = "v";
    auto other = ottla::Producer::open(config, callbacks);
    CHECK(other && other->mock_cluster()->set_delay(-1, 3, 200ms));
    CHECK(other->send(*other->topic("t"), record, OTTLA_SEND_NO_WAIT));
    deliveries = other->poll(20s);
    CHECK(deliveries && deliveries->size() == 1 && deliveries->front().status == OTTLA_ERROR_ARGUMENT);
    return 0;
}
