/* The application's own partitioner: what it is asked, on whose thread, what its answers do, what it may call. */
#include <pthread.h>
#include <stdatomic.h>

#include "check.h"

#define PARTITIONS 4
/* Long enough for what a test does before its topic is known, on the slowest machine. */
#define KNOWN_AFTER_MS 1500

struct state {
    ottla_producer_t *_Atomic producer;
    pthread_t main_thread;
    atomic_int calls, foreign, freed;
    /* What it returns for every record; without one it goes by the key. */
    int32_t answer;
    bool answers;
    /* Called inside. */
    void (*inside)(struct state *state);
};

/* By the first byte of the key; a null key goes to 0, an empty one to 3. */
static int32_t partition_of(const void *key, size_t key_len)
{
    if (key == NULL)
        return 0;
    return key_len == 0 ? 3 : *(const unsigned char *)key % PARTITIONS;
}

static int32_t partitioner(const char *topic, size_t topic_len, const void *key, size_t key_len,
                           const void *value, size_t value_len, uint32_t partition_count, void *env)
{
    struct state *state = env;
    CHECK(topic_len == 1 && topic[0] == 't' && partition_count == PARTITIONS);
    CHECK(value == NULL ? value_len == 0 : value_len <= 8);
    CHECK_EQUAL(atomic_load(&state->freed), 0);
    atomic_fetch_add(&state->calls, 1);
    if (!pthread_equal(pthread_self(), state->main_thread))
        atomic_fetch_add(&state->foreign, 1);
    if (state->inside != NULL)
        state->inside(state);
    return state->answers ? state->answer : partition_of(key, key_len);
}

static void free_env(void *env)
{
    struct state *state = env;
    atomic_fetch_add(&state->freed, 1);
}

static ottla_callbacks_t callbacks_of(struct state *state)
{
    ottla_callbacks_t callbacks = OTTLA_CALLBACKS_INIT;
    state->main_thread = pthread_self();
    callbacks.partitioner = partitioner;
    callbacks.partitioner_env = state;
    callbacks.partitioner_env_free = free_env;
    return callbacks;
}

static ottla_producer_t *producer_with(struct state *state)
{
    ottla_callbacks_t callbacks = callbacks_of(state);
    ottla_producer_t *producer = embedded_producer(&callbacks);
    atomic_store(&state->producer, producer);
    return producer;
}

static void end(ottla_producer_t *producer, struct state *state)
{
    CHECK_EQUAL(atomic_load(&state->freed), 0);
    CHECK_OK(ottla_producer_free(producer));
    CHECK_EQUAL(atomic_load(&state->freed), 1);
}

/* Takes `wanted` reports and returns how many have this status. */
static size_t take(ottla_producer_t *producer, size_t wanted, int32_t status)
{
    size_t with_status = 0;
    while (wanted > 0) {
        ottla_delivery_t some[64];
        size_t count = 0;
        CHECK_OK(ottla_producer_poll(producer, some, wanted < 64 ? wanted : 64, SOON_MS, &count));
        CHECK(count > 0);
        for (size_t i = 0; i < count; i++) {
            char text[128];
            with_status += some[i].status == status;
            if (some[i].status == 0)
                continue;
            CHECK_EQUAL(some[i].persistence, OTTLA_PERSISTENCE_NOT_PERSISTED);
            CHECK_OK(ottla_producer_message(producer, some[i].message, text, sizeof text, NULL));
            CHECK(strstr(text, "partitioner") != NULL);
        }
        wanted -= count;
    }
    return with_status;
}

/* Four threads; each record is where the function said, by the log of the cluster. */
static void *send_some(void *argument)
{
    struct state *state = argument;
    ottla_producer_t *producer = atomic_load(&state->producer);
    for (uint64_t n = 0; n < 1000; n++) {
        unsigned char key = (unsigned char)(n % 7);
        CHECK_OK(ottla_producer_send(producer, 0, OTTLA_PARTITION_ANY, n % 10 == 8 ? NULL : &key,
                                     n % 10 >= 8 ? 0 : 1, n % 10 == 7 ? NULL : "v", n % 10 == 7 ? 0 : 1,
                                     OTTLA_TIMESTAMP_NOW, n));
    }
    return NULL;
}

static void records_go_where_it_says(void)
{
    static struct state state;
    ottla_producer_t *producer = producer_with(&state);
    ottla_mock_cluster_t *cluster = NULL;
    pthread_t threads[4];
    CHECK_EQUAL(topic_of(producer, "t"), 0);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, send_some, &state) == 0);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    /* An explicit partition is nobody's to choose. */
    CHECK_OK(ottla_producer_send(producer, 0, 1, "\x01", 1, NULL, 0, OTTLA_TIMESTAMP_NOW, 0));
    CHECK_EQUAL(take(producer, 4001, 0), 4001);
    CHECK_EQUAL(atomic_load(&state.calls), 4000);
    CHECK_EQUAL(atomic_load(&state.foreign), 4000);
    CHECK_OK(ottla_producer_mock_cluster(producer, &cluster, NULL));
    size_t found = 0;
    for (int32_t partition = 0; partition < PARTITIONS; partition++) {
        ottla_mock_records_t *records = NULL;
        CHECK_OK(ottla_mock_cluster_records_str(cluster, "t", partition, &records, NULL));
        size_t count = ottla_mock_records_count(records);
        CHECK(count > 100);
        for (size_t i = 0; i < count; i++) {
            ottla_record_t record = OTTLA_RECORD_INIT;
            CHECK_OK(ottla_mock_records_at(records, i, &record, NULL));
            CHECK_EQUAL(partition_of(record.key, record.key_len), partition);
        }
        found += count;
        CHECK_OK(ottla_mock_records_free(records));
    }
    CHECK_EQUAL(found, 4001);
    end(producer, &state);
}

static void any_other_number_refuses_the_record(void)
{
    static struct state state;
    static const int32_t answers[] = {-1, INT32_MIN, PARTITIONS, INT32_MAX};
    ottla_producer_t *producer = producer_with(&state);
    size_t outstanding = 1;
    topic_of(producer, "t");
    state.answers = true;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        char text[256], number[16];
        state.answer = answers[i];
        CHECK_EQUAL(ottla_producer_send(producer, 0, OTTLA_PARTITION_ANY, NULL, 0, "v", 1, -1, i),
                    OTTLA_ERROR_ARGUMENT);
        ottla_last_error_message(text, sizeof text);
        snprintf(number, sizeof number, "%" PRId32, answers[i]);
        CHECK(strstr(text, "partitioner") != NULL && strstr(text, number) != NULL);
    }
    CHECK_OK(ottla_producer_outstanding(producer, &outstanding));
    CHECK_EQUAL(outstanding, 0);

    /* In a batch it does not hold up the others. */
    state.answers = false;
    ottla_record_t records[3] = {OTTLA_RECORD_INIT, OTTLA_RECORD_INIT, OTTLA_RECORD_INIT};
    int32_t statuses[3];
    size_t accepted = 0;
    state.answers = true;
    state.answer = -7;
    records[0].partition = records[2].partition = 2;
    CHECK_EQUAL(ottla_producer_send_batch(producer, records, 3, sizeof records[0], 0, &accepted, statuses),
                OTTLA_ERROR_ARGUMENT);
    CHECK(accepted == 2 && statuses[0] == 0 && statuses[1] == OTTLA_ERROR_ARGUMENT && statuses[2] == 0);
    CHECK_EQUAL(take(producer, 2, 0), 2);
    end(producer, &state);
}

/* Records sent before their topic is known: asked on the sender thread, and a refusal is a report. */
static void parked_records_are_asked_for_on_the_sender_thread(void)
{
    static struct state state;
    ottla_producer_t *producer = producer_with(&state);
    ottla_mock_cluster_t *cluster = NULL;
    CHECK_OK(ottla_producer_mock_cluster(producer, &cluster, NULL));
    CHECK_OK(ottla_mock_cluster_set_delay(cluster, -1, 3, KNOWN_AFTER_MS));
    ottla_record_t record = OTTLA_RECORD_INIT;
    unsigned char key;
    record.topic = topic_of(producer, "t");
    record.key = &key;
    record.key_len = 1;
    for (key = 0; key < 100; key++) {
        record.token = key;
        CHECK_OK(ottla_producer_send_record(producer, &record, OTTLA_SEND_NO_WAIT));
    }
    CHECK_EQUAL(atomic_load(&state.calls), 0);
    CHECK_EQUAL(take(producer, 100, 0), 100);
    CHECK_EQUAL(atomic_load(&state.calls), 100);
    CHECK_EQUAL(atomic_load(&state.foreign), 100);
    end(producer, &state);

    static struct state refusing = {.answers = true, .answer = -3};
    record.key = NULL;
    record.key_len = 0;
    producer = producer_with(&refusing);
    CHECK_OK(ottla_producer_mock_cluster(producer, &cluster, NULL));
    CHECK_OK(ottla_mock_cluster_set_delay(cluster, -1, 3, KNOWN_AFTER_MS));
    record.topic = topic_of(producer, "t");
    for (int n = 0; n < 10; n++)
        CHECK_OK(ottla_producer_send_record(producer, &record, OTTLA_SEND_NO_WAIT));
    /* What was accepted is still asked for when the producer closes. */
    CHECK_OK(ottla_producer_close(producer, SOON_MS, NULL));
    CHECK_EQUAL(take(producer, 10, OTTLA_ERROR_ARGUMENT), 10);
    end(producer, &refusing);
}

/* What may be called inside, on the sending thread and on the sender thread. */
static void try_everything(struct state *state)
{
    ottla_producer_t *producer = atomic_load(&state->producer);
    ottla_record_t record = OTTLA_RECORD_INIT;
    ottla_delivery_t delivery;
    ottla_run_t run;
    ottla_metadata_t *metadata = NULL;
    ottla_metrics_t *metrics = NULL;
    ottla_mock_cluster_t *cluster = NULL;
    char text[8];
    size_t count = 0;
    uint64_t token;
    uint32_t topic;
    int32_t fd;
    const struct {
        const char *call;
        int32_t status;
    } refused[] = {
        {"topic", ottla_producer_topic_str(producer, "u", &topic, NULL)},
        {"send", ottla_producer_send(producer, 0, -1, NULL, 0, "v", 1, -1, 0)},
        {"send_record", ottla_producer_send_record(producer, &record, OTTLA_SEND_NO_WAIT)},
        {"send_batch", ottla_producer_send_batch(producer, &record, 1, sizeof record, 0, &count, NULL)},
        {"poll", ottla_producer_poll(producer, &delivery, 1, 0, &count)},
        {"poll_runs", ottla_producer_poll_runs(producer, &run, 1, &token, NULL, 1, 0, &count, &count)},
        {"flush", ottla_producer_flush(producer, 0, NULL)},
        {"purge", ottla_producer_purge(producer, OTTLA_PURGE_QUEUED)},
        {"wait_ready", ottla_producer_wait_ready(producer, 0, NULL)},
        {"topic_metadata", ottla_producer_topic_metadata(producer, 0, 0, &metadata, NULL)},
        {"close", ottla_producer_close(producer, 0, NULL)},
        {"free", ottla_producer_free(producer)},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (refused[i].status != OTTLA_ERROR_IN_CALLBACK)
            fprintf(stderr, "%s\n", refused[i].call);
        CHECK_EQUAL(refused[i].status, OTTLA_ERROR_IN_CALLBACK);
    }
    CHECK_OK(ottla_producer_topic_name(producer, 0, text, sizeof text, NULL));
    CHECK(strcmp(text, "t") == 0);
    CHECK_OK(ottla_producer_metadata(producer, &metadata, NULL));
    CHECK_EQUAL(ottla_metadata_topic_count(metadata), 1);
    CHECK_OK(ottla_metadata_free(metadata));
    CHECK_OK(ottla_producer_metrics(producer, &metrics, NULL));
    CHECK_OK(ottla_metrics_free(metrics));
    CHECK_OK(ottla_producer_outstanding(producer, &count));
    CHECK_OK(ottla_producer_event_fd(producer, &fd, NULL));
    CHECK_OK(ottla_producer_mock_cluster(producer, &cluster, NULL));
    CHECK_EQUAL(ottla_producer_message(producer, 1, text, sizeof text, NULL), OTTLA_ERROR_ARGUMENT);
}

static void inside_it_may_only_look(void)
{
    static struct state state = {.inside = try_everything};
    ottla_producer_t *producer = producer_with(&state);
    ottla_mock_cluster_t *cluster = NULL;
    ottla_record_t record = OTTLA_RECORD_INIT;
    CHECK_OK(ottla_producer_mock_cluster(producer, &cluster, NULL));
    CHECK_OK(ottla_mock_cluster_set_delay(cluster, -1, 3, KNOWN_AFTER_MS));
    record.topic = topic_of(producer, "t");
    CHECK_OK(ottla_producer_send_record(producer, &record, OTTLA_SEND_NO_WAIT));
    CHECK_EQUAL(take(producer, 1, 0), 1);
    CHECK_EQUAL(atomic_load(&state.foreign), 1);
    CHECK_OK(ottla_producer_send_record(producer, &record, 0));
    CHECK_EQUAL(take(producer, 1, 0), 1);
    CHECK(atomic_load(&state.foreign) == 1 && atomic_load(&state.calls) == 2);
    /* It is over: the same thread may do everything again. */
    CHECK_OK(ottla_producer_purge(producer, OTTLA_PURGE_QUEUED));
    end(producer, &state);
}

/* One partitioner sends with another producer, whose partitioner tries to end the first one. */
static struct state outer, inner;

static void end_outer(struct state *state)
{
    (void)state;
    CHECK_EQUAL(ottla_producer_free(atomic_load(&outer.producer)), OTTLA_ERROR_IN_CALLBACK);
    CHECK_EQUAL(ottla_producer_close(atomic_load(&outer.producer), 0, NULL), OTTLA_ERROR_IN_CALLBACK);
}

static void send_inner(struct state *state)
{
    (void)state;
    CHECK_OK(ottla_producer_send(atomic_load(&inner.producer), 0, -1, NULL, 0, "v", 1, -1, 0));
    CHECK_OK(ottla_producer_flush(atomic_load(&inner.producer), SOON_MS, NULL));
}

static void another_producer_is_free_to_use_inside(void)
{
    outer.inside = send_inner;
    inner.inside = end_outer;
    topic_of(producer_with(&outer), "t");
    topic_of(producer_with(&inner), "t");
    CHECK_OK(ottla_producer_send(atomic_load(&outer.producer), 0, -1, NULL, 0, "v", 1, -1, 0));
    CHECK(atomic_load(&outer.calls) == 1 && atomic_load(&inner.calls) == 1);
    end(atomic_load(&inner.producer), &inner);
    end(atomic_load(&outer.producer), &outer);
}

/* A program of before there was a partitioner: its struct ends earlier, and what lies behind is not read. */
static void an_older_program_has_none(void)
{
    static struct state state = {.answers = true, .answer = -1};
    ottla_callbacks_t callbacks = callbacks_of(&state);
    callbacks.size = (uint32_t)offsetof(ottla_callbacks_t, partitioner);
    ottla_producer_t *producer = embedded_producer(&callbacks);
    topic_of(producer, "t");
    CHECK_OK(ottla_producer_send(producer, 0, -1, NULL, 0, "v", 1, -1, 0));
    CHECK_OK(ottla_producer_free(producer));
    callbacks = callbacks_of(&state);
    callbacks.partitioner = NULL;
    CHECK_OK(ottla_producer_free(embedded_producer(&callbacks)));
    CHECK(atomic_load(&state.calls) == 0 && atomic_load(&state.freed) == 0);
}

int main(void)
{
    records_go_where_it_says();
    any_other_number_refuses_the_record();
    parked_records_are_asked_for_on_the_sender_thread();
    inside_it_may_only_look();
    another_producer_is_free_to_use_inside();
    an_older_program_has_none();
    return 0;
}
