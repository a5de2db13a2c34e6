/* A forked child: the parent's producers and clusters say FORKED at once, settings work, the parent goes on.
 * C80. */
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define F OTTLA_ERROR_FORKED

/* Every call with the parent's producer, none of which may wait. */
static void refuse_producer(ottla_producer_t *producer, uint32_t topic)
{
    ottla_record_t record = OTTLA_RECORD_INIT;
    ottla_columns_t columns = OTTLA_COLUMNS_INIT;
    ottla_event_t event = OTTLA_EVENT_INIT;
    ottla_delivery_t delivery;
    ottla_run_t run;
    ottla_metadata_t *metadata = NULL;
    ottla_metrics_t *metrics = NULL;
    ottla_mock_cluster_t *cluster = NULL;
    const uint32_t *words = NULL;
    char text[8];
    size_t count = 0;
    uint64_t token;
    uint32_t other;
    int32_t fd;
    const struct {
        const char *call;
        int32_t status;
    } calls[] = {
        {"send", ottla_producer_send(producer, topic, 0, NULL, 0, "v", 1, -1, 0)},
        {"send_record", ottla_producer_send_record(producer, &record, 0)},
        {"send_batch", ottla_producer_send_batch(producer, &record, 1, sizeof record, 0, &count, NULL)},
        {"send_columns", ottla_producer_send_columns(producer, &columns, 0, &count, NULL)},
        {"topic", ottla_producer_topic_str(producer, "t", &other, NULL)},
        {"topic_name", ottla_producer_topic_name(producer, topic, text, 8, NULL)},
        {"poll", ottla_producer_poll(producer, &delivery, 1, -1, &count)},
        {"poll_runs", ottla_producer_poll_runs(producer, &run, 1, &token, NULL, 1, -1, &count, &count)},
        {"message", ottla_producer_message(producer, 1, text, 8, NULL)},
        {"next_event", ottla_producer_next_event(producer, &event, text, 8)},
        {"waiting", ottla_producer_waiting(producer, &words)},
        {"event_fd", ottla_producer_event_fd(producer, &fd, NULL)},
        {"flush", ottla_producer_flush(producer, -1, NULL)},
        {"init_transactions", ottla_producer_init_transactions(producer, -1, NULL)},
        {"begin_transaction", ottla_producer_begin_transaction(producer, NULL)},
        {"send_offsets", ottla_producer_send_offsets_to_transaction(producer, NULL, 0, 0, NULL, -1, NULL)},
        {"commit_transaction", ottla_producer_commit_transaction(producer, -1, NULL)},
        {"abort_transaction", ottla_producer_abort_transaction(producer, -1, NULL)},
        {"purge", ottla_producer_purge(producer, OTTLA_PURGE_QUEUED)},
        {"wait_ready", ottla_producer_wait_ready(producer, -1, NULL)},
        {"metadata", ottla_producer_metadata(producer, &metadata, NULL)},
        {"topic_metadata", ottla_producer_topic_metadata(producer, topic, -1, &metadata, NULL)},
        {"survey", ottla_producer_survey(producer, NULL, 0, -1, &metadata, NULL)},
        {"metrics", ottla_producer_metrics(producer, &metrics, NULL)},
        {"mock_cluster", ottla_producer_mock_cluster(producer, &cluster, NULL)},
        {"outstanding", ottla_producer_outstanding(producer, &count)},
        {"close", ottla_producer_close(producer, -1, NULL)},
        {"free", ottla_producer_free(producer)},
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (calls[i].status != F)
            fprintf(stderr, "%s: %s\n", calls[i].call, ottla_error_name(calls[i].status));
        CHECK_EQUAL(calls[i].status, F);
    }
}

static void refuse_cluster(ottla_mock_cluster_t *cluster)
{
    ottla_mock_records_t *records = NULL;
    int32_t codes[1] = {1};
    size_t count;
    uint64_t number;
    int64_t offset;
    const struct {
        const char *call;
        int32_t status;
    } calls[] = {
        {"create_topic", ottla_mock_cluster_create_topic_str(cluster, "t", 1, 1)},
        {"partition_count", ottla_mock_cluster_partition_count(cluster, "t", 1, &count)},
        {"broker_down", ottla_mock_cluster_broker_down(cluster, 1)},
        {"broker_up", ottla_mock_cluster_broker_up(cluster, 1)},
        {"set_leader", ottla_mock_cluster_set_leader(cluster, "t", 1, 0, 1)},
        {"push_errors", ottla_mock_cluster_push_errors(cluster, 0, codes, 1)},
        {"push_partition_errors", ottla_mock_cluster_push_partition_errors(cluster, "t", 1, 0, codes, 1)},
        {"set_delay", ottla_mock_cluster_set_delay(cluster, -1, -1, 0)},
        {"set_kafka_version", ottla_mock_cluster_set_kafka_version(cluster, "3.0", 3)},
        {"set_transaction_version", ottla_mock_cluster_set_transaction_version(cluster, 1)},
        {"set_marker_delay", ottla_mock_cluster_set_marker_delay(cluster, 1)},
        {"clear_faults", ottla_mock_cluster_clear_faults(cluster)},
        {"request_count", ottla_mock_cluster_request_count(cluster, -1, 0, &number)},
        {"end_offset", ottla_mock_cluster_end_offset(cluster, "t", 1, 0, &offset)},
        {"committed_offset", ottla_mock_cluster_committed_offset(cluster, "g", 1, "t", 1, 0, &offset)},
        {"records", ottla_mock_cluster_records_str(cluster, "t", 0, &records, NULL)},
        {"records_isolated", ottla_mock_cluster_records_isolated(cluster, "t", 1, 0, 1, &records, NULL)},
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (calls[i].status != F)
            fprintf(stderr, "%s: %s\n", calls[i].call, ottla_error_name(calls[i].status));
        CHECK_EQUAL(calls[i].status, F);
    }
    /* Text that the handle holds is memory, and that the child has. */
    CHECK(strncmp(ottla_mock_cluster_bootstrap_servers(cluster), "127.0.0.1:", 10) == 0);
}

static void in_child(ottla_config_t *config, ottla_producer_t *producer, ottla_mock_cluster_t *own,
                     ottla_mock_cluster_t *borrowed, uint32_t topic)
{
    ottla_delivery_t delivery;
    ottla_error_t *error = NULL;
    size_t count = 0;
    CHECK_EQUAL(ottla_producer_flush(producer, -1, &error), F);
    CHECK(ottla_error_is_fatal(error) && strlen(ottla_error_message(error)) > 0);
    CHECK_OK(ottla_error_free(error));
    refuse_producer(producer, topic);
    refuse_cluster(own);
    refuse_cluster(borrowed);
    CHECK_EQUAL(ottla_mock_cluster_free(own), F);

    /* A producer of its own works. */
    ottla_producer_t *mine = NULL;
    CHECK_OK(ottla_producer_new(config, NULL, &mine, NULL));
    topic = topic_of(mine, "child");
    CHECK_OK(ottla_producer_send(mine, topic, 0, NULL, 0, "v", 1, -1, 5));
    CHECK_OK(ottla_producer_poll(mine, &delivery, 1, SOON_MS, &count));
    CHECK(count == 1 && delivery.token == 5 && delivery.status == 0);
    CHECK_OK(ottla_producer_free(mine));
    ottla_mock_cluster_t *cluster = NULL;
    CHECK_OK(ottla_mock_cluster_new(1, &cluster, NULL));
    CHECK_OK(ottla_mock_cluster_free(cluster));
    CHECK_OK(ottla_config_free(config));
}

int main(void)
{
    ottla_config_t *config = embedded();
    ottla_producer_t *producer = NULL;
    ottla_mock_cluster_t *own = NULL, *borrowed = NULL;
    CHECK_OK(ottla_producer_new(config, NULL, &producer, NULL));
    CHECK_OK(ottla_mock_cluster_new(1, &own, NULL));
    CHECK_OK(ottla_producer_mock_cluster(producer, &borrowed, NULL));
    uint32_t topic = topic_of(producer, "t");
    CHECK_OK(ottla_producer_send(producer, topic, 0, NULL, 0, "v", 1, -1, 0));

#ifdef __SANITIZE_ADDRESS__ /* whose allocator has locks that a fork does not give back: no thread may be in it */
    CHECK_OK(ottla_producer_flush(producer, SOON_MS, NULL));
    usleep(999999);
#endif
    alarm(60);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(30);
        in_child(config, producer, own, borrowed, topic);
        /* Without the parent's exit handlers. */
        _exit(0);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);

    CHECK_OK(ottla_producer_send(producer, topic, 0, NULL, 0, "v", 1, -1, 1));
    CHECK_OK(ottla_producer_flush(producer, SOON_MS, NULL));
    CHECK_OK(ottla_mock_cluster_free(own));
    CHECK_OK(ottla_producer_free(producer));
    CHECK_OK(ottla_config_free(config));
    conforms("C80");
    return 0;
}
