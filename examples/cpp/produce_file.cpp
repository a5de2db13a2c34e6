// Produces a file, line by line, and shows what became of the lines.
//
//     produce_file FILE [BOOTSTRAP_SERVERS]
//
// Each line becomes a record: its number is the key, and a header says which file it comes from. Without servers it
// runs on the cluster that is embedded in the library, reads the topic back and compares it with the file,
// byte for byte. The exit code is 0 only if every line was stored (and, read back, is the same).
//
//     c++ -std=c++17 produce_file.cpp $(pkg-config --cflags --libs ottla) -o produce_file
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include <ottla.hpp>

namespace {

constexpr const char *topic_name = "lines";
constexpr std::size_t shown = 5;

// The lines of a file, each with its newline.
std::vector<std::string> lines_of(const std::string &bytes)
{
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < bytes.size();) {
        auto newline = bytes.find('\n', at);
        auto end = newline == std::string::npos ? bytes.size() : newline + 1;
        lines.push_back(bytes.substr(at, end - at));
        at = end;
    }
    return lines;
}

int fail(const char *what, const ottla::Error &error)
{
    std::cerr << what << ": " << error.name() << ": " << error.message() << '\n';
    return 1;
}

// What the delivery callback has counted. It runs on a thread of the library; flush() returns after its last
// call, so that the main thread may then look.
struct Outcome {
    std::size_t reports = 0, stored = 0, failed = 0;

    void count(const ottla::Reports &some)
    {
        for (const ottla_report_t &report : some) {
            if (reports++ < shown)
                std::printf("report: partition %d, %zu records from offset %lld, %s, %.1f ms\n",
                            report.partition, report.count,
                            static_cast<long long>(report.base_offset),
                            ottla_error_name(report.status),
                            static_cast<double>(report.latency_us) / 1000);
            (report.status == 0 ? stored : failed) += report.count;
            if (report.status != 0)
                std::cerr << "failed, the first is line " << report.tokens[0] + 1 << ": "
                          << ottla::message(report) << '\n';
        }
    }
};

// Whether the embedded cluster holds every line once, as it was sent.
bool same(const ottla::MockCluster &cluster, const std::vector<std::string> &lines)
{
    std::vector<bool> seen(lines.size());
    std::size_t found = 0;
    auto partitions = cluster.partition_count(topic_name);
    for (std::size_t p = 0; partitions && p < *partitions; p++) {
        auto records = cluster.records(topic_name, static_cast<std::int32_t>(p));
        if (!records) {
            std::cerr << "read back: " << records.error().message() << '\n';
            return false;
        }
        for (const ottla::StoredRecord &record : *records) {
            auto n = std::stoull(record.key.value_or("0")) - 1;
            if (n >= lines.size() || seen[n] || record.value != lines[n])
                return false;
            seen[n] = true;
            found++;
        }
    }
    return found == lines.size();
}

} // namespace

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 3) {
        std::cerr << "usage: " << argv[0] << " FILE [BOOTSTRAP_SERVERS]\n";
        return 2;
    }
    const bool embedded = argc == 2;
    std::ifstream file(argv[1], std::ios::binary);
    if (!file) {
        std::cerr << argv[1] << ": cannot be read\n";
        return 1;
    }
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const auto lines = lines_of(bytes);

    ottla::Config config;
    auto set = embedded ? config.set("test.mock.num.brokers", "3")
                        : config.set("bootstrap.servers", argv[2]);
    if (!set)
        return fail("settings", set.error());
    Outcome outcome;
    auto producer = ottla::Producer::open(
        config, [&outcome](const ottla::Reports &reports) { outcome.count(reports); });
    if (!producer)
        return fail("producer", producer.error());
    if (auto ready = producer->wait_ready(std::chrono::seconds(30)); !ready)
        return fail("no cluster", ready.error());
    auto topic = producer->topic(topic_name);
    if (!topic)
        return fail("topic", topic.error());

    for (std::size_t n = 0; n < lines.size(); n++) {
        const auto key = std::to_string(n + 1);
        ottla::Record record;
        record.key = key;
        record.value = lines[n];
        record.headers = {{"file", argv[1]}};
        record.token = n;
        // Waits for room when the producer has no more memory for records.
        if (auto sent = producer->send(*topic, record); !sent)
            return fail("send", sent.error());
    }
    if (auto flushed = producer->flush(); !flushed)
        return fail("flush", flushed.error());

    std::printf("%zu lines: %zu stored, %zu failed, in %zu reports\n", lines.size(), outcome.stored,
                outcome.failed, outcome.reports);
    bool good = outcome.stored == lines.size();
    if (embedded) {
        auto cluster = producer->mock_cluster();
        if (!cluster)
            return fail("embedded cluster", cluster.error());
        good = good && same(*cluster, lines);
        std::printf("read back: %s\n", good ? "the same, byte for byte" : "NOT the same");
    }
    return good ? 0 : 1;
}
