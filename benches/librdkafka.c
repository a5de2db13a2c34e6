/* librdkafka as a client of the bench, in the way that was fastest for it: records are copied, reports are taken
 * by the first sending thread every 1,000 records (every record: slower; a thread of its own: no faster). */
#include "librdkafka.h"
#include "harness.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORDS_PER_POLL 1000

const char *client_name = "librdkafka";

static rd_kafka_t *producer;
static rd_kafka_topic_t *topic;
static rd_kafka_conf_t *conf;
static bool has_thread;

const char *client_version(void)
{
    return rd_kafka_version_str();
}

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    (void)opaque;
    if (message->err)
        harness_failed(1, rd_kafka_err2str(message->err));
    else
        harness_acknowledged((uint64_t)(uintptr_t)message->_private);
}

static void set(const char *name, const char *value)
{
    char error[256];
    if (rd_kafka_conf_set(conf, name, value, error, sizeof error) != RD_KAFKA_CONF_OK)
        harness_die(name, error);
}

static void *poll_always(void *unused)
{
    for (;;)
        rd_kafka_poll(producer, 100);
    return unused;
}

void client_open(bool thread)
{
    char error[512], memory_kb[32];
    snprintf(memory_kb, sizeof memory_kb, "%ld", options.memory_kb);
    conf = rd_kafka_conf_new();
    set("bootstrap.servers", options.bootstrap);
    set("acks", "all");
    set("linger.ms", options.linger_ms);
    set("batch.size", options.batch_size);
    set("enable.idempotence", options.idempotence);
    /* Else batches end at 10,000 records, and the queue at 100,000. */
    set("batch.num.messages", "1000000");
    set("queue.buffering.max.messages", "500000");
    set("queue.buffering.max.kbytes", memory_kb);
    /* As Java's default; librdkafka's own is CRC-32. */
    set("partitioner", "murmur2_random");
    harness_extra_settings(set);
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
    if (!producer)
        harness_die("rd_kafka_new", error);
    topic = rd_kafka_topic_new(producer, options.topic, NULL);
    has_thread = thread;
    pthread_t poller;
    if (thread)
        pthread_create(&poller, NULL, poll_always, NULL);
}

void client_serve(int milliseconds)
{
    if (has_thread)
        usleep(200);
    else
        rd_kafka_poll(producer, milliseconds);
}

static void wait_for_room(bool serves)
{
    if (serves && !has_thread)
        rd_kafka_poll(producer, 5);
    else
        usleep(500);
}

void client_send(long first, long count, bool serves)
{
    for (long i = 0; i < count; i++) {
        struct record r = harness_record(first + i);
        while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, (void *)r.value, options.size,
                                r.key, options.key_size, (void *)(uintptr_t)r.token) == -1) {
            int error = rd_kafka_last_error();
            if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL)
                harness_die("rd_kafka_produce", rd_kafka_err2str(error));
            wait_for_room(serves);
        }
        if (serves && !has_thread && i % RECORDS_PER_POLL == 0)
            rd_kafka_poll(producer, 0);
    }
}

static long keep_refused(rd_kafka_message_t *messages, long count)
{
    long kept = 0;
    for (long i = 0; i < count; i++)
        if (messages[i].err) {
            messages[i].err = 0;
            messages[kept++] = messages[i];
        }
    return kept;
}

void client_send_batch(long first, long count, bool serves)
{
    rd_kafka_message_t *messages = calloc(options.chunk, sizeof *messages);
    for (long done = 0; done < count;) {
        long now = count - done < options.chunk ? count - done : options.chunk, left = now;
        for (long i = 0; i < now; i++) {
            struct record r = harness_record(first + done + i);
            messages[i] = (rd_kafka_message_t){
                .payload = (void *)r.value, .len = options.size, .key = (void *)r.key,
                .key_len = options.key_size, ._private = (void *)(uintptr_t)r.token};
        }
        while (left > 0) {
            long taken = rd_kafka_produce_batch(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, messages, left);
            if (taken < left) {
                left = keep_refused(messages, left);
                wait_for_room(serves);
            } else {
                left = 0;
                if (serves && !has_thread)
                    rd_kafka_poll(producer, 0);
            }
        }
        done += now;
    }
    free(messages);
}
