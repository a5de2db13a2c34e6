/* C90, C91, C92, C93, C94, C96. Transactions in both generations of the protocol: committed ones are seen whole, aborted ones not at all, the
 * older of two producers with one id is fenced, and errors say what to do. */
#include "check.h"

static ottla_producer_t *producer_on(const ottla_mock_cluster_t *cluster)
{
    ottla_config_t *config = NULL;
    ottla_producer_t *producer = NULL;
    CHECK_OK(ottla_config_new(&config));
    CHECK_OK(ottla_config_set_str(config, "bootstrap.servers", ottla_mock_cluster_bootstrap_servers(cluster),
                                  NULL));
    CHECK_OK(ottla_config_set_str(config, "transactional.id", "shipper", NULL));
    CHECK_OK(ottla_producer_new(config, NULL, &producer, NULL));
    CHECK_OK(ottla_config_free(config));
    return producer;
}

static int32_t send(ottla_producer_t *producer, uint32_t topic, const char *value)
{
    return ottla_producer_send(producer, topic, 0, NULL, 0, value, strlen(value), OTTLA_TIMESTAMP_NOW, 1);
}

static size_t committed(const ottla_mock_cluster_t *cluster)
{
    ottla_mock_records_t *records = NULL;
    CHECK_OK(ottla_mock_cluster_records_isolated(cluster, "t", 1, 0, OTTLA_ISOLATION_READ_COMMITTED, &records,
                                                 NULL));
    size_t count = ottla_mock_records_count(records);
    CHECK_OK(ottla_mock_records_free(records));
    return count;
}

static ottla_group_metadata_t *group_of(int32_t generation, const char *member)
{
    ottla_group_metadata_t *group = NULL;
    CHECK_OK(ottla_group_metadata_new("g", 1, generation, member, strlen(member), NULL, 0, &group, NULL));
    return group;
}

/* An error with these flags. */
static void check_error(int32_t status, ottla_error_t *error, int32_t expected, bool abortable, bool fatal)
{
    if (status != expected)
        fprintf(stderr, "%s: %s\n", ottla_error_name(status), ottla_error_message(error));
    CHECK_EQUAL(status, expected);
    CHECK_EQUAL(ottla_error_is_abortable(error), abortable);
    CHECK_EQUAL(ottla_error_is_fatal(error), fatal);
    CHECK_OK(ottla_error_free(error));
}

#define EXPECT(call, expected, abortable, fatal)                                                    \
    do {                                                                                            \
        ottla_error_t *error = NULL;                                                                \
        int32_t got_ = (call);                                                                      \
        check_error(got_, error, expected, abortable, fatal);                                       \
    } while (0)

static void rounds(ottla_mock_cluster_t *cluster)
{
    ottla_producer_t *producer = producer_on(cluster);
    uint32_t topic = topic_of(producer, "t");

    CHECK_EQUAL(send(producer, topic, "too early"), OTTLA_ERROR_STATE);
    EXPECT(ottla_producer_begin_transaction(producer, &error), OTTLA_ERROR_STATE, false, false);
    CHECK_OK(ottla_producer_init_transactions(producer, SOON_MS, NULL));
    CHECK_EQUAL(send(producer, topic, "outside"), OTTLA_ERROR_STATE);

    ottla_group_metadata_t *group = group_of(-1, "");
    ottla_group_offset_t offsets[2] = {OTTLA_GROUP_OFFSET_INIT, OTTLA_GROUP_OFFSET_INIT};
    offsets[0].topic = offsets[1].topic = "in";
    offsets[0].topic_len = offsets[1].topic_len = 2;
    offsets[1].partition = 1;
    offsets[1].metadata = "where";
    offsets[1].metadata_len = 5;
    size_t before = committed(cluster);
    for (int64_t round = 1; round <= 3; round++) {
        CHECK_OK(ottla_producer_begin_transaction(producer, NULL));
        CHECK_OK(send(producer, topic, "kept"));
        offsets[0].offset = offsets[1].offset = round;
        CHECK_OK(ottla_producer_send_offsets_to_transaction(producer, offsets, 2, sizeof offsets[0], group,
                                                            SOON_MS, NULL));
        CHECK_OK(ottla_producer_commit_transaction(producer, SOON_MS, NULL));

        CHECK_OK(ottla_producer_begin_transaction(producer, NULL));
        CHECK_OK(send(producer, topic, "given up"));
        CHECK_OK(ottla_producer_flush(producer, SOON_MS, NULL));
        offsets[0].offset = 1000;
        CHECK_OK(ottla_producer_send_offsets_to_transaction(producer, offsets, 1, sizeof offsets[0], group,
                                                            SOON_MS, NULL));
        CHECK_OK(ottla_producer_abort_transaction(producer, SOON_MS, NULL));
        CHECK_EQUAL(committed(cluster), before + (size_t)round);
        int64_t offset = -2;
        CHECK_OK(ottla_mock_cluster_committed_offset(cluster, "g", 1, "in", 2, 0, &offset));
        CHECK_EQUAL(offset, round);
    }

    /* A record that fails makes the transaction abortable, and only that. */
    int32_t refused[1] = {OTTLA_ERROR_INVALID_RECORD};
    CHECK_OK(ottla_producer_begin_transaction(producer, NULL));
    CHECK_OK(ottla_mock_cluster_push_partition_errors(cluster, "t", 1, 0, refused, 1));
    CHECK_OK(send(producer, topic, "refused"));
    EXPECT(ottla_producer_commit_transaction(producer, SOON_MS, &error), OTTLA_ERROR_INVALID_RECORD,
                true, false);
    EXPECT(ottla_producer_commit_transaction(producer, SOON_MS, &error), OTTLA_ERROR_INVALID_RECORD,
                true, false);
    CHECK_OK(ottla_producer_abort_transaction(producer, SOON_MS, NULL));

    /* What a call cannot be given. */
    CHECK_OK(ottla_producer_begin_transaction(producer, NULL));
    offsets[0].offset = -1;
    EXPECT(ottla_producer_send_offsets_to_transaction(producer, offsets, 1, sizeof offsets[0], group, 0, &error), OTTLA_ERROR_ARGUMENT, false, false);
    EXPECT(ottla_producer_send_offsets_to_transaction(producer, offsets, 1, 8, group, 0, &error), OTTLA_ERROR_ARGUMENT, false, false);
    EXPECT(ottla_producer_send_offsets_to_transaction(producer, offsets, 1, sizeof offsets[0], NULL, 0, &error), OTTLA_ERROR_HANDLE, false, false);
    CHECK_OK(ottla_group_metadata_free(group));
    CHECK_EQUAL(ottla_group_metadata_free(group), OTTLA_ERROR_HANDLE);
    CHECK_OK(ottla_producer_close(producer, SOON_MS, NULL));
    EXPECT(ottla_producer_begin_transaction(producer, &error), OTTLA_ERROR_CLOSED, false, false);
    CHECK_OK(ottla_producer_free(producer));
}

/* A call whose time is over goes on, and only the same one may follow. */
static void patience(ottla_mock_cluster_t *cluster)
{
    enum { END_TXN = 26 };
    ottla_producer_t *producer = producer_on(cluster);
    uint32_t topic = topic_of(producer, "t");
    CHECK_OK(ottla_producer_init_transactions(producer, SOON_MS, NULL));
    CHECK_OK(ottla_producer_begin_transaction(producer, NULL));
    CHECK_OK(send(producer, topic, "kept"));
    CHECK_OK(ottla_mock_cluster_set_delay(cluster, -1, END_TXN, 2000));
    size_t before = committed(cluster);
    EXPECT(ottla_producer_commit_transaction(producer, 1, &error), OTTLA_ERROR_TIMED_OUT, false, false);
    EXPECT(ottla_producer_abort_transaction(producer, 1, &error), OTTLA_ERROR_STATE, false, false);
    EXPECT(ottla_producer_begin_transaction(producer, &error), OTTLA_ERROR_STATE, false, false);
    CHECK_OK(ottla_producer_commit_transaction(producer, SOON_MS, NULL));
    CHECK_EQUAL(committed(cluster), before + 1);
    CHECK_OK(ottla_mock_cluster_clear_faults(cluster));
    CHECK_OK(ottla_producer_free(producer));
}

static void fencing(ottla_mock_cluster_t *cluster)
{
    ottla_producer_t *older = producer_on(cluster);
    uint32_t topic = topic_of(older, "t");
    CHECK_OK(ottla_producer_init_transactions(older, SOON_MS, NULL));
    CHECK_OK(ottla_producer_begin_transaction(older, NULL));
    CHECK_OK(send(older, topic, "older"));
    CHECK_OK(ottla_producer_flush(older, SOON_MS, NULL));
    size_t before = committed(cluster);

    ottla_producer_t *newer = producer_on(cluster);
    uint32_t its_topic = topic_of(newer, "t");
    CHECK_OK(ottla_producer_init_transactions(newer, SOON_MS, NULL));
    CHECK_OK(ottla_producer_begin_transaction(newer, NULL));
    CHECK_OK(send(newer, its_topic, "newer"));
    CHECK_OK(ottla_producer_commit_transaction(newer, SOON_MS, NULL));

    int32_t fenced = OTTLA_ERROR_PRODUCER_FENCED;
    EXPECT(ottla_producer_commit_transaction(older, SOON_MS, &error), fenced, false, true);
    EXPECT(ottla_producer_abort_transaction(older, SOON_MS, &error), fenced, false, true);
    CHECK_EQUAL(send(older, topic, "later"), fenced);
    CHECK_EQUAL(committed(cluster), before + 1);
    CHECK_OK(ottla_producer_free(older));
    CHECK_OK(ottla_producer_free(newer));
}

int main(void)
{
    const char *releases[] = {"4.1", "3.9", "2.8"};
    for (size_t i = 0; i < sizeof releases / sizeof releases[0]; i++) {
        ottla_mock_cluster_t *cluster = NULL;
        CHECK_OK(ottla_mock_cluster_new(3, &cluster, NULL));
        CHECK_OK(ottla_mock_cluster_set_kafka_version(cluster, releases[i], strlen(releases[i])));
        CHECK_OK(ottla_mock_cluster_set_transaction_version(cluster, i == 0 ? 2 : 1));
        CHECK_OK(ottla_mock_cluster_create_topic_str(cluster, "t", 1, 1));
        CHECK_OK(ottla_mock_cluster_create_topic_str(cluster, "in", 2, 1));
        rounds(cluster);
        patience(cluster);
        fencing(cluster);
        CHECK_OK(ottla_mock_cluster_free(cluster));
    }
    ottla_group_metadata_t *group = NULL;
    EXPECT(ottla_group_metadata_new("", 0, -1, NULL, 0, NULL, 0, &group, &error), OTTLA_ERROR_ARGUMENT,
                false, false);
    EXPECT(ottla_group_metadata_new("g", 1, 3, NULL, 0, NULL, 0, &group, &error), OTTLA_ERROR_ARGUMENT,
                false, false);
    CHECK(group == NULL);
    puts("transactions: fine");
    conforms("C92, C93, C94");
    return 0;
}
