/* What every client of the bench has in common: command line, data, threads, pacing, measuring, the result.
 * A client is one more file that defines the client_... functions; nothing here knows which one it is. */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct options {
    const char *bootstrap, *topic, *mode, *api, *linger_ms, *batch_size, *idempotence, *set;
    const char *values_file, *keys_file;
    long messages, warmup, size, key_size, threads, rate, seconds, memory_kb, chunk;
};

/* One record: the bytes live as long as the process. */
struct record {
    const char *key, *value; /* key NULL: none */
    uint64_t token;
};

extern struct options options;

/* ---- What the harness gives to clients ---- */

/* The record with this number; the same for every client. */
struct record harness_record(long number);
/* Calls `set` for each setting of the loads and of --set; the same names for every client unless noted there. */
void harness_extra_settings(void (*set)(const char *name, const char *value));
/* A record was acknowledged; in paced runs its latency is taken now. One thread at a time. */
void harness_acknowledged(uint64_t token);
/* Many were, for clients that know them by the batch. One thread at a time. */
void harness_acknowledged_all(const uint64_t *tokens, long count);
/* Records came back with an error. */
void harness_failed(long count, const char *why);
/* Records acknowledged or failed so far. */
long harness_settled(void);
void harness_die(const char *what, const char *why);

/* ---- What a client defines ---- */

extern const char *client_name;
const char *client_version(void);
/* Connects lazily. `thread`: reports are taken by a thread of the client's own, not in client_serve. */
void client_open(bool thread);
/* Sends records number `first` to `first + count - 1`, waiting for room; `serves` is set on the one thread that
 * also takes reports. */
void client_send(long first, long count, bool serves);
/* The same through the call that takes many records, `options.chunk` at a time. */
void client_send_batch(long first, long count, bool serves);
/* Takes reports for at most so long. */
void client_serve(int milliseconds);

#endif
