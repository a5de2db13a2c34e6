// The C++ face where exceptions are on: one that leaves a partitioner refuses the record and goes no further; one that
// leaves another callback ends the program. C40.
#include <cstdio>
#include <cstdlib>
#include <csignal>
#include <stdexcept>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ottla.hpp>

#include "check.h"

using namespace std::chrono_literals;

// std::terminate, at once, with nothing thrown through the library.
static void a_delivery_callback_that_throws(const ottla::Config &config)
{
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(30);
        rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        std::set_terminate([] { _exit(77); });
        auto producer = ottla::Producer::open(
            config, [](const ottla::Reports &) { throw std::runtime_error("of a callback"); });
        CHECK(producer && producer->send(*producer->topic("t"), "v"));
        (void)producer->flush();
        _exit(1);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 77);
}

int main()
{
    ottla::Config config;
    CHECK(config.set("test.mock.num.brokers", "1"));
    a_delivery_callback_that_throws(config); // before there are threads
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
    // The others are reported, each once.
    for (std::uint64_t n = 0; n < 100; n++)
        CHECK(bool(producer->send(*topic, n % 10 == 5 ? std::nullopt : std::optional<std::string_view>("k"), "v", n))
              == (n % 10 != 5));
    CHECK(producer->flush(20s));
    std::uint64_t sum = 0;
    for (const auto &report : *producer->poll(20s))
        sum += report.status == 0 ? 1 : 1000;
    CHECK(sum == 90);

    // Parked: it is asked on the sender thread.
    auto cluster = producer->mock_cluster();
    CHECK(cluster && cluster->set_delay(-1, 3, 2s));
    ottla::Record record;
    record.value = "v";
    auto other = ottla::Producer::open(config, callbacks);
    CHECK(other && other->mock_cluster()->set_delay(-1, 3, 2s));
    CHECK(other->send(*other->topic("t"), record, OTTLA_SEND_NO_WAIT));
    deliveries = other->poll(20s);
    CHECK(deliveries && deliveries->size() == 1 && deliveries->front().status == OTTLA_ERROR_ARGUMENT);
    conforms("C40");
    return 0;
}
