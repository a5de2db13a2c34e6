/* What the C tests share: checks that print where they failed and end the program. */
#ifndef OTTLA_TESTS_CHECK_H
#define OTTLA_TESTS_CHECK_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ottla.h>

#define CHECK(condition)                                                                            \
    do {                                                                                            \
        if (!(condition)) {                                                                         \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                         \
            exit(1);                                                                                \
        }                                                                                           \
    } while (0)

/* Compares two integers and shows both. */
#define CHECK_EQUAL(got, expected)                                                                  \
    do {                                                                                            \
        long long got_ = (long long)(got), expected_ = (long long)(expected);                       \
        if (got_ != expected_) {                                                                    \
            fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #got, got_,        \
                    expected_);                                                                     \
            exit(1);                                                                                \
        }                                                                                           \
    } while (0)

/* A status that must be 0, with the text if it is not. */
#define CHECK_OK(call)                                                                              \
    do {                                                                                            \
        int32_t status_ = (call);                                                                   \
        if (status_ != 0) {                                                                         \
            char text_[512];                                                                        \
            ottla_last_error_message(text_, sizeof text_);                                          \
            fprintf(stderr, "%s:%d: %s: %s: %s\n", __FILE__, __LINE__, #call,                       \
                    ottla_error_name(status_), text_);                                              \
            exit(1);                                                                                \
        }                                                                                           \
    } while (0)

/* Says which cases of bindings/conformance.md were just shown, in a text that names them; bindings/conformance.py looks
 * whether all are. */
static inline void conforms(const char *cases)
{
    const char *path = getenv("OTTLA_CONFORMANCE");
    FILE *file = path == NULL ? NULL : fopen(path, "a");
    if (path == NULL)
        return;
    CHECK(file != NULL);
    CHECK(fprintf(file, "%s\n", cases) > 0);
    CHECK(fclose(file) == 0);
}

/* A call of a function that has the number of its case in its name. */
#define CASE(call)                                                                                  \
    do {                                                                                            \
        call;                                                                                       \
        conforms(#call);                                                                            \
    } while (0)

#define SOON_MS 20000

/* Settings for a producer on an embedded cluster of three brokers. */
static inline ottla_config_t *embedded(void)
{
    ottla_config_t *config = NULL;
    CHECK_OK(ottla_config_new(&config));
    CHECK_OK(ottla_config_set_str(config, "test.mock.num.brokers", "3", NULL));
    CHECK_OK(ottla_config_set_str(config, "report.timestamps", "true", NULL));
    return config;
}

/* A producer on an embedded cluster. */
static inline ottla_producer_t *embedded_producer(const ottla_callbacks_t *callbacks)
{
    ottla_config_t *config = embedded();
    ottla_producer_t *producer = NULL;
    CHECK_OK(ottla_producer_new(config, callbacks, &producer, NULL));
    CHECK_OK(ottla_config_free(config));
    return producer;
}

static inline uint32_t topic_of(ottla_producer_t *producer, const char *name)
{
    uint32_t topic = UINT32_MAX;
    CHECK_OK(ottla_producer_topic_str(producer, name, &topic, NULL));
    return topic;
}

#endif
