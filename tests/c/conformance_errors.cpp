// Conformance, chapter "Errors": what is refused at once, what is retried, what is reported, and in what time.
#include "conformance.hpp"

// C10, C11, C12.
static void settings_that_are_refused()
{
    const struct {
        const char *name, *value;
        std::int32_t code;
        const char *text;
    } refusals[] = {
        {"linger.m", "1", OTTLA_ERROR_CONFIG, "`linger.ms`"},
        {"acks", "2", OTTLA_ERROR_CONFIG, "acks"},
        {"batch.size", "-1", OTTLA_ERROR_CONFIG, "batch.size"},
        {"topic.blacklist", "a", OTTLA_ERROR_UNSUPPORTED, "topic.blacklist"},
    };
    for (const auto &refusal : refusals) {
        ottla::Config config;
        auto set = config.set(refusal.name, refusal.value);
        CHECK_EQUAL(code_of(set), refusal.code);
        CHECK(set.error().message().find(refusal.text) != std::string::npos);
    }
}

static void c13_names_that_are_no_topics()
{
    ottla::Producer producer = producer_with();
    for (const auto &name : {std::string(), std::string("no topic"), std::string("a/b"), std::string(250, 'n')})
        CHECK_EQUAL(code_of(producer.topic(name)), OTTLA_ERROR_ARGUMENT);
    CHECK_DONE(producer.topic(std::string(249, 'n')));
}

static void c14_a_partition_that_is_not_there()
{
    ottla::Producer producer = producer_with({{"max.block.ms", "2000"}});
    // Not known yet: the record is parked, and its report says so. (3: Metadata)
    CHECK(producer.mock_cluster()->set_delay(-1, 3, std::chrono::milliseconds(200)));
    CHECK_DONE(producer.send(*producer.topic("later"), text("v", 1, 9), OTTLA_SEND_NO_WAIT));
    auto report = take(producer, 1)[0];
    CHECK(report.token == 1 && report.persistence == OTTLA_PERSISTENCE_NOT_PERSISTED);
    CHECK_EQUAL(report.status, OTTLA_ERROR_UNKNOWN_PARTITION);
    ottla::Topic topic = known_topic(producer, "known");
    CHECK_EQUAL(code_of(producer.send(topic, text("v", 2, 9))), OTTLA_ERROR_UNKNOWN_PARTITION);
    expect_nothing_left(producer);
}

static void c15_what_passes_is_retried()
{
    ottla::Producer producer = producer_with({{"retry.backoff.ms", "10"}});
    ottla::Topic topic = known_topic(producer, "c15");
    CHECK_DONE(producer.mock_cluster()->push_errors(
        produce_api, {OTTLA_ERROR_NOT_LEADER_OR_FOLLOWER, OTTLA_ERROR_TRANSPORT}));
    CHECK_DONE(producer.send(topic, text("0")));
    auto report = take(producer, 1)[0];
    CHECK_EQUAL(report.status, 0);
    CHECK(report.offset == 0 && report.persistence == OTTLA_PERSISTENCE_PERSISTED);
    CHECK(*producer.metric("record-retry-total") >= 2);
    expect_numbers(producer, "c15", 1);
}

static void c16_what_is_too_large_for_the_broker()
{
    ottla::Producer producer = producer_with();
    ottla::Topic topic = known_topic(producer, "c16");
    CHECK_DONE(producer.mock_cluster()->push_partition_errors("c16", 0, {OTTLA_ERROR_MESSAGE_TOO_LARGE}));
    CHECK_DONE(producer.send(topic, text("v")));
    auto report = take(producer, 1)[0];
    CHECK(report.offset == -1 && report.persistence == OTTLA_PERSISTENCE_NOT_PERSISTED);
    ottla::Error error(report.status, producer.message(report));
    CHECK_EQUAL(error.code(), OTTLA_ERROR_MESSAGE_TOO_LARGE);
    CHECK(!error.message().empty() && !error.is_retriable() && !error.is_fatal() && !error.is_abortable());
    CHECK(stored(producer, "c16").empty());
}

static void c17_no_answer_in_time()
{
    ottla::Producer producer = producer_with(
        {{"linger.ms", "0"}, {"request.timeout.ms", "1000"}, {"delivery.timeout.ms", "3000"}});
    ottla::Topic topic = known_topic(producer, "t");
    silence(producer);
    auto since = Clock::now();
    CHECK_DONE(producer.send(topic, text("v")));
    auto report = take(producer, 1)[0];
    CHECK(within(since, 950ms, 30s));
    CHECK(report.status == OTTLA_ERROR_EXPIRED || report.status == OTTLA_ERROR_TIMED_OUT
          || report.status == OTTLA_ERROR_REQUEST_TIMED_OUT);
    CHECK_EQUAL(report.persistence, OTTLA_PERSISTENCE_POSSIBLY_PERSISTED);
}

static void c18_nobody_listens()
{
    auto producer = ottla::Producer::open(config_of({{"bootstrap.servers", "127.0.0.1:1"}}));
    CHECK_DONE(producer);
    auto since = Clock::now();
    auto code = code_of(producer->wait_ready(2s));
    CHECK(code == OTTLA_ERROR_TRANSPORT || code == OTTLA_ERROR_TIMED_OUT);
    CHECK(within(since, 0s, 30s));
}

static void c19_every_code_has_a_name_and_flags()
{
    for (std::int32_t code = OTTLA_ERROR_TRUNCATED; code <= 133; code++)
        if (code >= -1 || code <= OTTLA_ERROR_CLOSED)
            CHECK(std::string_view(ottla::Error(code, "").name()) != "UNKNOWN");
    CHECK(ottla::Error(OTTLA_ERROR_QUEUE_FULL, "").is_retriable());
    ottla::Error fenced(OTTLA_ERROR_PRODUCER_FENCED, "text");
    CHECK(fenced.is_fatal() && !fenced.is_retriable() && !fenced.is_abortable());
    CHECK(fenced.name() == std::string_view("PRODUCER_FENCED") && fenced.message() == "text");
    CHECK(ottla::Error(OTTLA_ERROR_INVALID_PRODUCER_ID_MAPPING, "").is_abortable()
          == ((ottla_error_flags(OTTLA_ERROR_INVALID_PRODUCER_ID_MAPPING) & OTTLA_ERROR_FLAG_ABORTABLE) != 0));
}

int main()
{
    settings_that_are_refused();
    conforms("C10, C11, C12");
    CASE(c13_names_that_are_no_topics());
    CASE(c14_a_partition_that_is_not_there());
    CASE(c15_what_passes_is_retried());
    CASE(c16_what_is_too_large_for_the_broker());
    CASE(c17_no_answer_in_time());
    CASE(c18_nobody_listens());
    CASE(c19_every_code_has_a_name_and_flags());
    return 0;
}
