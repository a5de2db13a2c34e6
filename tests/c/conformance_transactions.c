/* Conformance, chapter "Transactions", as far as transactions.c does not go: reports, and calls that do not fit. The
 * other cases are there. */
#include "conformance.h"

static ottla_producer_t *transactional(void)
{
    ottla_producer_t *producer = producer_with(NULL, "transactional.id", "shipper", NULL);
    CHECK_OK(ottla_mock_cluster_create_topic_str(cluster_of(producer), "t", 1, 1));
    return producer;
}

static void expect_committed(ottla_producer_t *producer, size_t wanted)
{
    ottla_mock_records_t *records = NULL;
    CHECK_OK(ottla_mock_cluster_records_isolated(cluster_of(producer), "t", 1, 0, OTTLA_ISOLATION_READ_COMMITTED,
                                                 &records, NULL));
    CHECK_EQUAL(ottla_mock_records_count(records), wanted);
    CHECK_OK(ottla_mock_records_free(records));
}

/* C90, C91. */
static void each_record_is_reported_once(void)
{
    ottla_producer_t *producer = transactional();
    uint32_t topic = topic_of(producer, "t");
    ottla_delivery_t reports[10];
    unsigned seen = 0;
    CHECK_OK(ottla_producer_init_transactions(producer, SOON_MS, NULL));
    CHECK_OK(ottla_producer_begin_transaction(producer, NULL));
    for (uint64_t n = 0; n < 5; n++)
        send_text(producer, topic, 0, "kept", n);
    CHECK_OK(ottla_producer_commit_transaction(producer, SOON_MS, NULL));
    expect_committed(producer, 5);

    CHECK_OK(ottla_producer_begin_transaction(producer, NULL));
    silence(producer);
    for (uint64_t n = 5; n < 10; n++)
        send_text(producer, topic, 0, "given up", n);
    CHECK_OK(ottla_producer_purge(producer, OTTLA_PURGE_IN_FLIGHT));
    break_silence(producer);
    CHECK_OK(ottla_producer_abort_transaction(producer, SOON_MS, NULL));
    expect_committed(producer, 5);
    take(producer, reports, 10);
    for (size_t n = 0; n < 10; n++) {
        seen |= 1u << reports[n].token;
        CHECK(reports[n].token >= 5 || reports[n].status == 0);
    }
    CHECK_EQUAL(seen, 1023);
    expect_nothing_left(producer);
    CHECK_OK(ottla_producer_free(producer));
}

static void c96_calls_that_do_not_fit(void)
{
    ottla_producer_t *plain = embedded_producer(NULL), *producer = transactional();
    uint32_t topic = topic_of(producer, "t");
    CHECK_EQUAL(ottla_producer_init_transactions(plain, -1, NULL), OTTLA_ERROR_STATE);
    CHECK_EQUAL(ottla_producer_begin_transaction(plain, NULL), OTTLA_ERROR_STATE);
    CHECK_EQUAL(ottla_producer_commit_transaction(plain, -1, NULL), OTTLA_ERROR_STATE);
    CHECK_EQUAL(ottla_producer_abort_transaction(plain, -1, NULL), OTTLA_ERROR_STATE);
    CHECK_EQUAL(ottla_producer_commit_transaction(producer, -1, NULL), OTTLA_ERROR_STATE);
    CHECK_OK(ottla_producer_init_transactions(producer, SOON_MS, NULL));
    CHECK_EQUAL(ottla_producer_init_transactions(producer, -1, NULL), OTTLA_ERROR_STATE);
    CHECK_EQUAL(ottla_producer_commit_transaction(producer, -1, NULL), OTTLA_ERROR_STATE);
    CHECK_EQUAL(ottla_producer_abort_transaction(producer, -1, NULL), OTTLA_ERROR_STATE);
    CHECK_EQUAL(try_text(producer, topic, 0, "outside", 0), OTTLA_ERROR_STATE);
    CHECK_OK(ottla_producer_begin_transaction(producer, NULL));
    CHECK_EQUAL(ottla_producer_begin_transaction(producer, NULL), OTTLA_ERROR_STATE);
    CHECK_OK(ottla_producer_close(producer, SOON_MS, NULL));
    CHECK_EQUAL(ottla_producer_commit_transaction(producer, -1, NULL), OTTLA_ERROR_CLOSED);
    CHECK_OK(ottla_producer_free(producer));
    CHECK_OK(ottla_producer_free(plain));
}

int main(void)
{
    each_record_is_reported_once();
    conforms("C90, C91");
    CASE(c96_calls_that_do_not_fit());
    return 0;
}
