// As produce.c, with the C++ face: one thread sends, another one polls for reports.
//
//     produce BOOTSTRAP TOPIC COUNT RATE REPORT_FILE [SETTING=VALUE...]
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <ottla.hpp>

#include "formula.h"

namespace {

using std::chrono::seconds;

[[noreturn]] void end(std::string_view what, const ottla::Error &error)
{
    std::cerr << what << ": " << error.name() << ": " << error.message() << '\n';
    std::exit(2);
}

void must(const ottla::Result<void> &result, std::string_view what)
{
    if (!result)
        end(what, result.error());
}

std::optional<std::string_view> view(const unsigned char *bytes, std::size_t length)
{
    if (bytes == nullptr)
        return std::nullopt;
    return std::string_view(reinterpret_cast<const char *>(bytes), length);
}

ottla::Producer open(char **arguments, int count)
{
    ottla::Config config;
    must(config.set("bootstrap.servers", arguments[1]), arguments[1]);
    for (int i = 6; i < count; i++) {
        std::string_view setting = arguments[i];
        auto equals = setting.find('=');
        must(config.set(setting.substr(0, equals), setting.substr(equals + 1)), setting);
    }
    auto producer = ottla::Producer::open(config, [](std::int32_t level, std::string_view line) {
        if (level <= OTTLA_LOG_WARNING)
            std::cerr << line << '\n';
    });
    if (!producer)
        end("producer", producer.error());
    must(producer->wait_ready(seconds(30)), "wait_ready");
    return std::move(*producer);
}

// Writes down every report until the producer is closed and none is left.
void take_reports(ottla::Producer &producer, std::ofstream &out)
{
    while (auto some = producer.poll(seconds(1), 10000))
        for (const ottla_delivery_t &delivery : *some) {
            out << delivery.token << ' ' << delivery.status << ' ' << delivery.persistence << ' '
                << delivery.partition << ' ' << delivery.offset << '\n';
            if (delivery.status != OTTLA_ERROR_NONE)
                std::cerr << "input " << delivery.token << ": " << producer.message(delivery)
                          << '\n';
        }
}

ottla::Result<void> send(ottla::Producer &producer, ottla::Topic topic, std::uint64_t number)
{
    formula_record source;
    formula_make(number, &source);
    ottla::Record record;
    record.key = view(source.key, source.key_bytes);
    record.value = view(source.value, source.value_bytes);
    for (std::size_t i = 0; i < source.header_count; i++)
        record.headers.push_back({source.headers[i].name,
                                  view(source.headers[i].value, source.headers[i].value_bytes)});
    record.timestamp_ms = source.timestamp_ms;
    record.token = number;
    return producer.send(topic, record);
}

// Records that were not taken, and why. Keeps to `rate` records per second unless it is 0.
std::vector<std::pair<std::uint64_t, std::int32_t>>
send_all(ottla::Producer &producer, ottla::Topic topic, std::uint64_t count, double rate)
{
    std::vector<std::pair<std::uint64_t, std::int32_t>> refused;
    auto begun = std::chrono::steady_clock::now();
    for (std::uint64_t number = 0; number < count; number++) {
        if (rate > 0 && number % 64 == 0)
            std::this_thread::sleep_until(
                begun + std::chrono::microseconds(
                            static_cast<std::int64_t>(static_cast<double>(number) / rate * 1e6)));
        auto sent = send(producer, topic, number);
        if (!sent)
            refused.emplace_back(number, sent.error().code());
    }
    return refused;
}

} // namespace

int main(int argc, char **argv)
{
    if (argc < 6) {
        std::cerr << "usage: " << argv[0]
                  << " BOOTSTRAP TOPIC COUNT RATE REPORT_FILE [SETTING=VALUE...]\n";
        return 2;
    }
    const std::uint64_t count = std::strtoull(argv[3], nullptr, 10);
    std::ofstream out(argv[5]);
    formula_begin();
    ottla::Producer producer = open(argv, argc);
    auto topic = producer.topic(argv[2]);
    if (!topic)
        end(argv[2], topic.error());

    std::thread reports(take_reports, std::ref(producer), std::ref(out));
    auto refused = send_all(producer, *topic, count, std::strtod(argv[4], nullptr));
    must(producer.close(seconds(200)), "close");
    reports.join();

    for (const auto &[number, code] : refused)
        out << number << " refused " << code << '\n';
    out << "end " << count - refused.size() << '\n';
    out.close();
    return out ? 0 : 2;
}
