/* Conformance, chapter "Memory and process". C80 is in fork.c. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance.h"

static void c70_all_memory_comes_back(void)
{
    static ottla_delivery_t reports[10000];
    ottla_producer_t *producer = embedded_producer(NULL);
    uint32_t topic = topic_of(producer, "t");
    for (uint64_t n = 0; n < 10000; n++)
        send_text(producer, topic, OTTLA_PARTITION_ANY, "some value of some length", n);
    CHECK(metric(producer, "buffer-available-bytes") < metric(producer, "buffer-total-bytes"));
    take(producer, reports, 10000);
    CHECK(metric(producer, "buffer-total-bytes") > 0);
    CHECK(metric(producer, "buffer-available-bytes") == metric(producer, "buffer-total-bytes"));
    expect_nothing_left(producer);
    CHECK_OK(ottla_producer_free(producer));
}

static long resident_bytes(void)
{
    long all = 0, resident = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (statm == NULL)
        return 0;
    CHECK(fscanf(statm, "%ld %ld", &all, &resident) == 2);
    fclose(statm);
    return resident * sysconf(_SC_PAGESIZE);
}

static int refused_by_broker;

/* Every way to fail that costs no time, one after the other. */
static void fail_in_every_way(ottla_producer_t *producer, uint32_t topic)
{
    static char huge[2000000];
    ottla_header_t no_text = {"\xff", 1, NULL, 0};
    ottla_record_t record = OTTLA_RECORD_INIT;
    ottla_config_t *config = NULL;
    ottla_producer_t *none = NULL;
    ottla_error_t *error = NULL;
    const int32_t codes[] = {OTTLA_ERROR_TOPIC_AUTHORIZATION_FAILED};
    uint32_t other = 0;
    CHECK_OK(ottla_config_new(&config));
    CHECK_EQUAL(ottla_config_set_str(config, "acks", "7", &error), OTTLA_ERROR_CONFIG);
    CHECK_OK(ottla_error_free(error));
    error = NULL;
    CHECK_EQUAL(ottla_producer_new(config, NULL, &none, &error), OTTLA_ERROR_CONFIG);
    CHECK_OK(ottla_error_free(error));
    error = NULL;
    CHECK_OK(ottla_config_free(config));
    CHECK_EQUAL(ottla_producer_topic_str(producer, "no topic", &other, &error), OTTLA_ERROR_ARGUMENT);
    CHECK_OK(ottla_error_free(error));
    error = NULL;

    CHECK_EQUAL(try_text(producer, topic, 9, "v", 0), OTTLA_ERROR_UNKNOWN_PARTITION);
    CHECK_EQUAL(ottla_producer_send(producer, topic, 0, NULL, 0, huge, sizeof huge, -1, 0),
                OTTLA_ERROR_RECORD_TOO_LARGE);
    record.topic = topic;
    record.headers = &no_text;
    record.header_count = 1;
    CHECK_EQUAL(ottla_producer_send_record(producer, &record, 0), OTTLA_ERROR_ARGUMENT);

    CHECK_OK(ottla_mock_cluster_push_errors(cluster_of(producer), PRODUCE, codes, 1));
    send_text(producer, topic, 0, "v", 0);
    /* The broker may have used the error up for the record that was purged in the round before. */
    ottla_delivery_t report = take_one(producer);
    CHECK((report.status != 0) == (report.message != 0));
    refused_by_broker += report.status == OTTLA_ERROR_TOPIC_AUTHORIZATION_FAILED;
    send_text(producer, topic, 0, "v", 1);
    int32_t status = ottla_producer_flush(producer, 0, &error);
    CHECK(status == 0 || status == OTTLA_ERROR_TIMED_OUT);
    CHECK_OK(ottla_error_free(error));
    CHECK_OK(ottla_producer_purge(producer, OTTLA_PURGE_QUEUED | OTTLA_PURGE_IN_FLIGHT));
    (void)take_one(producer);
}

static void c71_failing_over_and_over_costs_no_memory(void)
{
    ottla_producer_t *producer = producer_with(NULL, "linger.ms", "0", "buffer.memory", "4194304", NULL);
    uint32_t topic = known_topic(producer, "t");
    long before = 0;
    for (int round = 0; round < 1200; round++) {
        if (round == 200)
            before = resident_bytes();
        fail_in_every_way(producer, topic);
    }
    CHECK(refused_by_broker > 100);
#ifndef __SANITIZE_ADDRESS__ /* which keeps freed memory for a while */
    long grown = resident_bytes() - before;
    if (grown > 8 << 20)
        fprintf(stderr, "grown by %ld bytes\n", grown);
    CHECK(grown <= 8 << 20);
#else
    (void)before;
#endif
    CHECK_OK(ottla_producer_free(producer));
}

static void *wait_forever(void *producer)
{
    (void)ottla_producer_flush(producer, -1, NULL);
    return NULL;
}

static void *close_forever(void *producer)
{
    (void)ottla_producer_close(producer, -1, NULL);
    return NULL;
}

/* Ends with records on their way and threads in calls. */
static void end_while_busy(bool closing)
{
    ottla_producer_t *producer = embedded_producer(NULL);
    uint32_t topic = known_topic(producer, "t");
    pthread_t thread;
    silence(producer);
    for (uint64_t n = 0; n < 10000; n++)
        send_text(producer, topic, OTTLA_PARTITION_ANY, "v", n);
    CHECK(pthread_create(&thread, NULL, wait_forever, producer) == 0);
    if (closing)
        CHECK(pthread_create(&thread, NULL, close_forever, producer) == 0);
    sleep_ms(50);
    exit(7);
}

static void c81_the_process_ends_as_it_likes(void)
{
    for (int closing = 0; closing < 2; closing++) {
        int status = -1;
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            alarm(60);
            end_while_busy(closing);
        }
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status));
        CHECK_EQUAL(WEXITSTATUS(status), 7);
    }
}

static atomic_int signals;
static atomic_bool enough;
static pthread_t waiting_thread;

static void on_signal(int number)
{
    (void)number;
    atomic_fetch_add(&signals, 1);
}

static void *send_signals(void *unused)
{
    (void)unused;
    while (!atomic_load(&enough)) {
        sleep_ms(20);
        CHECK(pthread_kill(waiting_thread, SIGUSR1) == 0);
    }
    return NULL;
}

/* Handlers ran while a call waited out its half second. */
static void expect_heard(int32_t status, int32_t wanted, int64_t since, int before)
{
    CHECK_EQUAL(status, wanted);
    CHECK(elapsed_ms(since) >= 480 && elapsed_ms(since) < 30000);
    CHECK(atomic_load(&signals) > before);
}

/* C82: a library does not hear signals: the program's handler runs at once, and the wait goes on. */
static void c82_a_signal_is_the_programs(void)
{
    static char large[100000];
    ottla_producer_t *producer = producer_with(NULL, "buffer.memory", "400000", "max.block.ms", "500", NULL);
    ottla_producer_t *lost = NULL;
    ottla_config_t *config = embedded();
    struct sigaction action = {.sa_handler = on_signal}; /* without SA_RESTART: system calls are interrupted */
    pthread_t thread;
    ottla_delivery_t some;
    size_t count = 0;
    int32_t status = 0;
    uint32_t topic = known_topic(producer, "t");
    CHECK_OK(ottla_producer_new(config, NULL, &lost, NULL));
    CHECK_OK(ottla_producer_wait_ready(lost, SOON_MS, NULL));
    CHECK_OK(ottla_mock_cluster_set_delay(cluster_of(lost), -1, -1, SILENCE_MS));
    silence(producer);
    waiting_thread = pthread_self();
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(pthread_create(&thread, NULL, send_signals, NULL) == 0);

#define HEARD(call, wanted)                                                                         \
    do {                                                                                            \
        int before_ = atomic_load(&signals);                                                        \
        int64_t since_ = clock_ms(CLOCK_MONOTONIC);                                                 \
        status = (call);                                                                            \
        expect_heard(status, wanted, since_, before_);                                              \
    } while (0)
    HEARD(ottla_producer_poll(producer, &some, 1, 500, &count), 0);
    CHECK_EQUAL(count, 0);
    while ((status = ottla_producer_send(producer, topic, 0, NULL, 0, large, sizeof large, -1, 0)) == 0)
        count++;
    CHECK(status == OTTLA_ERROR_TIMED_OUT && count >= 2);
    HEARD(ottla_producer_send(producer, topic, 0, NULL, 0, large, sizeof large, -1, 0), OTTLA_ERROR_TIMED_OUT);
    HEARD(ottla_producer_flush(producer, 500, NULL), OTTLA_ERROR_TIMED_OUT);
    ottla_metadata_t *metadata = NULL;
    uint32_t unknown = topic_of(lost, "unknown");
    HEARD(ottla_producer_topic_metadata(lost, unknown, 500, &metadata, NULL), OTTLA_ERROR_TIMED_OUT);
    HEARD(ottla_producer_survey(lost, NULL, 0, 500, &metadata, NULL), OTTLA_ERROR_TIMED_OUT);
    HEARD(ottla_producer_close(producer, 500, NULL), OTTLA_ERROR_TIMED_OUT);
#undef HEARD

    atomic_store(&enough, true);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_OK(ottla_producer_free(lost));
    CHECK_OK(ottla_config_free(config));
    CHECK_OK(ottla_producer_free(producer));
}

int main(void)
{
    CASE(c81_the_process_ends_as_it_likes()); /* before there are threads */
    CASE(c70_all_memory_comes_back());
    CASE(c71_failing_over_and_over_costs_no_memory());
    CASE(c82_a_signal_is_the_programs());
    return 0;
}
