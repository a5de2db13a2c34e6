/*
 * ottla for C++17: a thin, header-only face of ottla.h.                  SPDX-License-Identifier: Apache-2.0
 *
 *     #include <ottla.hpp>
 *
 *     ottla::Config config;
 *     config.set("bootstrap.servers", "localhost:9092");
 *     auto producer = ottla::Producer::open(config);
 *     if (!producer) { std::cerr << producer.error().message() << '\n'; return 1; }
 *     auto topic = producer->topic("greetings");
 *     if (!topic) { std::cerr << topic.error().message() << '\n'; return 1; }
 *     producer->send(*topic, "hello", 1);
 *     auto deliveries = producer->poll(std::chrono::seconds(30));
 *
 * Objects own what they stand for, can be moved and not copied, and free it at the end of their life. Nothing
 * throws and nothing needs RTTI: what can fail gives a Result, which is true when it holds a value. What ottla.h says
 * of threads, callbacks and fork holds here, too. A moved-from object answers OTTLA_ERROR_HANDLE.
 */
#ifndef OTTLA_HPP
#define OTTLA_HPP

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ottla.h"

namespace ottla {

/** Why something failed. */
class Error {
public:
    Error(std::int32_t code, std::string message)
        : Error(code, std::move(message), ottla_error_flags(code))
    {
    }

    /** Takes over an error object of the C interface, or the last text of this thread if it is NULL. */
    static Error take(std::int32_t status, ottla_error_t *error)
    {
        if (error == nullptr) {
            std::string text(ottla_last_error_message(nullptr, 0) + 1, '\0');
            ottla_last_error_message(&text[0], text.size());
            text.pop_back();
            return Error(status, std::move(text));
        }
        /* What is to be done may be another thing than for the code alone: in a transaction more is abortable. */
        std::uint32_t flags = ottla_error_flags(status) & OTTLA_ERROR_FLAG_CONFIGURATION;
        if (ottla_error_is_retriable(error))
            flags |= OTTLA_ERROR_FLAG_RETRIABLE;
        if (ottla_error_is_abortable(error))
            flags |= OTTLA_ERROR_FLAG_ABORTABLE;
        if (ottla_error_is_fatal(error))
            flags |= OTTLA_ERROR_FLAG_FATAL;
        Error taken(ottla_error_code(error), ottla_error_message(error), flags);
        ottla_error_free(error);
        return taken;
    }

    /** OTTLA_ERROR_... */
    std::int32_t code() const noexcept { return code_; }
    /** "QUEUE_FULL", say. */
    const char *name() const noexcept { return ottla_error_name(code_); }
    /** What happened, for people. */
    const std::string &message() const noexcept { return message_; }
    /** Whether the same call may succeed later. */
    bool is_retriable() const noexcept { return (flags_ & OTTLA_ERROR_FLAG_RETRIABLE) != 0; }
    /** Whether the transaction must be aborted, after which the producer can go on. */
    bool is_abortable() const noexcept { return (flags_ & OTTLA_ERROR_FLAG_ABORTABLE) != 0; }
    /** Whether the producer must be closed. */
    bool is_fatal() const noexcept { return (flags_ & OTTLA_ERROR_FLAG_FATAL) != 0; }

private:
    Error(std::int32_t code, std::string message, std::uint32_t flags)
        : code_(code), flags_(flags), message_(std::move(message))
    {
    }

    std::int32_t code_;
    std::uint32_t flags_;
    std::string message_;
};

/** A value, or why there is none. Look before you take: there are no exceptions. */
template <class T> class [[nodiscard]] Result {
public:
    Result(T value) : value_(std::move(value)) {}
    Result(Error error) : error_(std::move(error)) {}

    explicit operator bool() const noexcept { return value_.has_value(); }
    T &operator*() & noexcept { return *value_; }
    const T &operator*() const & noexcept { return *value_; }
    /** Of a result that nobody keeps: by value, so that a loop over *producer.poll(...) has something to loop over. */
    T operator*() && { return std::move(*value_); }
    T *operator->() noexcept { return &*value_; }
    const T *operator->() const noexcept { return &*value_; }
    /** Only when it holds no value. */
    const Error &error() const noexcept { return *error_; }

private:
    std::optional<T> value_;
    std::optional<Error> error_;
};

/** Success, or why not. */
template <> class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}

    explicit operator bool() const noexcept { return !error_.has_value(); }
    /** Only when it failed. */
    const Error &error() const noexcept { return *error_; }

private:
    std::optional<Error> error_;
};

namespace detail {

inline Result<void> result(std::int32_t status, ottla_error_t *error = nullptr)
{
    if (status == 0)
        return {};
    return Error::take(status, error);
}

/** Makes a call that gives an error object. (As two arguments of result() the error might be looked at before the
 * call was made.) */
template <class Call> Result<void> attempt(Call call)
{
    ottla_error_t *error = nullptr;
    std::int32_t status = call(&error);
    return result(status, error);
}

/** A handle and the function that frees it. */
template <class T, std::int32_t (*Free)(T *)> struct Freed {
    void operator()(T *handle) const noexcept { Free(handle); }
};

template <class T, std::int32_t (*Free)(T *)> using Handle = std::unique_ptr<T, Freed<T, Free>>;

/** Null is nullopt or nullptr; anything else, even if empty, points somewhere. */
inline const void *pointer(const std::optional<std::string_view> &bytes) noexcept
{
    if (!bytes)
        return nullptr;
    return bytes->data() != nullptr ? bytes->data() : "";
}

inline std::size_t length(const std::optional<std::string_view> &bytes) noexcept
{
    return bytes ? bytes->size() : 0;
}

inline std::optional<std::string_view> view(const void *bytes, std::size_t len) noexcept
{
    if (bytes == nullptr)
        return std::nullopt;
    return std::string_view(static_cast<const char *>(bytes), len);
}

} // namespace detail

/** No limit for a wait. */
inline constexpr std::chrono::milliseconds forever{-1};

/** How long to wait: any duration. Below 0 there is no limit, and none in centuries. Rounded up to milliseconds: a
 * short wait is not no wait. */
class Timeout {
public:
    template <class Rep, class Period>
    Timeout(std::chrono::duration<Rep, Period> time) noexcept
    {
        /* Not cast to a finer unit first: seconds::max() would overflow. */
        double ms = std::chrono::duration<double, std::milli>(time).count();
        if (ms >= 0 && ms < 1e15) {
            ms_ = static_cast<std::int64_t>(ms);
            ms_ += static_cast<double>(ms_) < ms ? 1 : 0;
        }
    }

    /** As the C interface wants it. */
    std::int64_t milliseconds() const noexcept { return ms_; }

private:
    std::int64_t ms_ = -1;
};

/** Settings for producers. */
class Config {
public:
    Config() noexcept
    {
        ottla_config_t *handle = nullptr;
        ottla_config_new(&handle);
        handle_.reset(handle);
    }

    /** Sets one setting by its name in Kafka's or librdkafka's spelling. */
    Result<void> set(std::string_view key, std::string_view value)
    {
        return detail::attempt([&](ottla_error_t **error) {
            return ottla_config_set(handle_.get(), key.data(), key.size(), value.data(),
                                    value.size(), error);
        });
    }

    /** The value of a setting, or its default. */
    Result<std::string> get(std::string_view key) const
    {
        std::size_t len = 0;
        auto status = ottla_config_get(get(), key.data(), key.size(), nullptr, 0, &len);
        if (status != 0)
            return Error::take(status, nullptr);
        std::string text(len + 1, '\0');
        status = ottla_config_get(get(), key.data(), key.size(), &text[0], text.size(), &len);
        if (status != 0 && status != OTTLA_ERROR_TRUNCATED)
            return Error::take(status, nullptr);
        text.resize(len < text.size() ? len : text.size() - 1);
        return text;
    }

    /** For calls of ottla.h. */
    ottla_config_t *get() const noexcept { return handle_.get(); }

private:
    detail::Handle<ottla_config_t, ottla_config_free> handle_;
};

/** A name and a value that travel with a record. */
struct Header {
    std::string_view key;
    std::optional<std::string_view> value;
};

/** A record to send, or one read back; borrows its bytes. nullopt is null, which is not the same as empty. */
struct Record {
    std::optional<std::string_view> key = std::nullopt;
    std::optional<std::string_view> value = std::nullopt;
    std::vector<Header> headers = {};
    std::int32_t partition = OTTLA_PARTITION_ANY;
    std::int64_t timestamp_ms = OTTLA_TIMESTAMP_NOW;
    /** Comes back in the report. */
    std::uint64_t token = 0;
};

/** The number of a topic within one producer. */
struct Topic {
    std::uint32_t id;
};

/** A record of the embedded cluster: copies of its bytes. */
struct StoredRecord {
    std::int64_t offset;
    std::int64_t timestamp_ms;
    std::optional<std::string> key;
    std::optional<std::string> value;
    std::vector<std::pair<std::string, std::optional<std::string>>> headers;
};

/** A broker as the cluster names it. */
struct Broker {
    std::int32_t id;
    std::string host;
    std::uint16_t port;
    std::optional<std::string> rack;
};

/** A partition: its leader (-1: none), the leader's epoch (-1: unknown), its error (0: none), and the brokers that have
 * it. */
struct PartitionMetadata {
    std::int32_t leader;
    std::int32_t leader_epoch;
    std::int32_t error;
    std::vector<std::int32_t> replicas;
    std::vector<std::int32_t> in_sync;
};

/** A topic: its id is all 0 when unknown; its error 0 when there is none. */
struct TopicMetadata {
    std::string name;
    std::array<std::uint8_t, 16> id;
    std::int32_t error;
    std::vector<PartitionMetadata> partitions;
};

/** The cluster at one moment; topics in the order of their names. */
struct Metadata {
    std::string cluster_id;
    /** -1 when it is not known. */
    std::int32_t controller;
    std::vector<Broker> brokers;
    std::vector<TopicMetadata> topics;
};

namespace detail {

inline PartitionMetadata copy_partition(const ottla_metadata_t *metadata, std::size_t topic,
                                        std::int32_t partition)
{
    PartitionMetadata copied{-1, -1, 0, {}, {}};
    const std::int32_t *replicas = nullptr, *in_sync = nullptr;
    std::size_t replica_count = 0, in_sync_count = 0;
    ottla_metadata_partition(metadata, topic, partition, &copied.leader, &copied.leader_epoch,
                             &copied.error);
    ottla_metadata_replicas(metadata, topic, partition, &replicas, &replica_count, &in_sync,
                            &in_sync_count);
    copied.replicas.assign(replicas, replicas + replica_count);
    copied.in_sync.assign(in_sync, in_sync + in_sync_count);
    return copied;
}

/** Copies a snapshot of the C interface, and frees it. */
inline Metadata copy_metadata(ottla_metadata_t *handle)
{
    Handle<ottla_metadata_t, ottla_metadata_free> owned(handle);
    Metadata copied{ottla_metadata_cluster_id(handle), ottla_metadata_controller(handle), {}, {}};
    for (std::size_t at = 0; at < ottla_metadata_broker_count(handle); at++) {
        Broker broker{-1, {}, 0, std::nullopt};
        const char *host = "", *rack = nullptr;
        ottla_metadata_broker(handle, at, &broker.id, &host, &broker.port, &rack);
        broker.host = host;
        if (rack != nullptr)
            broker.rack = rack;
        copied.brokers.push_back(std::move(broker));
    }
    for (std::size_t at = 0; at < ottla_metadata_topic_count(handle); at++) {
        TopicMetadata topic{{}, {}, 0, {}};
        const char *name = "";
        std::size_t partitions = 0;
        ottla_metadata_topic(handle, at, &name, topic.id.data(), &topic.error, &partitions);
        topic.name = name;
        for (std::size_t number = 0; number < partitions; number++)
            topic.partitions.push_back(
                copy_partition(handle, at, static_cast<std::int32_t>(number)));
        copied.topics.push_back(std::move(topic));
    }
    return copied;
}

} // namespace detail

/** What a reader wants to see of transactions. */
enum class Isolation : std::int32_t {
    read_uncommitted = OTTLA_ISOLATION_READ_UNCOMMITTED,
    read_committed = OTTLA_ISOLATION_READ_COMMITTED,
};

/** The embedded cluster: one of its own, or the one of a producer with test.mock.num.brokers. */
class MockCluster {
public:
    /** Starts a cluster of so many brokers on loopback. */
    static Result<MockCluster> start(std::uint32_t brokers)
    {
        ottla_mock_cluster_t *handle = nullptr;
        ottla_error_t *error = nullptr;
        auto status = ottla_mock_cluster_new(brokers, &handle, &error);
        if (status != 0)
            return Error::take(status, error);
        MockCluster cluster(handle);
        cluster.owned_.reset(handle);
        return cluster;
    }

    /** What to set bootstrap.servers to. */
    std::string bootstrap_servers() const { return ottla_mock_cluster_bootstrap_servers(get()); }

    Result<void> create_topic(std::string_view topic, std::uint32_t partitions,
                              std::uint32_t replication = 1)
    {
        return detail::result(ottla_mock_cluster_create_topic(get(), topic.data(), topic.size(),
                                                              partitions, replication));
    }

    Result<std::size_t> partition_count(std::string_view topic) const
    {
        std::size_t count = 0;
        auto status = ottla_mock_cluster_partition_count(get(), topic.data(), topic.size(), &count);
        if (status != 0)
            return Error::take(status, nullptr);
        return count;
    }

    Result<void> broker_down(std::int32_t broker)
    {
        return detail::result(ottla_mock_cluster_broker_down(get(), broker));
    }

    Result<void> broker_up(std::int32_t broker)
    {
        return detail::result(ottla_mock_cluster_broker_up(get(), broker));
    }

    /** Gives a partition to another leader; -1: to none. */
    Result<void> set_leader(std::string_view topic, std::int32_t partition, std::int32_t broker)
    {
        return detail::result(ottla_mock_cluster_set_leader(get(), topic.data(), topic.size(),
                                                            partition, broker));
    }

    /** The next requests of an API (Kafka's key: 0 is Produce, 3 Metadata) are refused with these codes, one each. */
    Result<void> push_errors(std::int16_t api_key, const std::vector<std::int32_t> &codes)
    {
        return detail::result(
            ottla_mock_cluster_push_errors(get(), api_key, codes.data(), codes.size()));
    }

    /** Holds every answer of a broker (-1: of all) to an API (-1: to all) back for so long; 0 ends that. */
    Result<void> set_delay(std::int32_t broker, std::int16_t api_key, std::chrono::milliseconds delay)
    {
        auto ms = delay.count() < 0 ? 0 : static_cast<std::uint64_t>(delay.count());
        return detail::result(ottla_mock_cluster_set_delay(get(), broker, api_key, ms));
    }

    /** Forgets every error and delay that was ordered. */
    Result<void> clear_faults() { return detail::result(ottla_mock_cluster_clear_faults(get())); }

    /** How many requests of an API have arrived at a broker (-1: at all). */
    Result<std::uint64_t> request_count(std::int32_t broker, std::int16_t api_key) const
    {
        std::uint64_t count = 0;
        auto status = ottla_mock_cluster_request_count(get(), broker, api_key, &count);
        if (status != 0)
            return Error::take(status, nullptr);
        return count;
    }

    /** The offset that the next record of a partition will get. */
    Result<std::int64_t> end_offset(std::string_view topic, std::int32_t partition) const
    {
        std::int64_t offset = 0;
        auto status = ottla_mock_cluster_end_offset(get(), topic.data(), topic.size(), partition,
                                                    &offset);
        if (status != 0)
            return Error::take(status, nullptr);
        return offset;
    }

    /** The next batches of a partition are answered with these codes, one each. */
    Result<void> push_partition_errors(std::string_view topic, std::int32_t partition,
                                       const std::vector<std::int32_t> &codes)
    {
        return detail::result(ottla_mock_cluster_push_partition_errors(
            get(), topic.data(), topic.size(), partition, codes.data(), codes.size()));
    }

    /** The records that a consumer of this isolation would get from a partition. */
    Result<std::vector<StoredRecord>>
    records(std::string_view topic, std::int32_t partition,
            Isolation isolation = Isolation::read_uncommitted) const
    {
        ottla_mock_records_t *handle = nullptr;
        ottla_error_t *error = nullptr;
        auto status = ottla_mock_cluster_records_isolated(
            get(), topic.data(), topic.size(), partition, static_cast<std::int32_t>(isolation),
            &handle, &error);
        if (status != 0)
            return Error::take(status, error);
        detail::Handle<ottla_mock_records_t, ottla_mock_records_free> records(handle);
        std::vector<StoredRecord> all;
        all.reserve(ottla_mock_records_count(handle));
        for (std::size_t i = 0; i < ottla_mock_records_count(handle); i++) {
            ottla_record_t record = OTTLA_RECORD_INIT;
            std::int64_t offset = -1;
            status = ottla_mock_records_at(handle, i, &record, &offset);
            if (status != 0)
                return Error::take(status, nullptr);
            all.push_back(copy(record, offset));
        }
        return all;
    }

    /** The offset that a consumer group has committed for a partition, or -1. */
    Result<std::int64_t> committed_offset(std::string_view group, std::string_view topic,
                                          std::int32_t partition) const
    {
        std::int64_t offset = -1;
        auto status = ottla_mock_cluster_committed_offset(get(), group.data(), group.size(),
                                                          topic.data(), topic.size(), partition,
                                                          &offset);
        if (status != 0)
            return Error::take(status, nullptr);
        return offset;
    }

    /** Makes the brokers as old as those of a Kafka release: "2.8". */
    Result<void> set_kafka_version(std::string_view release)
    {
        return detail::result(
            ottla_mock_cluster_set_kafka_version(get(), release.data(), release.size()));
    }

    /** Finalizes another transaction.version: 0 to 2, or -1 for a cluster that does not know it. */
    Result<void> set_transaction_version(std::int32_t level)
    {
        return detail::result(ottla_mock_cluster_set_transaction_version(get(), level));
    }

    /** How long after the end of a transaction its markers are written. */
    Result<void> set_marker_delay(std::chrono::milliseconds delay)
    {
        auto ms = delay.count() < 0 ? 0 : static_cast<std::uint64_t>(delay.count());
        return detail::result(ottla_mock_cluster_set_marker_delay(get(), ms));
    }

    MockCluster(MockCluster &&other) noexcept
        : handle_(std::exchange(other.handle_, nullptr)), owned_(std::move(other.owned_))
    {
    }

    MockCluster &operator=(MockCluster &&other) noexcept
    {
        handle_ = std::exchange(other.handle_, nullptr);
        owned_ = std::move(other.owned_);
        return *this;
    }

    /** For calls of ottla.h. */
    ottla_mock_cluster_t *get() const noexcept { return handle_; }

private:
    friend class Producer;

    explicit MockCluster(ottla_mock_cluster_t *handle) noexcept : handle_(handle) {}

    static std::optional<std::string> copy(const void *bytes, std::size_t len)
    {
        auto found = detail::view(bytes, len);
        return found ? std::optional<std::string>(*found) : std::nullopt;
    }

    static StoredRecord copy(const ottla_record_t &record, std::int64_t offset)
    {
        StoredRecord stored{offset, record.timestamp_ms, copy(record.key, record.key_len),
                            copy(record.value, record.value_len), {}};
        for (std::size_t h = 0; h < record.header_count; h++) {
            const ottla_header_t &header = record.headers[h];
            stored.headers.emplace_back(std::string(header.key, header.key_len),
                                        copy(header.value, header.value_len));
        }
        return stored;
    }

    ottla_mock_cluster_t *handle_;
    detail::Handle<ottla_mock_cluster_t, ottla_mock_cluster_free> owned_;
};

/** The reports that a delivery callback gets: lent for the length of the call. */
class Reports {
public:
    Reports(const ottla_report_t *first, std::size_t count, std::size_t stride) noexcept
        : first_(first), count_(count), stride_(stride)
    {
    }

    class Iterator {
    public:
        Iterator(const Reports *reports, std::size_t index) noexcept
            : reports_(reports), index_(index)
        {
        }
        const ottla_report_t &operator*() const noexcept { return (*reports_)[index_]; }
        const ottla_report_t *operator->() const noexcept { return &(*reports_)[index_]; }
        Iterator &operator++() noexcept
        {
            ++index_;
            return *this;
        }
        bool operator!=(const Iterator &other) const noexcept { return index_ != other.index_; }

    private:
        const Reports *reports_;
        std::size_t index_;
    };

    std::size_t size() const noexcept { return count_; }
    const ottla_report_t &operator[](std::size_t index) const noexcept
    {
        return *ottla_report_at(first_, stride_, index);
    }
    Iterator begin() const noexcept { return Iterator(this, 0); }
    Iterator end() const noexcept { return Iterator(this, count_); }

private:
    const ottla_report_t *first_;
    std::size_t count_, stride_;
};

/** Takes reports on a thread of the library; may send, but neither flush nor close. If it throws: std::terminate. */
using OnDelivery = std::function<void(const Reports &)>;

/** Takes lines of the log on threads of the library. If it throws: std::terminate. */
using OnLog = std::function<void(std::int32_t level, std::string_view text)>;

/**
 * Chooses a partition of 0 to partition_count - 1 for records sent with OTTLA_PARTITION_ANY; any other number
 * refuses the record with OTTLA_ERROR_ARGUMENT, and so does an exception. Called on the threads that send, several
 * at a time, and on the sender thread for parked records: see ottla_partitioner_fn. nullopt is null.
 */
using Partitioner = std::function<std::int32_t(
    std::string_view topic, std::optional<std::string_view> key,
    std::optional<std::string_view> value, std::uint32_t partition_count)>;

/** A record that is being sent, as an interceptor sees it; lent for the call of on_send. */
class Intercepted {
public:
    explicit Intercepted(ottla_intercepted_t *handle) noexcept : handle_(handle) {}

    /** Name of its topic. */
    Result<std::string_view> topic() const
    {
        const char *name = nullptr;
        ottla_record_t plain = OTTLA_RECORD_INIT;
        auto status = ottla_intercepted_get(handle_, &plain, &name);
        if (status != 0)
            return Error::take(status, nullptr);
        return std::string_view(name);
    }

    /** The record as it is now; what it borrows is good until the record is changed or the call ends. */
    Result<Record> record() const
    {
        ottla_record_t plain = OTTLA_RECORD_INIT;
        auto status = ottla_intercepted_get(handle_, &plain, nullptr);
        if (status != 0)
            return Error::take(status, nullptr);
        Record record;
        record.key = detail::view(plain.key, plain.key_len);
        record.value = detail::view(plain.value, plain.value_len);
        record.timestamp_ms = plain.timestamp_ms;
        record.headers.reserve(plain.header_count);
        for (std::size_t at = 0; at < plain.header_count; at++) {
            const ottla_header_t &header = plain.headers[at];
            record.headers.push_back({std::string_view(header.key, header.key_len),
                                      detail::view(header.value, header.value_len)});
        }
        return record;
    }

    /** Replaces the key; nullopt is null. The bytes are copied, here and below. */
    Result<void> set_key(std::optional<std::string_view> key)
    {
        return detail::result(
            ottla_intercepted_set_key(handle_, detail::pointer(key), detail::length(key)));
    }

    /** Replaces the value; nullopt is null. */
    Result<void> set_value(std::optional<std::string_view> value)
    {
        return detail::result(
            ottla_intercepted_set_value(handle_, detail::pointer(value), detail::length(value)));
    }

    /** Replaces the time: milliseconds since 1970, or OTTLA_TIMESTAMP_NOW. */
    Result<void> set_timestamp_ms(std::int64_t timestamp_ms)
    {
        return detail::result(ottla_intercepted_set_timestamp(handle_, timestamp_ms));
    }

    /** Adds a header behind the others. */
    Result<void> add_header(std::string_view key, std::optional<std::string_view> value)
    {
        return detail::result(ottla_intercepted_add_header(
            handle_, key.data(), key.size(), detail::pointer(value), detail::length(value)));
    }

    /** Removes every header of this name; OTTLA_ERROR_ARGUMENT: there is none. */
    Result<void> remove_headers(std::string_view key)
    {
        return detail::result(ottla_intercepted_remove_headers(handle_, key.data(), key.size()));
    }

private:
    ottla_intercepted_t *handle_;
};

/** Sees, and may change, every record before it is checked and gets its partition, on the threads that send. If it
 * throws: std::terminate. */
using OnSend = std::function<void(Intercepted &)>;

/** Sees every report before the application does, on the sender thread. If it throws: std::terminate. */
using OnAcknowledgement = std::function<void(const ottla_report_t &)>;

/** Takes what happened: see ottla_event_fn. If it throws: std::terminate. */
using OnEvent = std::function<void(const ottla_event_t &, std::string_view text)>;

/** What a producer calls; each may be empty. They live until the producer's end. */
struct Callbacks {
    /** Without it reports wait for Producer::poll(). */
    OnDelivery on_delivery = {};
    OnLog on_log = {};
    /** Without it the setting `partitioner` decides. */
    Partitioner partitioner = {};
    OnSend on_send = {};
    OnAcknowledgement on_acknowledgement = {};
    OnEvent on_event = {};
};

/** What became of a batch send. */
struct Sent {
    /** Records accepted, each of which will be reported. */
    std::size_t accepted = 0;
    /** The first status that is not 0. */
    std::int32_t status = 0;

    explicit operator bool() const noexcept { return status == 0; }
};

/** The error text of a report in a callback. */
inline std::string_view message(const ottla_report_t &report) noexcept
{
    return report.message != nullptr ? std::string_view(report.message, report.message_len)
                                     : std::string_view();
}

/** A consumer group as one of its consumers knows it (KIP-447): see ottla_group_metadata_new. */
class GroupMetadata {
public:
    /** Of a group and its member, as the consumer's own group metadata names them. A consumer that assigns itself
     * partitions has neither generation nor member. */
    static Result<GroupMetadata> of(std::string_view group_id, std::int32_t generation = -1,
                                    std::string_view member_id = {},
                                    std::optional<std::string_view> instance_id = std::nullopt)
    {
        ottla_group_metadata_t *handle = nullptr;
        ottla_error_t *error = nullptr;
        auto status = ottla_group_metadata_new(
            group_id.data(), group_id.size(), generation, member_id.data(), member_id.size(),
            static_cast<const char *>(detail::pointer(instance_id)), detail::length(instance_id),
            &handle, &error);
        if (status != 0)
            return Error::take(status, error);
        return GroupMetadata(handle);
    }

    /** For calls of ottla.h. */
    const ottla_group_metadata_t *get() const noexcept { return handle_.get(); }

private:
    explicit GroupMetadata(ottla_group_metadata_t *handle) noexcept : handle_(handle) {}

    detail::Handle<ottla_group_metadata_t, ottla_group_metadata_free> handle_;
};

/** How far a consumer group has come in one partition; borrows its texts. */
struct GroupOffset {
    std::string_view topic;
    std::int32_t partition = 0;
    /** The next record to read. */
    std::int64_t offset = 0;
    std::optional<std::string_view> metadata = std::nullopt;
    /** -1 when not known. */
    std::int32_t leader_epoch = -1;
};

namespace detail {

inline Result<void> send_offsets(ottla_producer_t *producer, const std::vector<GroupOffset> &offsets,
                                 const GroupMetadata &group, Timeout timeout)
{
    std::vector<ottla_group_offset_t> plain;
    plain.reserve(offsets.size());
    for (const GroupOffset &from : offsets) {
        ottla_group_offset_t offset = OTTLA_GROUP_OFFSET_INIT;
        offset.topic = from.topic.data();
        offset.topic_len = from.topic.size();
        offset.partition = from.partition;
        offset.offset = from.offset;
        offset.metadata = static_cast<const char *>(pointer(from.metadata));
        offset.metadata_len = length(from.metadata);
        offset.leader_epoch = from.leader_epoch;
        plain.push_back(offset);
    }
    return attempt([&](ottla_error_t **error) {
        return ottla_producer_send_offsets_to_transaction(
            producer, plain.data(), plain.size(), sizeof(ottla_group_offset_t), group.get(),
            timeout.milliseconds(), error);
    });
}

} // namespace detail

/**
 * A transaction of a producer, which must live longer: commit it, or it is aborted at the end of its life. One that ends
 * so waits for that as long as Producer::transaction() was told, and tells nobody whether it worked. A commit whose time was
 * over can no longer be aborted: that is waited for instead.
 */
class [[nodiscard]] Transaction {
public:
    /** Has offsets of a consumer group committed with the transaction. */
    Result<void> send_offsets(const std::vector<GroupOffset> &offsets, const GroupMetadata &group,
                              Timeout timeout = forever)
    {
        return detail::send_offsets(producer_, offsets, group, timeout);
    }

    /** Commits. After OTTLA_ERROR_TIMED_OUT call it again; after an abortable error abort(), or let it go. */
    Result<void> commit(Timeout timeout = forever)
    {
        ottla_error_t *error = nullptr;
        auto status = ottla_producer_commit_transaction(producer_, timeout.milliseconds(), &error);
        if (status == 0)
            producer_ = nullptr;
        /* An abortable one is that of a record, whose time was over for good. */
        is_late_ = status == OTTLA_ERROR_TIMED_OUT && !ottla_error_is_abortable(error);
        return detail::result(status, error);
    }

    /** Gives it up. */
    Result<void> abort(Timeout timeout = forever)
    {
        ottla_error_t *error = nullptr;
        auto status = ottla_producer_abort_transaction(producer_, timeout.milliseconds(), &error);
        if (status == 0)
            producer_ = nullptr;
        return detail::result(status, error);
    }

    /** Whether it was neither committed nor aborted yet. */
    bool is_open() const noexcept { return producer_ != nullptr; }

    Transaction(Transaction &&other) noexcept
        : producer_(std::exchange(other.producer_, nullptr)), patience_(other.patience_),
          is_late_(other.is_late_)
    {
    }

    Transaction &operator=(Transaction &&other) noexcept
    {
        if (this != &other) {
            give_up();
            producer_ = std::exchange(other.producer_, nullptr);
            patience_ = other.patience_;
            is_late_ = other.is_late_;
        }
        return *this;
    }

    ~Transaction() { give_up(); }

private:
    friend class Producer;

    Transaction(ottla_producer_t *producer, Timeout patience) noexcept
        : producer_(producer), patience_(patience)
    {
    }

    void give_up() noexcept
    {
        if (producer_ == nullptr)
            return;
        auto patience = patience_.milliseconds();
        if (!is_late_ || ottla_producer_commit_transaction(producer_, patience, nullptr) != 0)
            ottla_producer_abort_transaction(producer_, patience, nullptr);
        producer_ = nullptr;
    }

    ottla_producer_t *producer_;
    Timeout patience_;
    /* A commit was asked for that has no outcome yet. */
    bool is_late_ = false;
};

/** A producer. Closing waits for records; its end of life does not: call close() before it. May not end inside
 * one of its own callbacks. */
class Producer {
public:
    /** Opens a producer whose reports are taken with poll(). */
    static Result<Producer> open(const Config &config, OnLog on_log = {})
    {
        return open(config, OnDelivery(), std::move(on_log));
    }

    /** Opens a producer whose reports go to a function. */
    static Result<Producer> open(const Config &config, OnDelivery on_delivery, OnLog on_log = {})
    {
        Callbacks callbacks;
        callbacks.on_delivery = std::move(on_delivery);
        callbacks.on_log = std::move(on_log);
        return open(config, std::move(callbacks));
    }

    /** Opens a producer with callbacks. */
    static Result<Producer> open(const Config &config, Callbacks functions)
    {
        ottla_callbacks_t callbacks = OTTLA_CALLBACKS_INIT;
        std::unique_ptr<OnDelivery> delivery;
        std::unique_ptr<OnLog> log;
        std::unique_ptr<Partitioner> partitioner;
        if (functions.on_delivery) {
            delivery = std::make_unique<OnDelivery>(std::move(functions.on_delivery));
            callbacks.on_delivery = call_delivery;
            callbacks.delivery_env = delivery.get();
            callbacks.delivery_env_free = free_env<OnDelivery>;
        }
        if (functions.on_log) {
            log = std::make_unique<OnLog>(std::move(functions.on_log));
            callbacks.on_log = call_log;
            callbacks.log_env = log.get();
            callbacks.log_env_free = free_env<OnLog>;
        }
        if (functions.partitioner) {
            partitioner = std::make_unique<Partitioner>(std::move(functions.partitioner));
            callbacks.partitioner = call_partitioner;
            callbacks.partitioner_env = partitioner.get();
            callbacks.partitioner_env_free = free_env<Partitioner>;
        }
        std::unique_ptr<Interceptor> interceptor;
        if (functions.on_send || functions.on_acknowledgement) {
            if (functions.on_send)
                callbacks.on_send = call_send;
            if (functions.on_acknowledgement)
                callbacks.on_acknowledgement = call_acknowledgement;
            interceptor = std::make_unique<Interceptor>(Interceptor{
                std::move(functions.on_send), std::move(functions.on_acknowledgement)});
            callbacks.interceptor_env = interceptor.get();
            callbacks.interceptor_env_free = free_env<Interceptor>;
        }
        std::unique_ptr<OnEvent> event;
        if (functions.on_event) {
            event = std::make_unique<OnEvent>(std::move(functions.on_event));
            callbacks.on_event = call_event;
            callbacks.event_env = event.get();
            callbacks.event_env_free = free_env<OnEvent>;
        }
        ottla_producer_t *handle = nullptr;
        ottla_error_t *error = nullptr;
        auto status = ottla_producer_new(config.get(), &callbacks, &handle, &error);
        if (status != 0)
            return Error::take(status, error);
        // From here on the library owns and frees them.
        (void)delivery.release();
        (void)log.release();
        (void)partitioner.release();
        (void)interceptor.release();
        (void)event.release();
        return Producer(handle);
    }

    /** Registers a topic; the same name gives the same number. */
    Result<Topic> topic(std::string_view name)
    {
        Topic topic{0};
        ottla_error_t *error = nullptr;
        auto status = ottla_producer_topic(get(), name.data(), name.size(), &topic.id, &error);
        if (status != 0)
            return Error::take(status, error);
        return topic;
    }

    /** Sends a value. */
    Result<void> send(Topic topic, std::string_view value, std::uint64_t token = 0)
    {
        return send(topic, std::nullopt, value, token);
    }

    /** Sends a key and a value; nullopt is null. 0 copies but the one into the batch. */
    Result<void> send(Topic topic, std::optional<std::string_view> key,
                      std::optional<std::string_view> value, std::uint64_t token = 0,
                      std::int32_t partition = OTTLA_PARTITION_ANY)
    {
        return detail::result(ottla_producer_send(
            get(), topic.id, partition, detail::pointer(key), detail::length(key),
            detail::pointer(value), detail::length(value), OTTLA_TIMESTAMP_NOW, token));
    }

    /** Sends a whole record; flags: 0 or OTTLA_SEND_NO_WAIT. */
    Result<void> send(Topic topic, const Record &record, std::uint32_t flags = 0)
    {
        std::vector<ottla_header_t> headers;
        append_headers(record, headers);
        auto plain = plain_record(topic, record, headers.data());
        return detail::result(ottla_producer_send_record(get(), &plain, flags));
    }

    /**
     * Sends records in order, cheaper than one by one. Without `statuses` it stops at the first that is refused, whose
     * index is `accepted`; with it each record gets a status of its own (see ottla_producer_send_batch).
     */
    Sent send_batch(Topic topic, const Record *records, std::size_t count,
                    std::vector<std::int32_t> *statuses = nullptr, std::uint32_t flags = 0)
    {
        std::vector<ottla_header_t> headers;
        std::size_t header_count = 0;
        for (std::size_t at = 0; at < count; at++)
            header_count += records[at].headers.size();
        headers.reserve(header_count);
        std::vector<ottla_record_t> plain;
        plain.reserve(count);
        for (std::size_t at = 0; at < count; at++) {
            const ottla_header_t *own = headers.data() + headers.size();
            append_headers(records[at], headers);
            plain.push_back(plain_record(topic, records[at], own));
        }
        if (statuses != nullptr)
            statuses->assign(count, 0);
        Sent sent;
        sent.status = ottla_producer_send_batch(get(), plain.data(), count, sizeof(ottla_record_t),
                                                flags, &sent.accepted,
                                                statuses != nullptr ? statuses->data() : nullptr);
        return sent;
    }

    /** As above. */
    Sent send_batch(Topic topic, const std::vector<Record> &records,
                    std::vector<std::int32_t> *statuses = nullptr, std::uint32_t flags = 0)
    {
        return send_batch(topic, records.data(), records.size(), statuses, flags);
    }

    /** Takes up to `most` reports, waiting for the first; none when the time has passed. */
    Result<std::vector<ottla_delivery_t>> poll(Timeout timeout,
                                               std::size_t most = 1024)
    {
        std::vector<ottla_delivery_t> deliveries(most);
        std::size_t count = 0;
        auto status = ottla_producer_poll(get(), deliveries.data(), most,
                                          timeout.milliseconds(), &count);
        if (status != 0)
            return Error::take(status, nullptr);
        deliveries.resize(count);
        return deliveries;
    }

    /** The error text of a polled report; "" when there is none (any more). */
    std::string message(const ottla_delivery_t &delivery) const
    {
        std::size_t len = 0;
        if (delivery.message == 0
            || ottla_producer_message(get(), delivery.message, nullptr, 0, &len) != 0)
            return std::string();
        std::string text(len + 1, '\0');
        ottla_producer_message(get(), delivery.message, &text[0], text.size(), nullptr);
        text.pop_back();
        return text;
    }

    /** Waits until a broker has answered; fails at once when every broker refuses. */
    Result<void> wait_ready(Timeout timeout)
    {
        return detail::attempt([&](ottla_error_t **error) {
            return ottla_producer_wait_ready(get(), timeout.milliseconds(), error);
        });
    }

    /** Waits until every record accepted so far is reported. */
    Result<void> flush(Timeout timeout = forever)
    {
        return detail::attempt([&](ottla_error_t **error) {
            return ottla_producer_flush(get(), timeout.milliseconds(), error);
        });
    }

    /** Fails records instead of waiting for them: OTTLA_PURGE_... */
    Result<void> purge(std::uint32_t flags)
    {
        return detail::result(ottla_producer_purge(get(), flags));
    }

    /** Takes no more records, waits for the others, ends the threads. */
    Result<void> close(Timeout timeout = forever)
    {
        return detail::attempt([&](ottla_error_t **error) {
            return ottla_producer_close(get(), timeout.milliseconds(), error);
        });
    }

    /** Gets the producer's id from the coordinator of its transactional.id: once, before the first transaction. */
    Result<void> init_transactions(Timeout timeout = forever)
    {
        return detail::attempt([&](ottla_error_t **error) {
            return ottla_producer_init_transactions(get(), timeout.milliseconds(), error);
        });
    }

    /** Begins a transaction that aborts itself unless it is committed; when it has to do so at the end of its life, it
     * waits at most `patience`. */
    Result<Transaction> transaction(Timeout patience = std::chrono::seconds(30))
    {
        auto begun = begin_transaction();
        if (!begun)
            return begun.error();
        return Transaction(get(), patience);
    }

    /** Begins a transaction: what is sent from now on until it ends belongs to it. Does not wait. */
    Result<void> begin_transaction()
    {
        return detail::attempt([&](ottla_error_t **error) {
            return ottla_producer_begin_transaction(get(), error);
        });
    }

    /** Has offsets of a consumer group committed with the transaction. */
    Result<void> send_offsets_to_transaction(const std::vector<GroupOffset> &offsets,
                                             const GroupMetadata &group, Timeout timeout = forever)
    {
        return detail::send_offsets(get(), offsets, group, timeout);
    }

    /** Commits: readers of committed data see all of it, or nothing. After an error that is_abortable() abort; after
     * OTTLA_ERROR_TIMED_OUT make the same call again. */
    Result<void> commit_transaction(Timeout timeout = forever)
    {
        return detail::attempt([&](ottla_error_t **error) {
            return ottla_producer_commit_transaction(get(), timeout.milliseconds(), error);
        });
    }

    /** Gives the transaction up; what was not sent is reported with OTTLA_ERROR_ABORTED. */
    Result<void> abort_transaction(Timeout timeout = forever)
    {
        return detail::attempt([&](ottla_error_t **error) {
            return ottla_producer_abort_transaction(get(), timeout.milliseconds(), error);
        });
    }

    /** Records whose report has not been taken. */
    Result<std::size_t> outstanding() const
    {
        std::size_t count = 0;
        auto status = ottla_producer_outstanding(get(), &count);
        if (status != 0)
            return Error::take(status, nullptr);
        return count;
    }

    /** What the producer knows of the cluster now; only topics that it uses. Does not wait. */
    Result<Metadata> metadata() const
    {
        ottla_metadata_t *handle = nullptr;
        ottla_error_t *error = nullptr;
        auto status = ottla_producer_metadata(get(), &handle, &error);
        if (status != 0)
            return Error::take(status, error);
        return detail::copy_metadata(handle);
    }

    /** As metadata(), but waits until the partitions of a topic are known. */
    Result<Metadata> topic_metadata(Topic topic, Timeout timeout)
    {
        ottla_metadata_t *handle = nullptr;
        ottla_error_t *error = nullptr;
        auto status = ottla_producer_topic_metadata(get(), topic.id, timeout.milliseconds(), &handle,
                                                    &error);
        if (status != 0)
            return Error::take(status, error);
        return detail::copy_metadata(handle);
    }

    /** Asks the cluster for its brokers and for all topics, or for one, also those that the producer does not use. Never
     * creates a topic: one that is not there comes with its error. */
    Result<Metadata> survey(Timeout timeout, std::optional<std::string_view> topic = std::nullopt)
    {
        ottla_metadata_t *handle = nullptr;
        ottla_error_t *error = nullptr;
        const char *name = topic ? static_cast<const char *>(detail::pointer(topic)) : nullptr;
        auto status = ottla_producer_survey(get(), name, detail::length(topic),
                                            timeout.milliseconds(), &handle, &error);
        if (status != 0)
            return Error::take(status, error);
        return detail::copy_metadata(handle);
    }

    /** One metric by name. */
    Result<double> metric(std::string_view name)
    {
        ottla_metrics_t *handle = nullptr;
        ottla_error_t *error = nullptr;
        double value = 0;
        auto status = ottla_producer_metrics(get(), &handle, &error);
        if (status != 0)
            return Error::take(status, error);
        detail::Handle<ottla_metrics_t, ottla_metrics_free> metrics(handle);
        status = ottla_metrics_get(handle, name.data(), name.size(), &value);
        if (status != 0)
            return Error::take(status, nullptr);
        return value;
    }

    /** A descriptor that is readable while reports wait for poll(). Belongs to the producer. */
    Result<std::int32_t> event_fd()
    {
        std::int32_t fd = -1;
        ottla_error_t *error = nullptr;
        auto status = ottla_producer_event_fd(get(), &fd, &error);
        if (status != 0)
            return Error::take(status, error);
        return fd;
    }

    /** The embedded cluster of a producer with test.mock.num.brokers; ends with the producer. */
    Result<MockCluster> mock_cluster()
    {
        ottla_mock_cluster_t *handle = nullptr;
        ottla_error_t *error = nullptr;
        auto status = ottla_producer_mock_cluster(get(), &handle, &error);
        if (status != 0)
            return Error::take(status, error);
        return MockCluster(handle);
    }

    /** For calls of ottla.h. */
    ottla_producer_t *get() const noexcept { return handle_.get(); }

private:
    struct Interceptor {
        OnSend on_send;
        OnAcknowledgement on_acknowledgement;
    };

    explicit Producer(ottla_producer_t *handle) noexcept : handle_(handle) {}

    static void append_headers(const Record &record, std::vector<ottla_header_t> &headers)
    {
        for (const Header &header : record.headers)
            headers.push_back({header.key.data(), header.key.size(), detail::pointer(header.value),
                               detail::length(header.value)});
    }

    static ottla_record_t plain_record(Topic topic, const Record &record,
                                       const ottla_header_t *headers) noexcept
    {
        ottla_record_t plain = OTTLA_RECORD_INIT;
        plain.topic = topic.id;
        plain.partition = record.partition;
        plain.key = detail::pointer(record.key);
        plain.key_len = detail::length(record.key);
        plain.value = detail::pointer(record.value);
        plain.value_len = detail::length(record.value);
        plain.headers = headers;
        plain.header_count = record.headers.size();
        plain.timestamp_ms = record.timestamp_ms;
        plain.token = record.token;
        return plain;
    }

    static void call_delivery(const ottla_report_t *reports, std::size_t count, std::size_t stride,
                              void *env) noexcept
    {
        (*static_cast<OnDelivery *>(env))(Reports(reports, count, stride));
    }

    static void call_log(std::int32_t level, const char *text, std::size_t len, void *env) noexcept
    {
        (*static_cast<OnLog *>(env))(level, std::string_view(text, len));
    }

    static void call_send(ottla_intercepted_t *record, void *env) noexcept
    {
        Intercepted intercepted(record);
        static_cast<Interceptor *>(env)->on_send(intercepted);
    }

    static void call_acknowledgement(const ottla_report_t *report, void *env) noexcept
    {
        static_cast<Interceptor *>(env)->on_acknowledgement(*report);
    }

    static void call_event(const ottla_event_t *event, const char *text, void *env) noexcept
    {
        (*static_cast<OnEvent *>(env))(*event, std::string_view(text, event->text_len));
    }

    static std::int32_t call_partitioner(const char *topic, std::size_t topic_len, const void *key,
                                         std::size_t key_len, const void *value,
                                         std::size_t value_len, std::uint32_t count,
                                         void *env) noexcept
    {
#ifdef __cpp_exceptions
        try {
#endif
            return (*static_cast<Partitioner *>(env))(std::string_view(topic, topic_len),
                                                      detail::view(key, key_len),
                                                      detail::view(value, value_len), count);
#ifdef __cpp_exceptions
        } catch (...) {
            return INT32_MIN;
        }
#endif
    }

    template <class T> static void free_env(void *env) noexcept { delete static_cast<T *>(env); }

    detail::Handle<ottla_producer_t, ottla_producer_free> handle_;
};

} // namespace ottla

#endif // OTTLA_HPP
