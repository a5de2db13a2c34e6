// Conformance, chapter "Transactions": what readers of committed data see, who is shut out, and the scope.
#include "conformance.hpp"

static ottla::Producer transactional(const ottla::MockCluster &cluster)
{
    return producer_on(cluster, {{"transactional.id", "shipper"}});
}

static std::size_t committed(const ottla::MockCluster &cluster)
{
    return cluster.records("t", 0, ottla::Isolation::read_committed)->size();
}

// C90, C91.
static void commit_and_abort(const ottla::MockCluster &cluster)
{
    ottla::Producer producer = transactional(cluster);
    ottla::Topic topic = *producer.topic("t");
    auto before = committed(cluster);
    CHECK_DONE(producer.init_transactions(soon));
    CHECK_DONE(producer.begin_transaction());
    CHECK_DONE(producer.send(topic, text("kept", 1)));
    CHECK_DONE(producer.commit_transaction(soon));
    CHECK_EQUAL(committed(cluster), before + 1);

    CHECK_DONE(producer.begin_transaction());
    CHECK_DONE(producer.send(topic, text("given up", 2)));
    CHECK_DONE(producer.abort_transaction(soon));
    CHECK_EQUAL(committed(cluster), before + 1);
    auto reports = take(producer, 2);
    CHECK(reports[0].token == 1 && reports[0].status == 0 && reports[1].token == 2);
    expect_nothing_left(producer);
}

static void c92_offsets_go_with_it(const ottla::MockCluster &cluster)
{
    ottla::Producer producer = transactional(cluster);
    CHECK_DONE(producer.init_transactions(soon));
    CHECK_EQUAL(code_of(ottla::GroupMetadata::of("")), OTTLA_ERROR_ARGUMENT);
    CHECK_EQUAL(code_of(ottla::GroupMetadata::of("g", 3)), OTTLA_ERROR_ARGUMENT);
    auto group = ottla::GroupMetadata::of("g");
    CHECK_DONE(group);
    ottla::GroupOffset first{"in", 0, 7}, second{"in", 1, 8, "where", 3};
    auto transaction = producer.transaction();
    CHECK_DONE(transaction);
    CHECK_DONE(transaction->send_offsets({first, second}, *group, soon));
    CHECK_EQUAL(*cluster.committed_offset("g", "in", 0), -1);
    CHECK_DONE(transaction->commit(soon));
    CHECK(*cluster.committed_offset("g", "in", 0) == 7 && *cluster.committed_offset("g", "in", 1) == 8);

    first.offset = 1000;
    CHECK_DONE(producer.begin_transaction());
    CHECK_DONE(producer.send_offsets_to_transaction({first}, *group, soon));
    CHECK_DONE(producer.abort_transaction(soon));
    CHECK_EQUAL(*cluster.committed_offset("g", "in", 0), 7);
    first.offset = -1;
    CHECK_DONE(producer.begin_transaction());
    CHECK_EQUAL(code_of(producer.send_offsets_to_transaction({first}, *group, soon)), OTTLA_ERROR_ARGUMENT);
}

static void c93_the_older_one_is_shut_out(const ottla::MockCluster &cluster)
{
    ottla::Producer older = transactional(cluster), newer = transactional(cluster);
    CHECK_DONE(older.init_transactions(soon));
    auto transaction = older.transaction();
    CHECK_DONE(older.send(*older.topic("t"), text("older")));
    CHECK_DONE(older.flush(soon));
    CHECK_DONE(newer.init_transactions(soon));
    auto before = committed(cluster);
    auto result = transaction->commit(soon);
    CHECK_EQUAL(code_of(result), OTTLA_ERROR_PRODUCER_FENCED);
    CHECK(result.error().is_fatal() && !result.error().is_abortable() && !result.error().is_retriable());
    CHECK_EQUAL(code_of(transaction->abort(soon)), OTTLA_ERROR_PRODUCER_FENCED);
    CHECK(older.send(*older.topic("t"), "v").error().is_fatal());
    CHECK_EQUAL(committed(cluster), before);
}

static void c94_a_record_fails(ottla::MockCluster &cluster)
{
    ottla::Producer producer = transactional(cluster);
    ottla::Topic topic = *producer.topic("t");
    auto before = committed(cluster);
    CHECK_DONE(producer.init_transactions(soon));
    CHECK_DONE(producer.begin_transaction());
    CHECK_DONE(cluster.push_partition_errors("t", 0, {OTTLA_ERROR_INVALID_RECORD}));
    CHECK_DONE(producer.send(topic, text("refused")));
    auto result = producer.commit_transaction(soon);
    CHECK_EQUAL(code_of(result), OTTLA_ERROR_INVALID_RECORD);
    CHECK(result.error().is_abortable() && !result.error().is_fatal());
    CHECK_DONE(producer.abort_transaction(soon));
    CHECK_DONE(producer.begin_transaction());
    CHECK_DONE(producer.send(topic, text("kept")));
    CHECK_DONE(producer.commit_transaction(soon));
    CHECK_EQUAL(committed(cluster), before + 1);
}

static void c95_the_scope(ottla::MockCluster &cluster)
{
    ottla::Producer producer = transactional(cluster);
    ottla::Topic topic = *producer.topic("t");
    CHECK_DONE(producer.init_transactions(soon));
    auto before = committed(cluster);
    {
        auto transaction = producer.transaction();
        CHECK(transaction && transaction->is_open());
        CHECK_EQUAL(code_of(producer.transaction()), OTTLA_ERROR_STATE); // one at a time
        CHECK_DONE(producer.send(topic, text("given up")));
        CHECK_DONE(producer.flush(soon));
    }
    CHECK_EQUAL(committed(cluster), before);
    {
        auto transaction = producer.transaction();
        CHECK_DONE(producer.send(topic, text("kept")));
        ottla::Transaction moved = std::move(*transaction);
        CHECK(!transaction->is_open() && moved.is_open());
        CHECK_DONE(moved.commit(soon));
        CHECK(!moved.is_open());
        CHECK_EQUAL(code_of(moved.abort(soon)), OTTLA_ERROR_HANDLE);
    }
    CHECK_EQUAL(committed(cluster), before + 1);
    /* A commit whose time was over is waited for, and leaves the producer free for the next one. */
    {
        const std::int16_t end_txn = 26;
        CHECK_DONE(cluster.set_delay(-1, end_txn, 2s));
        auto transaction = producer.transaction();
        CHECK_DONE(producer.send(topic, text("kept")));
        CHECK_DONE(producer.flush(soon));
        CHECK_EQUAL(code_of(transaction->commit(300ms)), OTTLA_ERROR_TIMED_OUT);
        ottla::Transaction moved = std::move(*transaction);
    }
    CHECK_EQUAL(committed(cluster), before + 2);
    CHECK_DONE(cluster.clear_faults());
    {
        auto transaction = producer.transaction();
        CHECK_DONE(transaction);
        CHECK_DONE(transaction->abort(soon));
    }
}

static void c96_calls_that_do_not_fit(const ottla::MockCluster &cluster)
{
    ottla::Producer plain = producer_on(cluster), producer = transactional(cluster);
    ottla::Topic topic = *producer.topic("t");
    CHECK_EQUAL(code_of(plain.init_transactions()), OTTLA_ERROR_STATE);
    CHECK_EQUAL(code_of(plain.begin_transaction()), OTTLA_ERROR_STATE);
    CHECK_EQUAL(code_of(plain.commit_transaction()), OTTLA_ERROR_STATE);
    CHECK_EQUAL(code_of(plain.abort_transaction()), OTTLA_ERROR_STATE);
    CHECK_EQUAL(code_of(plain.transaction()), OTTLA_ERROR_STATE);
    CHECK_EQUAL(code_of(producer.begin_transaction()), OTTLA_ERROR_STATE);
    CHECK_DONE(producer.init_transactions(soon));
    CHECK_EQUAL(code_of(producer.init_transactions()), OTTLA_ERROR_STATE);
    CHECK_EQUAL(code_of(producer.commit_transaction()), OTTLA_ERROR_STATE);
    CHECK_EQUAL(code_of(producer.abort_transaction()), OTTLA_ERROR_STATE);
    CHECK_EQUAL(code_of(producer.send(topic, text("outside"))), OTTLA_ERROR_STATE);
    CHECK_DONE(producer.close(soon));
    CHECK_EQUAL(code_of(producer.begin_transaction()), OTTLA_ERROR_CLOSED);
    CHECK_EQUAL(code_of(producer.commit_transaction()), OTTLA_ERROR_CLOSED);
}

int main()
{
    auto cluster = ottla::MockCluster::start(3);
    CHECK_DONE(cluster);
    CHECK_DONE(cluster->create_topic("t", 1));
    CHECK_DONE(cluster->create_topic("in", 2));
    commit_and_abort(*cluster);
    conforms("C90, C91");
    CASE(c92_offsets_go_with_it(*cluster));
    CASE(c93_the_older_one_is_shut_out(*cluster));
    CASE(c94_a_record_fails(*cluster));
    CASE(c95_the_scope(*cluster));
    CASE(c96_calls_that_do_not_fit(*cluster));
    return 0;
}
