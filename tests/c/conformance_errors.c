/* Conformance, chapter "Errors": what is refused at once, what is retried, what is reported, and in what time. */
#include "conformance.h"

static void refused_setting(const char *name, const char *value, int32_t code, const char *text)
{
    ottla_config_t *config = embedded();
    ottla_producer_t *producer = NULL;
    ottla_error_t *error = NULL;
    int32_t status = ottla_config_set_str(config, name, value, &error);
    if (status == 0)
        status = ottla_producer_new(config, NULL, &producer, &error);
    CHECK_EQUAL(status, code);
    CHECK_EQUAL(ottla_error_code(error), code);
    if (strstr(ottla_error_message(error), text) == NULL)
        fprintf(stderr, "%s=%s: %s\n", name, value, ottla_error_message(error));
    CHECK(strstr(ottla_error_message(error), text) != NULL);
    CHECK_OK(ottla_error_free(error));
    CHECK_OK(ottla_config_free(config));
}

/* C10, C11, C12. */
static void settings_that_are_refused(void)
{
    refused_setting("linger.m", "1", OTTLA_ERROR_CONFIG, "`linger.ms`");
    refused_setting("botstrap.servers", "x:1", OTTLA_ERROR_CONFIG, "`bootstrap.servers`");
    refused_setting("acks", "2", OTTLA_ERROR_CONFIG, "acks");
    refused_setting("batch.size", "-1", OTTLA_ERROR_CONFIG, "batch.size");
    refused_setting("topic.blacklist", "a", OTTLA_ERROR_UNSUPPORTED, "topic.blacklist");
}

static void c13_names_that_are_no_topics(void)
{
    ottla_producer_t *producer = embedded_producer(NULL);
    const char *const names[] = {"", "no topic", "a/b", "..", ".", "\xc3\xa4"};
    uint32_t topic = 77;
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++)
        CHECK_EQUAL(ottla_producer_topic_str(producer, names[n], &topic, NULL), OTTLA_ERROR_ARGUMENT);
    char name[251];
    memset(name, 'n', sizeof name);
    CHECK_EQUAL(ottla_producer_topic(producer, name, 250, &topic, NULL), OTTLA_ERROR_ARGUMENT);
    CHECK_EQUAL(topic, 77);
    CHECK_OK(ottla_producer_topic(producer, name, 249, &topic, NULL));
    CHECK_OK(ottla_producer_free(producer));
}

static void c14_a_partition_that_is_not_there(void)
{
    ottla_producer_t *producer = producer_with(NULL, "max.block.ms", "2000", NULL);
    /* Not known yet: the record is parked, and its report says so. (3: Metadata) */
    CHECK_OK(ottla_mock_cluster_set_delay(cluster_of(producer), -1, 3, 200));
    CHECK_OK(try_text(producer, topic_of(producer, "later"), 9, "v", 1));
    ottla_delivery_t report = take_one(producer);
    CHECK(report.token == 1 && report.persistence == OTTLA_PERSISTENCE_NOT_PERSISTED);
    CHECK_EQUAL(report.status, OTTLA_ERROR_UNKNOWN_PARTITION);
    uint32_t topic = known_topic(producer, "known");
    CHECK_EQUAL(try_text(producer, topic, 9, "v", 2), OTTLA_ERROR_UNKNOWN_PARTITION);
    CHECK_EQUAL(ottla_producer_send(producer, topic, 9, NULL, 0, "v", 1, -1, 3), OTTLA_ERROR_UNKNOWN_PARTITION);
    expect_nothing_left(producer);
    CHECK_OK(ottla_producer_free(producer));
}

static void c15_what_passes_is_retried(void)
{
    ottla_producer_t *producer = producer_with(NULL, "retry.backoff.ms", "10", NULL);
    const int32_t codes[] = {OTTLA_ERROR_NOT_LEADER_OR_FOLLOWER, OTTLA_ERROR_TRANSPORT};
    uint32_t topic = known_topic(producer, "c15");
    CHECK_OK(ottla_mock_cluster_push_errors(cluster_of(producer), PRODUCE, codes, 2));
    send_text(producer, topic, 0, "0", 0);
    ottla_delivery_t report = take_one(producer);
    CHECK_EQUAL(report.status, 0);
    CHECK_EQUAL(report.offset, 0);
    CHECK_EQUAL(report.persistence, OTTLA_PERSISTENCE_PERSISTED);
    CHECK(metric(producer, "record-retry-total") >= 2);
    expect_numbers(producer, "c15", 0, 1);
    expect_nothing_left(producer);
    CHECK_OK(ottla_producer_free(producer));
}

static void c16_what_is_too_large_for_the_broker(void)
{
    ottla_producer_t *producer = embedded_producer(NULL);
    const int32_t codes[] = {OTTLA_ERROR_MESSAGE_TOO_LARGE};
    uint32_t topic = known_topic(producer, "c16");
    CHECK_OK(ottla_mock_cluster_push_partition_errors(cluster_of(producer), "c16", 3, 0, codes, 1));
    send_text(producer, topic, 0, "v", 0);
    ottla_delivery_t report = take_one(producer);
    CHECK(report.offset == -1 && report.persistence == OTTLA_PERSISTENCE_NOT_PERSISTED);
    CHECK_EQUAL(report.status, OTTLA_ERROR_MESSAGE_TOO_LARGE);
    uint32_t flags = ottla_error_flags(report.status);
    CHECK((flags & (OTTLA_ERROR_FLAG_RETRIABLE | OTTLA_ERROR_FLAG_FATAL)) == 0);
    expect_numbers(producer, "c16", 0, 0);
    CHECK_OK(ottla_producer_free(producer));
}

static void c17_no_answer_in_time(void)
{
    ottla_producer_t *producer = producer_with(NULL, "linger.ms", "0", "request.timeout.ms", "1000",
                                               "delivery.timeout.ms", "3000", NULL);
    uint32_t topic = known_topic(producer, "t");
    silence(producer);
    int64_t since = clock_ms(CLOCK_MONOTONIC);
    send_text(producer, topic, 0, "v", 0);
    ottla_delivery_t report = take_one(producer);
    CHECK(elapsed_ms(since) >= 950 && elapsed_ms(since) < 30000);
    CHECK(report.status == OTTLA_ERROR_EXPIRED || report.status == OTTLA_ERROR_TIMED_OUT
          || report.status == OTTLA_ERROR_REQUEST_TIMED_OUT);
    CHECK_EQUAL(report.persistence, OTTLA_PERSISTENCE_POSSIBLY_PERSISTED);
    CHECK_OK(ottla_producer_free(producer));
}

static void c18_nobody_listens(void)
{
    ottla_config_t *config = NULL;
    ottla_producer_t *producer = NULL;
    CHECK_OK(ottla_config_new(&config));
    CHECK_OK(ottla_config_set_str(config, "bootstrap.servers", "127.0.0.1:1", NULL));
    CHECK_OK(ottla_producer_new(config, NULL, &producer, NULL));
    CHECK_OK(ottla_config_free(config));
    int64_t since = clock_ms(CLOCK_MONOTONIC);
    int32_t status = ottla_producer_wait_ready(producer, 2000, NULL);
    CHECK(status == OTTLA_ERROR_TRANSPORT || status == OTTLA_ERROR_TIMED_OUT);
    CHECK(elapsed_ms(since) < 30000);
    CHECK_OK(ottla_producer_free(producer));
}

static void c19_every_code_has_a_name_and_a_text(void)
{
    for (int32_t code = OTTLA_ERROR_TRUNCATED; code <= 133; code++) {
        if (code < -1 && code > OTTLA_ERROR_CLOSED)
            continue;
        if (strcmp(ottla_error_name(code), "UNKNOWN") == 0 || strlen(ottla_error_description(code)) < 5)
            fprintf(stderr, "%d: %s: %s\n", (int)code, ottla_error_name(code), ottla_error_description(code));
        CHECK(strlen(ottla_error_name(code)) > 3 && strcmp(ottla_error_name(code), "UNKNOWN") != 0);
        CHECK(strlen(ottla_error_description(code)) >= 5);
    }
    CHECK_EQUAL(ottla_error_flags(OTTLA_ERROR_NONE), 0);
    CHECK_EQUAL(ottla_error_flags(OTTLA_ERROR_QUEUE_FULL), OTTLA_ERROR_FLAG_RETRIABLE);
    CHECK_EQUAL(ottla_error_flags(OTTLA_ERROR_PRODUCER_FENCED), OTTLA_ERROR_FLAG_FATAL);
    CHECK_EQUAL(ottla_error_flags(OTTLA_ERROR_MESSAGE_TOO_LARGE), 0);
}

int main(void)
{
    settings_that_are_refused();
    conforms("C10, C11, C12");
    CASE(c13_names_that_are_no_topics());
    CASE(c14_a_partition_that_is_not_there());
    CASE(c15_what_passes_is_retried());
    CASE(c16_what_is_too_large_for_the_broker());
    CASE(c17_no_answer_in_time());
    CASE(c18_nobody_listens());
    CASE(c19_every_code_has_a_name_and_a_text());
    return 0;
}
