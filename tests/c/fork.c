/* A forked child: the parent's producers and clusters say FORKED at once, settings work, the parent goes on. */
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define F OTTLA_ERROR_FORKED

static void in_child(ottla_config_t *config, ottla_producer_t *producer, ottla_mock_cluster_t *own,
                     ottla_mock_cluster_t *borrowed, uint32_t topic)
{
    ottla_record_t record = OTTLA_RECORD_INIT;
    ottla_delivery_t delivery;
    ottla_metadata_t *metadata = NULL;
    ottla_error_t *error = NULL;
    size_t count = 0;
    uint32_t other;
    CHECK_EQUAL(ottla_producer_send(producer, topic, 0, NULL, 0, "v", 1, -1, 0), F);
    CHECK_EQUAL(ottla_producer_send_record(producer, &record, 0), F);
    CHECK_EQUAL(ottla_producer_send_batch(producer, &record, 1, sizeof record, 0, &count, NULL), F);
    CHECK_EQUAL(ottla_producer_topic_str(producer, "t", &other, NULL), F);
    CHECK_EQUAL(ottla_producer_poll(producer, &delivery, 1, -1, &count), F);
    CHECK_EQUAL(ottla_producer_flush(producer, -1, &error), F);
    CHECK(ottla_error_is_fatal(error) && strlen(ottla_error_message(error)) > 0);
    CHECK_OK(ottla_error_free(error));
    CHECK_EQUAL(ottla_producer_wait_ready(producer, -1, NULL), F);
    CHECK_EQUAL(ottla_producer_metadata(producer, &metadata, NULL), F);
    CHECK_EQUAL(ottla_producer_outstanding(producer, &count), F);
    CHECK_EQUAL(ottla_producer_close(producer, -1, NULL), F);
    CHECK_EQUAL(ottla_producer_free(producer), F);
    CHECK_EQUAL(ottla_mock_cluster_broker_down(own, 1), F);
    CHECK_EQUAL(ottla_mock_cluster_broker_down(borrowed, 1), F);
    CHECK_EQUAL(ottla_mock_cluster_free(own), F);

    /* A producer of its own works. */
    ottla_producer_t *mine = NULL;
    CHECK_OK(ottla_producer_new(config, NULL, &mine, NULL));
    topic = topic_of(mine, "child");
    CHECK_OK(ottla_producer_send(mine, topic, 0, NULL, 0, "v", 1, -1, 5));
    CHECK_OK(ottla_producer_poll(mine, &delivery, 1, SOON_MS, &count));
    CHECK(count == 1 && delivery.token == 5 && delivery.status == 0);
    CHECK_OK(ottla_producer_free(mine));
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
    return 0;
}
