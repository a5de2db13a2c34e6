/* Consumes, transforms and produces in transactions: what a user's exactly-once program does. The input comes from
 * `kafka-dev read-group`, on standard input; answers to it go to standard output (see GroupReader.java).
 *
 *     transform BOOTSTRAP OUTPUT_TOPIC INPUT_TOPIC TRANSACTIONAL_ID GROUP ABORT_EVERY [SETTING=VALUE...]
 *
 * Each input becomes one output in the same partition, keyed by its place and with its value turned round. Every
 * ABORT_EVERY-th transaction is aborted by the program itself (0: none). Ends with 0 when the input is used up, with 3
 * when the producer's life is over (it was fenced, say), with 2 when a call answered what it must not.
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <ottla.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENDED_WRONGLY = 2, PRODUCER_IS_OVER = 3 };
enum { PARTITIONS_MAX = 64, VALUE_MAX = 64, CALL_LIMIT_MS = 5000 };

typedef struct {
    ottla_producer_t *producer;
    const char *input_topic, *group;
    uint32_t output_topic;
    /* Of the transaction. */
    bool is_open, is_broken;
    int64_t next_offset[PARTITIONS_MAX];
    char member[256];
    int32_t generation;
    uint64_t transactions, abort_every;
} program;

/* How a call about transactions ended. */
typedef enum { WENT_WELL, CALL_AGAIN, MUST_ABORT } ending;

static void wrong(const char *what)
{
    fprintf(stderr, "%s must not be\n", what);
    exit(ENDED_WRONGLY);
}

/* `place` is where the call has put its error: read only here, since C evaluates arguments in any order. */
static ending judge(int32_t status, ottla_error_t **place, const char *what)
{
    ottla_error_t *error = *place;
    *place = NULL;
    if (status == OTTLA_ERROR_NONE)
        return WENT_WELL;
    if (!error)
        wrong(what);
    bool again = ottla_error_is_retriable(error), abort = ottla_error_is_abortable(error);
    bool over = ottla_error_is_fatal(error);
    fprintf(stderr, "%s: %s: %s%s%s%s\n", what, ottla_error_name(status), ottla_error_message(error),
            again ? " (retriable)" : "", abort ? " (abortable)" : "", over ? " (fatal)" : "");
    ottla_error_free(error);
    if (over)
        exit(PRODUCER_IS_OVER);
    if (abort)
        return MUST_ABORT;
    if (again || status == OTTLA_ERROR_TIMED_OUT)
        return CALL_AGAIN;
    exit(ENDED_WRONGLY);
}

static void must(int32_t status, ottla_error_t **error, const char *what)
{
    if (judge(status, error, what) != WENT_WELL)
        exit(ENDED_WRONGLY);
}

static void answer(const char *word)
{
    puts(word);
    fflush(stdout);
}

static void begin(program *it)
{
    ottla_error_t *error = NULL;
    must(ottla_producer_begin_transaction(it->producer, &error), &error, "begin");
    it->is_open = true;
    it->is_broken = false;
    for (int partition = 0; partition < PARTITIONS_MAX; partition++)
        it->next_offset[partition] = -1;
}

static size_t decode(const char *text, char *into)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0, count = 0;
    size_t size = 0;
    for (; *text && *text != '='; text++) {
        const char *letter = strchr(letters, *text);
        if (!letter)
            wrong(text);
        bits = bits << 6 | (uint32_t)(letter - letters);
        count += 6;
        if (count >= 8 && size < VALUE_MAX) {
            count -= 8;
            into[size++] = (char)(bits >> count & 0xff);
        }
    }
    return size;
}

static void take(program *it, const char *line)
{
    int32_t partition;
    int64_t offset;
    char text[2 * VALUE_MAX], value[VALUE_MAX], key[64];
    if (sscanf(line, "record %" SCNd32 " %" SCNd64 " %127s", &partition, &offset, text) != 3
        || partition < 0 || partition >= PARTITIONS_MAX)
        wrong(line);
    if (!it->is_open)
        begin(it);
    it->next_offset[partition] = offset + 1;
    if (it->is_broken)
        return;
    size_t len = decode(text, value);
    for (size_t left = 0; left < len / 2; left++) {
        char swapped = value[left];
        value[left] = value[len - 1 - left];
        value[len - 1 - left] = swapped;
    }
    int key_len = snprintf(key, sizeof key, "%" PRId32 "-%" PRId64, partition, offset);
    int32_t status = ottla_producer_send(it->producer, it->output_topic, partition, key, (size_t)key_len, value, len,
                                         OTTLA_TIMESTAMP_NOW, 0);
    if (status == OTTLA_ERROR_NONE)
        return;
    char words[512];
    ottla_last_error_message(words, sizeof words);
    fprintf(stderr, "send: %s: %s\n", ottla_error_name(status), words);
    if (ottla_error_flags(status) & OTTLA_ERROR_FLAG_FATAL)
        exit(PRODUCER_IS_OVER);
    it->is_broken = true;
}

static ending send_offsets(program *it)
{
    ottla_group_metadata_t *group = NULL;
    ottla_error_t *error = NULL;
    must(ottla_group_metadata_new(it->group, strlen(it->group), it->generation, it->member, strlen(it->member), NULL, 0,
                                  &group, &error), &error, "group");
    ottla_group_offset_t offsets[PARTITIONS_MAX];
    size_t count = 0;
    for (int32_t partition = 0; partition < PARTITIONS_MAX; partition++) {
        if (it->next_offset[partition] < 0)
            continue;
        offsets[count] = (ottla_group_offset_t)OTTLA_GROUP_OFFSET_INIT;
        offsets[count].topic = it->input_topic;
        offsets[count].topic_len = strlen(it->input_topic);
        offsets[count].partition = partition;
        offsets[count++].offset = it->next_offset[partition];
    }
    ending how;
    do {
        how = judge(ottla_producer_send_offsets_to_transaction(it->producer, offsets, count, sizeof *offsets, group,
                                                               CALL_LIMIT_MS, &error), &error, "offsets");
    } while (how == CALL_AGAIN);
    ottla_group_metadata_free(group);
    return how;
}

static ending commit(program *it)
{
    ending how;
    do {
        ottla_error_t *error = NULL;
        how = judge(ottla_producer_commit_transaction(it->producer, CALL_LIMIT_MS, &error), &error, "commit");
    } while (how == CALL_AGAIN);
    return how;
}

static void give_up(program *it)
{
    ending how;
    do {
        ottla_error_t *error = NULL;
        how = judge(ottla_producer_abort_transaction(it->producer, CALL_LIMIT_MS, &error), &error, "abort");
    } while (how != WENT_WELL);
}

static void end_batch(program *it)
{
    bool own_wish = it->abort_every && ++it->transactions % it->abort_every == 0;
    // An abort of our own sometimes comes before the offsets, sometimes behind them.
    bool early = own_wish && it->transactions % 2;
    bool committed = !it->is_broken && !early && send_offsets(it) == WENT_WELL && !own_wish && commit(it) == WENT_WELL;
    if (!committed)
        give_up(it);
    it->is_open = false;
    answer(committed ? "next" : "rewind");
}

static void on_delivery(const ottla_report_t *reports, size_t count, size_t stride, void *env)
{
    (void)env;
    for (size_t at = 0; at < count; at++) {
        const ottla_report_t *report = ottla_report_at(reports, stride, at);
        if (report->status != OTTLA_ERROR_NONE && report->status != OTTLA_ERROR_ABORTED)
            fprintf(stderr, "%zu records: %s: %.*s\n", report->count, ottla_error_name(report->status),
                    (int)report->message_len, report->message ? report->message : "");
    }
}

static void open_producer(program *it, char **words, int count)
{
    ottla_config_t *config = NULL;
    ottla_error_t *error = NULL;
    must(ottla_config_new(&config), &error, "config");
    must(ottla_config_set_str(config, "bootstrap.servers", words[1], &error), &error, words[1]);
    must(ottla_config_set_str(config, "transactional.id", words[4], &error), &error, words[4]);
    for (int at = 7; at < count; at++) {
        char *value = strchr(words[at], '=');
        if (!value)
            wrong(words[at]);
        *value++ = 0;
        must(ottla_config_set_str(config, words[at], value, &error), &error, words[at]);
    }
    ottla_callbacks_t callbacks = OTTLA_CALLBACKS_INIT;
    callbacks.on_delivery = on_delivery;
    must(ottla_producer_new(config, &callbacks, &it->producer, &error), &error, "producer");
    ottla_config_free(config);
    must(ottla_producer_topic(it->producer, words[2], strlen(words[2]), &it->output_topic, &error), &error, words[2]);
    ending how;
    do {
        how = judge(ottla_producer_init_transactions(it->producer, CALL_LIMIT_MS, &error), &error, "init");
    } while (how == CALL_AGAIN);
    if (how != WENT_WELL)
        exit(ENDED_WRONGLY);
}

int main(int count, char **words)
{
    if (count < 7) {
        fputs("usage: transform BOOTSTRAP OUTPUT_TOPIC INPUT_TOPIC TRANSACTIONAL_ID GROUP ABORT_EVERY [SETTING=VALUE...]\n",
              stderr);
        return ENDED_WRONGLY;
    }
    program it = {.input_topic = words[3], .group = words[5], .abort_every = strtoull(words[6], NULL, 10)};
    open_producer(&it, words, count);
    char line[512];
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "group %" SCNd32 " %255s", &it.generation, it.member) == 2)
            continue;
        if (strncmp(line, "record ", 7) == 0)
            take(&it, line);
        else if (strcmp(line, "batch\n") == 0)
            end_batch(&it);
        else if (strcmp(line, "done\n") == 0) {
            ottla_error_t *error = NULL;
            must(ottla_producer_close(it.producer, CALL_LIMIT_MS, &error), &error, "close");
            ottla_producer_free(it.producer);
            return 0;
        } else
            wrong(line);
    }
    fputs("the reader is gone\n", stderr);
    return ENDED_WRONGLY;
}
