/* A program with a race: one thread writes to the lengths that a call of another one reads. The step demands that
   ThreadSanitizer tells of it, and that it names the library's side; or its silence says nothing. */
#include <pthread.h>
#include <stdio.h>

#include "ottla.h"

static int32_t lengths[4];

static void *write_lengths(void *unused)
{
    for (size_t n = 0; n < 4; n++)
        ((volatile int32_t *)lengths)[n] = 1;
    return unused;
}

int main(void)
{
    ottla_config_t *config = NULL;
    ottla_producer_t *producer = NULL;
    ottla_columns_t columns = OTTLA_COLUMNS_INIT;
    pthread_t writer;
    size_t accepted = 0;
    int32_t status = ottla_config_new(&config);
    status = status ? status : ottla_config_set_str(config, "test.mock.num.brokers", "1", NULL);
    status = status ? status : ottla_producer_new(config, NULL, &producer, NULL);
    status = status ? status : ottla_producer_topic_str(producer, "t", &columns.topic, NULL);
    if (status != 0 || pthread_create(&writer, NULL, write_lengths, NULL) != 0) {
        fprintf(stderr, "%s\n", ottla_error_name(status));
        return 1;
    }
    columns.count = 4;
    columns.value.data = "four";
    columns.value.data_len = 4;
    columns.value.lengths = lengths;
    status = ottla_producer_send_columns(producer, &columns, 0, &accepted, NULL);
    fprintf(stderr, "%s\n", ottla_error_name(status));
    return 0;
}
