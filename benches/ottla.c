/* ottla as a client of the bench, through its C interface: records are copied, reports come by the batch on the
 * library's own thread. */
#include "ottla.h"
#include "harness.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

const char *client_name = "ottla";

static ottla_producer_t *producer;
static ottla_config_t *config;
static uint32_t topic;

/* Calls of on_reports, for client_serve to wait on. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t called = PTHREAD_COND_INITIALIZER;
static unsigned long calls, calls_seen;

const char *client_version(void)
{
    return ottla_version();
}

static void check(const char *what, int32_t status)
{
    char message[512];
    if (status == OTTLA_ERROR_NONE)
        return;
    ottla_last_error_message(message, sizeof message);
    harness_die(what, message);
}

static void on_reports(const ottla_report_t *reports, size_t count, size_t stride, void *env)
{
    (void)env;
    for (size_t i = 0; i < count; i++) {
        const ottla_report_t *report = (const void *)((const char *)reports + i * stride);
        if (report->status)
            harness_failed(report->count, ottla_error_name(report->status));
        else
            harness_acknowledged_all(report->tokens, report->count);
    }
    pthread_mutex_lock(&lock);
    calls++;
    pthread_cond_signal(&called);
    pthread_mutex_unlock(&lock);
}

static void set(const char *name, const char *value)
{
    check(name, ottla_config_set_str(config, name, value, NULL));
}

void client_open(bool thread)
{
    (void)thread; /* always */
    ottla_callbacks_t callbacks = OTTLA_CALLBACKS_INIT;
    char memory[32];
    snprintf(memory, sizeof memory, "%ld", options.memory_kb * 1024);
    check("ottla_config_new", ottla_config_new(&config));
    set("bootstrap.servers", options.bootstrap);
    set("acks", "all");
    set("linger.ms", options.linger_ms);
    set("batch.size", options.batch_size);
    set("enable.idempotence", options.idempotence);
    set("buffer.memory", memory);
    harness_extra_settings(set);
    callbacks.on_delivery = on_reports;
    check("ottla_producer_new", ottla_producer_new(config, &callbacks, &producer, NULL));
    check("topic", ottla_producer_topic_str(producer, options.topic, &topic, NULL));
}

void client_serve(int milliseconds)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    long long ns = until.tv_nsec + milliseconds * 1000000LL;
    until.tv_sec += ns / 1000000000LL;
    until.tv_nsec = ns % 1000000000LL;
    pthread_mutex_lock(&lock);
    if (calls == calls_seen)
        pthread_cond_timedwait(&called, &lock, &until);
    calls_seen = calls;
    pthread_mutex_unlock(&lock);
}

void client_send(long first, long count, bool serves)
{
    (void)serves;
    for (long i = 0; i < count; i++) {
        struct record r = harness_record(first + i);
        int32_t status =
            ottla_producer_send(producer, topic, OTTLA_PARTITION_ANY, r.key, options.key_size, r.value,
                                options.size, OTTLA_TIMESTAMP_NOW, r.token);
        if (status)
            check("ottla_producer_send", status);
    }
}

void client_send_batch(long first, long count, bool serves)
{
    (void)serves;
    ottla_record_t *records = calloc(options.chunk, sizeof *records);
    const ottla_record_t empty = OTTLA_RECORD_INIT;
    for (long done = 0; done < count;) {
        long now = count - done < options.chunk ? count - done : options.chunk;
        for (long i = 0; i < now; i++) {
            struct record r = harness_record(first + done + i);
            records[i] = empty;
            records[i].topic = topic;
            records[i].key = r.key;
            records[i].key_len = options.key_size;
            records[i].value = r.value;
            records[i].value_len = options.size;
            records[i].token = r.token;
        }
        check("ottla_producer_send_batch",
              ottla_producer_send_batch(producer, records, now, sizeof *records, 0, NULL, NULL));
        done += now;
    }
    free(records);
}
