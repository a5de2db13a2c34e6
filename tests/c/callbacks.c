/* The delivery and the log callback: on whose thread, what is allowed inside, when their env is freed. */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "check.h"

struct state {
    ottla_producer_t *_Atomic producer;
    pthread_t main_thread;
    atomic_int reports, records, failed, sent_again, freed, lines, errors;
    atomic_bool tried;
    char line[512];
};

/* What may not be done inside, and what may: C41, C42. */
static void try_everything(struct state *state, ottla_producer_t *producer)
{
    ottla_metadata_t *metadata = NULL;
    ottla_metrics_t *metrics = NULL;
    size_t count = 0;
    CHECK_EQUAL(ottla_producer_flush(producer, 0, NULL), OTTLA_ERROR_IN_CALLBACK);
    CHECK_EQUAL(ottla_producer_close(producer, 0, NULL), OTTLA_ERROR_IN_CALLBACK);
    CHECK_EQUAL(ottla_producer_free(producer), OTTLA_ERROR_IN_CALLBACK);
    CHECK_EQUAL(ottla_producer_wait_ready(producer, 0, NULL), OTTLA_ERROR_IN_CALLBACK);
    CHECK_EQUAL(ottla_producer_topic_metadata(producer, 0, 0, &metadata, NULL), OTTLA_ERROR_IN_CALLBACK);
    CHECK_OK(ottla_producer_metadata(producer, &metadata, NULL));
    CHECK_OK(ottla_metadata_free(metadata));
    CHECK_OK(ottla_producer_metrics(producer, &metrics, NULL));
    CHECK_OK(ottla_metrics_free(metrics));
    CHECK_OK(ottla_producer_outstanding(producer, &count));
    CHECK(count > 0);
    CHECK_OK(ottla_producer_send(producer, topic_of(producer, "again"), 0, NULL, 0, "v", 1, -1, 1000000));
    atomic_fetch_add(&state->sent_again, 1);
}

static void on_delivery(const ottla_report_t *reports, size_t count, size_t stride, void *env)
{
    struct state *state = env;
    ottla_producer_t *producer = atomic_load(&state->producer);
    CHECK(!pthread_equal(pthread_self(), state->main_thread));
    CHECK(stride >= sizeof(ottla_report_t) && atomic_load(&state->freed) == 0);
    for (size_t i = 0; i < count; i++) {
        const ottla_report_t *report = ottla_report_at(reports, stride, i);
        CHECK(report->size == stride && report->count > 0 && report->tokens != NULL);
        CHECK(report->timestamps_ms != NULL && report->timestamps_ms[0] > 0);
        CHECK(ottla_report_offset(report, 1) == (report->base_offset < 0 ? -1 : report->base_offset + 1));
        atomic_fetch_add(&state->reports, 1);
        atomic_fetch_add(report->status == 0 ? &state->records : &state->failed, (int)report->count);
        if (report->status != 0)
            CHECK(report->message != NULL && report->message_len > 0);
    }
    if (producer != NULL && !atomic_exchange(&state->tried, true))
        try_everything(state, producer);
}

static void on_event(const ottla_event_t *event, const char *text, void *env)
{
    struct state *state = env;
    CHECK(event->size >= sizeof *event && event->text_len > 0 && text != NULL);
    CHECK(event->kind == OTTLA_EVENT_LOG || event->kind == OTTLA_EVENT_ERROR);
    if (event->kind == OTTLA_EVENT_ERROR) {
        CHECK(event->status != 0);
        atomic_fetch_add(&state->errors, 1);
    }
}

static void on_log(int32_t level, const char *text, size_t text_len, void *env)
{
    struct state *state = env;
    CHECK(level >= OTTLA_LOG_ERROR && level <= OTTLA_LOG_INFO && text_len < sizeof state->line);
    memcpy(state->line, text, text_len);
    atomic_fetch_add(&state->lines, 1);
}

static void free_env(void *env)
{
    struct state *state = env;
    atomic_fetch_add(&state->freed, 1);
}

static ottla_callbacks_t callbacks_with(struct state *state)
{
    ottla_callbacks_t callbacks = OTTLA_CALLBACKS_INIT;
    state->main_thread = pthread_self();
    callbacks.on_delivery = on_delivery;
    callbacks.delivery_env = state;
    callbacks.delivery_env_free = free_env;
    return callbacks;
}

/* C43: what belongs to a callback is freed once, at its end. */
static void reports_are_lent(void)
{
    static struct state state;
    ottla_callbacks_t callbacks = callbacks_with(&state);
    ottla_producer_t *producer = embedded_producer(&callbacks);
    atomic_store(&state.producer, producer);
    uint32_t topic = topic_of(producer, "t");
    for (uint64_t n = 0; n < 10000; n++)
        CHECK_OK(ottla_producer_send(producer, topic, -1, &n, sizeof n, "v", 1, -1, n));
    ottla_delivery_t delivery;
    size_t count = 0;
    CHECK_EQUAL(ottla_producer_poll(producer, &delivery, 1, 0, &count), OTTLA_ERROR_STATE);
    CHECK_OK(ottla_producer_flush(producer, SOON_MS, NULL));
    CHECK(atomic_load(&state.records) >= 10000);
    CHECK(atomic_load(&state.reports) < 10000);
    CHECK_OK(ottla_producer_flush(producer, SOON_MS, NULL));
    CHECK_EQUAL(atomic_load(&state.sent_again), 1);
    CHECK_EQUAL(atomic_load(&state.records), 10001);
    CHECK_EQUAL(atomic_load(&state.freed), 0);
    CHECK_OK(ottla_producer_close(producer, SOON_MS, NULL));
    CHECK_OK(ottla_producer_free(producer));
    CHECK_EQUAL(atomic_load(&state.freed), 1);
}

/* free without close: whatever is outstanding is reported as failed before it returns. */
static void free_reports_what_is_left(void)
{
    static struct state state;
    ottla_callbacks_t callbacks = callbacks_with(&state);
    ottla_producer_t *producer = embedded_producer(&callbacks);
    ottla_mock_cluster_t *cluster = NULL;
    uint32_t topic = topic_of(producer, "t");
    CHECK_OK(ottla_producer_mock_cluster(producer, &cluster, NULL));
    CHECK_OK(ottla_producer_send(producer, topic, 0, NULL, 0, "v", 1, -1, 0));
    CHECK_OK(ottla_producer_flush(producer, SOON_MS, NULL));
    CHECK_OK(ottla_mock_cluster_set_delay(cluster, -1, 0, 60000));
    for (uint64_t n = 1; n < 100; n++)
        CHECK_OK(ottla_producer_send(producer, topic, 0, NULL, 0, "v", 1, -1, n));
    CHECK_EQUAL(ottla_producer_flush(producer, 50, NULL), OTTLA_ERROR_TIMED_OUT);
    CHECK_OK(ottla_producer_free(producer));
    CHECK_EQUAL(atomic_load(&state.records), 1);
    CHECK_EQUAL(atomic_load(&state.failed), 99);
    CHECK_EQUAL(atomic_load(&state.freed), 1);
}

static void an_env_is_the_callers_until_there_is_a_producer(void)
{
    static struct state state;
    ottla_callbacks_t callbacks = callbacks_with(&state);
    callbacks.log_env = &state;
    callbacks.log_env_free = free_env;
    ottla_config_t *config = NULL;
    ottla_producer_t *producer = NULL;
    CHECK_OK(ottla_config_new(&config));
    CHECK_EQUAL(ottla_producer_new(config, &callbacks, &producer, NULL), OTTLA_ERROR_CONFIG);
    CHECK_EQUAL(atomic_load(&state.freed), 0);

    /* Each env once; lost brokers make lines. */
    CHECK_OK(ottla_config_set_str(config, "bootstrap.servers", "127.0.0.1:1", NULL));
    callbacks.on_log = on_log;
    callbacks.on_event = on_event;
    callbacks.event_env = &state;
    callbacks.event_env_free = free_env;
    CHECK_OK(ottla_producer_new(config, &callbacks, &producer, NULL));
    for (int i = 0; i < 1000 && (atomic_load(&state.lines) == 0 || atomic_load(&state.errors) == 0); i++)
        usleep(10000);
    CHECK(atomic_load(&state.lines) > 0 && atomic_load(&state.errors) > 0);
    CHECK_OK(ottla_producer_free(producer));
    CHECK(strstr(state.line, "127.0.0.1:1") != NULL);
    CHECK_EQUAL(atomic_load(&state.freed), 3);
    CHECK_OK(ottla_config_free(config));
}

/* What an interceptor sees and does: every record gets a header with its old value, and a new one. */
struct intercepted {
    ottla_producer_t *_Atomic producer;
    ottla_intercepted_t *kept;
    atomic_int sends, records, freed;
};

static void on_send(ottla_intercepted_t *record, void *env)
{
    struct intercepted *seen = env;
    ottla_record_t view = OTTLA_RECORD_INIT, again = OTTLA_RECORD_INIT;
    const char *topic = NULL;
    CHECK_OK(ottla_intercepted_get(record, &view, &topic));
    CHECK(strcmp(topic, "t") == 0 && view.header_count == 2 && view.key == NULL);
    /* Looking again takes nothing away. */
    CHECK_OK(ottla_intercepted_get(record, &again, NULL));
    CHECK(view.headers == again.headers && memcmp(view.headers[1].key, "secret", 6) == 0);
    CHECK(view.value_len == 3 && memcmp(view.value, "old", 3) == 0);
    CHECK_OK(ottla_intercepted_add_header(record, "was", 3, view.value, view.value_len));
    /* By a name that is one of those that go. */
    CHECK_OK(ottla_intercepted_get(record, &again, NULL));
    CHECK_OK(ottla_intercepted_remove_headers(record, again.headers[0].key, again.headers[0].key_len));
    CHECK_EQUAL(ottla_intercepted_remove_headers(record, "secret", 6), OTTLA_ERROR_ARGUMENT);
    CHECK_OK(ottla_intercepted_set_value(record, "new!", 4));
    CHECK_OK(ottla_intercepted_set_key(record, "", 0));
    CHECK_OK(ottla_intercepted_set_timestamp(record, 4711));
    CHECK_EQUAL(ottla_intercepted_set_timestamp((ottla_intercepted_t *)(void *)&view, 1),
                OTTLA_ERROR_HANDLE);
    /* A send would come here again, without end. */
    CHECK_EQUAL(ottla_producer_send(atomic_load(&seen->producer), 0, 0, NULL, 0, "v", 1, -1, 0),
                OTTLA_ERROR_IN_CALLBACK);
    seen->kept = record;
    atomic_fetch_add(&seen->sends, 1);
}

static void on_acknowledgement(const ottla_report_t *report, void *env)
{
    struct intercepted *seen = env;
    ottla_producer_t *producer = atomic_load(&seen->producer);
    size_t outstanding = 0;
    CHECK_EQUAL(report->status, 0);
    CHECK_EQUAL(ottla_producer_send(producer, 0, 0, NULL, 0, "v", 1, -1, 0), OTTLA_ERROR_IN_CALLBACK);
    CHECK_OK(ottla_producer_outstanding(producer, &outstanding));
    atomic_fetch_add(&seen->records, (int)report->count);
}

static void free_intercepted(void *env)
{
    struct intercepted *seen = env;
    atomic_fetch_add(&seen->freed, 1);
}

static void interceptors_change_records(void)
{
    static struct intercepted seen;
    ottla_callbacks_t callbacks = OTTLA_CALLBACKS_INIT;
    callbacks.on_send = on_send;
    callbacks.on_acknowledgement = on_acknowledgement;
    callbacks.interceptor_env = &seen;
    callbacks.interceptor_env_free = free_intercepted;
    ottla_producer_t *producer = embedded_producer(&callbacks);
    atomic_store(&seen.producer, producer);
    ottla_header_t secrets[2] = {{"secret", 6, "x", 1}, {"secret", 6, "y", 1}};
    ottla_record_t record = OTTLA_RECORD_INIT;
    record.topic = topic_of(producer, "t");
    record.partition = 0;
    record.value = "old";
    record.value_len = 3;
    record.headers = secrets;
    record.header_count = 2;
    CHECK_OK(ottla_producer_send_record(producer, &record, 0));
    CHECK_EQUAL(ottla_intercepted_set_timestamp(seen.kept, 1), OTTLA_ERROR_HANDLE);
    CHECK_OK(ottla_producer_flush(producer, SOON_MS, NULL));
    CHECK(atomic_load(&seen.sends) == 1 && atomic_load(&seen.records) == 1);

    ottla_mock_cluster_t *cluster = NULL;
    ottla_mock_records_t *records = NULL;
    CHECK_OK(ottla_producer_mock_cluster(producer, &cluster, NULL));
    CHECK_OK(ottla_mock_cluster_records_str(cluster, "t", 0, &records, NULL));
    ottla_record_t back = OTTLA_RECORD_INIT;
    CHECK_OK(ottla_mock_records_at(records, 0, &back, NULL));
    CHECK(back.timestamp_ms == 4711 && back.key != NULL && back.key_len == 0);
    CHECK(back.value_len == 4 && memcmp(back.value, "new!", 4) == 0);
    CHECK(back.header_count == 1 && memcmp(back.headers[0].key, "was", 3) == 0);
    CHECK(back.headers[0].value_len == 3 && memcmp(back.headers[0].value, "old", 3) == 0);
    CHECK_OK(ottla_mock_records_free(records));
    CHECK_OK(ottla_producer_free(producer));
    CHECK_EQUAL(atomic_load(&seen.freed), 1);
}

static void without_a_callback_its_env_is_not_touched(void)
{
    static struct state state;
    ottla_callbacks_t callbacks = callbacks_with(&state);
    callbacks.on_delivery = NULL;
    ottla_producer_t *producer = embedded_producer(&callbacks);
    CHECK_OK(ottla_producer_free(producer));
    CHECK_EQUAL(atomic_load(&state.freed), 0);
}

int main(void)
{
    reports_are_lent();
    free_reports_what_is_left();
    an_env_is_the_callers_until_there_is_a_producer();
    without_a_callback_its_env_is_not_touched();
    interceptors_change_records();
    conforms("C41, C42, C43");
    return 0;
}
