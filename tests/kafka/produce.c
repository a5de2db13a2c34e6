/* Sends the records of formula.h and writes down what became of each, for check.py. Reports come by callback.
 *
 *     produce BOOTSTRAP TOPIC COUNT RATE REPORT_FILE [SETTING=VALUE...]
 *
 * RATE is records per second, 0 as fast as it goes. Lines of the report file: check.py, class Reports.
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <ottla.h>
#include <stdlib.h>
#include <time.h>

#include "formula.h"

/* `place` is where the call has put its error: read only here, since C evaluates arguments in any order. */
static void must(int32_t status, ottla_error_t **place, const char *what)
{
    if (status == OTTLA_ERROR_NONE)
        return;
    const ottla_error_t *error = *place;
    fprintf(stderr, "%s: %s: %s\n", what, ottla_error_name(status), error ? ottla_error_message(error) : "");
    exit(2);
}

/* Only the library's report thread writes while records are on their way. */
static void on_delivery(const ottla_report_t *reports, size_t count, size_t stride, void *env)
{
    FILE *out = env;
    for (size_t at = 0; at < count; at++) {
        const ottla_report_t *report = ottla_report_at(reports, stride, at);
        if (report->status != OTTLA_ERROR_NONE)
            fprintf(stderr, "%zu records of partition %" PRId32 ": %s: %.*s\n", report->count, report->partition,
                    ottla_error_name(report->status), (int)report->message_len,
                    report->message ? report->message : "");
        for (size_t i = 0; i < report->count; i++)
            fprintf(out, "%" PRIu64 " %" PRId32 " %" PRIu32 " %" PRId32 " %" PRId64 "\n", report->tokens[i],
                    report->status, report->persistence, report->partition, ottla_report_offset(report, i));
    }
}

static void on_log(int32_t level, const char *text, size_t len, void *env)
{
    (void)env;
    if (level <= OTTLA_LOG_WARNING)
        fprintf(stderr, "%.*s\n", (int)len, text);
}

static ottla_producer_t *make_producer(const char *bootstrap, char **settings, int setting_count, FILE *out)
{
    ottla_config_t *config = NULL;
    ottla_producer_t *producer = NULL;
    ottla_error_t *error = NULL;
    must(ottla_config_new(&config), NULL, "config");
    must(ottla_config_set_str(config, "bootstrap.servers", bootstrap, &error), &error, bootstrap);
    for (int i = 0; i < setting_count; i++) {
        char *equals = strchr(settings[i], '=');
        if (!equals) {
            fprintf(stderr, "%s: not SETTING=VALUE\n", settings[i]);
            exit(2);
        }
        must(ottla_config_set(config, settings[i], (size_t)(equals - settings[i]), equals + 1, strlen(equals + 1),
                              &error),
             &error, settings[i]);
    }
    ottla_callbacks_t callbacks = OTTLA_CALLBACKS_INIT;
    callbacks.on_delivery = on_delivery;
    callbacks.delivery_env = out;
    callbacks.on_log = on_log;
    must(ottla_producer_new(config, &callbacks, &producer, &error), &error, "producer");
    must(ottla_config_free(config), NULL, "config");
    must(ottla_producer_wait_ready(producer, 30000, &error), &error, "wait_ready");
    return producer;
}

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Sleeps until the record may go; looked at once in 64 records. */
static void keep_to_rate(uint64_t number, double rate, double begun)
{
    double early = rate > 0 && number % 64 == 0 ? begun + (double)number / rate - now_seconds() : 0;
    if (early > 0) {
        struct timespec pause = {(time_t)early, (long)((early - (double)(time_t)early) * 1e9)};
        nanosleep(&pause, NULL);
    }
}

static int32_t send_one(ottla_producer_t *producer, uint32_t topic, uint64_t number)
{
    formula_record source;
    formula_make(number, &source);
    ottla_header_t headers[3];
    for (size_t i = 0; i < source.header_count; i++)
        headers[i] = (ottla_header_t){source.headers[i].name, strlen(source.headers[i].name), source.headers[i].value,
                                      source.headers[i].value_bytes};
    ottla_record_t record = OTTLA_RECORD_INIT;
    record.topic = topic;
    record.key = source.key;
    record.key_len = source.key_bytes;
    record.value = source.value;
    record.value_len = source.value_bytes;
    record.headers = headers;
    record.header_count = source.header_count;
    record.timestamp_ms = source.timestamp_ms;
    record.token = number;
    return ottla_producer_send_record(producer, &record, 0);
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr, "usage: %s BOOTSTRAP TOPIC COUNT RATE REPORT_FILE [SETTING=VALUE...]\n", argv[0]);
        return 2;
    }
    uint64_t count = strtoull(argv[3], NULL, 10), taken = 0;
    double rate = strtod(argv[4], NULL);
    FILE *out = fopen(argv[5], "w");
    int32_t *refused = calloc(count ? count : 1, sizeof *refused);
    if (!out || !refused) {
        perror(argv[5]);
        return 2;
    }
    formula_begin();
    ottla_producer_t *producer = make_producer(argv[1], argv + 6, argc - 6, out);
    ottla_error_t *error = NULL;
    uint32_t topic = 0;
    must(ottla_producer_topic_str(producer, argv[2], &topic, &error), &error, argv[2]);

    double begun = now_seconds();
    for (uint64_t number = 0; number < count; number++) {
        keep_to_rate(number, rate, begun);
        refused[number] = send_one(producer, topic, number);
        taken += refused[number] == OTTLA_ERROR_NONE;
    }
    must(ottla_producer_flush(producer, 200000, &error), &error, "flush");
    must(ottla_producer_close(producer, 10000, &error), &error, "close");
    must(ottla_producer_free(producer), NULL, "free");

    for (uint64_t number = 0; number < count; number++)
        if (refused[number] != OTTLA_ERROR_NONE)
            fprintf(out, "%" PRIu64 " refused %" PRId32 "\n", number, refused[number]);
    fprintf(out, "end %" PRIu64 "\n", taken);
    free(refused);
    return fclose(out) == 0 ? 0 : 2;
}
