/* See harness.h. Modes:
 *   throughput  warm-up, then --messages records as fast as they go
 *   paced       warm-up, then --rate records a second for --seconds: latency from just before the send to the report
 *   idle        one record, a pause, then nothing for --seconds
 *   startup     one record
 * The result is one line of JSON. */
#define _GNU_SOURCE
#include "harness.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 64

struct options options = {
    .bootstrap = "127.0.0.1:9092", .topic = "bench", .mode = "throughput", .api = "single",
    .linger_ms = "5", .batch_size = "1000000", .idempotence = "false", .set = "", .messages = 1000000, .size = 100,
    .threads = 1, .rate = 10000, .seconds = 10, .memory_kb = 65536, .chunk = 1000,
};

static char *values, *keys;
static long value_count = 1, key_count;
static atomic_long acknowledged, failed;
static long long *sent_at; /* by token, in paced runs only */
static uint32_t *latency_ns;

void harness_die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(2);
}

/* ---- Clocks and counters of the process ---- */

static long long now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

struct usage {
    double user_s, system_s;
    long switches; /* voluntary, all threads alive now */
};

static long status_field(const char *path, const char *field)
{
    FILE *file = fopen(path, "r");
    char line[256];
    long value = 0;
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, field, strlen(field)))
            value = atol(line + strlen(field));
    if (file)
        fclose(file);
    return value;
}

static struct usage usage_now(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    struct usage u = {r.ru_utime.tv_sec + r.ru_utime.tv_usec / 1e6,
                      r.ru_stime.tv_sec + r.ru_stime.tv_usec / 1e6, 0};
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *task; tasks && (task = readdir(tasks));) {
        char path[300];
        snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
        if (task->d_name[0] != '.')
            u.switches += status_field(path, "voluntary_ctxt_switches:");
    }
    if (tasks)
        closedir(tasks);
    return u;
}

/* ---- Data ---- */

static char *read_pool(const char *path, long item, long *count)
{
    FILE *file = path ? fopen(path, "rb") : NULL;
    if (!file)
        harness_die(path ? path : "--values, --keys", "cannot be read");
    fseek(file, 0, SEEK_END);
    long length = ftell(file);
    rewind(file);
    char *pool = malloc(length);
    if (!pool || length < item || fread(pool, 1, length, file) != (size_t)length)
        harness_die(path, "cannot be read");
    fclose(file);
    *count = length / item;
    return pool;
}

struct record harness_record(long number)
{
    struct record r = {NULL, values + number % value_count * options.size, (uint64_t)number};
    if (options.key_size)
        r.key = keys + number % key_count * options.key_size;
    return r;
}

/* ---- Reports ---- */

static void take_latency(uint64_t token)
{
    latency_ns[token] = (uint32_t)(now_ns() - sent_at[token]);
}

void harness_acknowledged(uint64_t token)
{
    if (sent_at)
        take_latency(token);
    /* One writer at a time: no read-modify-write needed, for any client. */
    atomic_store_explicit(&acknowledged, atomic_load_explicit(&acknowledged, memory_order_relaxed) + 1,
                          memory_order_release);
}

void harness_acknowledged_all(const uint64_t *tokens, long count)
{
    for (long i = 0; sent_at && i < count; i++)
        take_latency(tokens[i]);
    atomic_store_explicit(&acknowledged,
                          atomic_load_explicit(&acknowledged, memory_order_relaxed) + count,
                          memory_order_release);
}

void harness_failed(long count, const char *why)
{
    if (atomic_fetch_add(&failed, count) == 0)
        fprintf(stderr, "first failure: %s\n", why);
}

long harness_settled(void)
{
    return atomic_load_explicit(&acknowledged, memory_order_acquire) + atomic_load(&failed);
}

/* ---- Sending ---- */

struct job {
    long first, count;
    bool serves;
};

static void *run_job(void *arg)
{
    struct job *job = arg;
    if (!strcmp(options.api, "batch"))
        client_send_batch(job->first, job->count, job->serves);
    else
        client_send(job->first, job->count, job->serves);
    return NULL;
}

/* Sends `count` records from all threads and waits until each is acknowledged or failed. */
static void send_round(long count)
{
    long target = harness_settled() + count, share = count / options.threads;
    pthread_t threads[THREADS_MAX];
    struct job jobs[THREADS_MAX];
    for (long i = 0; i < options.threads; i++) {
        jobs[i] = (struct job){share * i, share, i == 0};
        if (i == options.threads - 1)
            jobs[i].count = count - share * i;
        if (i > 0)
            pthread_create(&threads[i], NULL, run_job, &jobs[i]);
    }
    run_job(&jobs[0]);
    while (harness_settled() < target)
        client_serve(10);
    for (long i = 1; i < options.threads; i++)
        pthread_join(threads[i], NULL);
}

/* Sends on an absolute schedule; returns how late the latest send was, in ms. */
static double send_paced(long count)
{
    long target = harness_settled() + count;
    long long begin = now_ns(), step = 1000000000LL / options.rate, worst = 0;
    latency_ns = calloc(count, sizeof *latency_ns);
    sent_at = calloc(count, sizeof *sent_at);
    for (long i = 0; i < count;) {
        long long due = begin + i * step, now = now_ns();
        if (now < due) {
            struct timespec t = {due / 1000000000LL, due % 1000000000LL};
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
            continue;
        }
        if (now - due > worst)
            worst = now - due;
        sent_at[i] = now;
        client_send(i, 1, false);
        i++;
    }
    while (harness_settled() < target)
        usleep(200);
    return worst / 1e6;
}

/* ---- Results ---- */

static void print_head(void)
{
    printf("{\"client\":\"%s\",\"version\":\"%s\",\"mode\":\"%s\",\"api\":\"%s\"", client_name,
           client_version(), options.mode, options.api);
}

static void print_tail(void)
{
    printf(",\"acknowledged_total\":%ld,\"failed\":%ld,\"peak_kb\":%ld}\n", (long)acknowledged,
           (long)failed, status_field("/proc/self/status", "VmHWM:"));
    fflush(stdout);
    /* How long a client takes to close is not measured. */
    _exit(failed ? 1 : 0);
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void measure_startup(long long start)
{
    send_round(1);
    double to_ack_ms = (now_ns() - start) / 1e6;
    struct usage u = usage_now();
    print_head();
    printf(",\"main_to_ack_ms\":%.3f,\"cpu_ms\":%.3f", to_ack_ms, (u.user_s + u.system_s) * 1e3);
    print_tail();
}

static void measure_idle(void)
{
    send_round(1);
    sleep(1);
    struct usage before = usage_now();
    for (long long end = now_ns() + options.seconds * 1000000000LL, left; (left = end - now_ns()) > 0;)
        client_serve((int)(left / 1000000 + 1));
    struct usage after = usage_now();
    print_head();
    printf(",\"seconds\":%ld,\"cpu_ms\":%.3f,\"threads\":%ld,\"rss_kb\":%ld,\"switches\":%ld", options.seconds,
           (after.user_s - before.user_s + after.system_s - before.system_s) * 1e3,
           status_field("/proc/self/status", "Threads:"), status_field("/proc/self/status", "VmRSS:"),
           after.switches - before.switches);
    print_tail();
}

static void measure_load(bool paced)
{
    long count = paced ? options.rate * options.seconds : options.messages;
    double late_ms = 0;
    if (options.warmup)
        send_round(options.warmup);
    struct usage before = usage_now();
    long acknowledged_before = acknowledged;
    long long start = now_ns();
    if (paced)
        late_ms = send_paced(count);
    else
        send_round(count);
    double wall_s = (now_ns() - start) / 1e9;
    struct usage after = usage_now();
    long counted = acknowledged - acknowledged_before;
    double cpu_s = after.user_s - before.user_s + after.system_s - before.system_s;
    print_head();
    printf(",\"records\":%ld,\"wall_s\":%.6f,\"records_per_s\":%.0f,\"mb_per_s\":%.2f", counted, wall_s,
           counted / wall_s, counted * (double)(options.size + options.key_size) / wall_s / 1e6);
    printf(",\"cpu_user_s\":%.4f,\"cpu_system_s\":%.4f,\"cpu_ns_per_record\":%.1f,\"switches\":%ld",
           after.user_s - before.user_s, after.system_s - before.system_s, cpu_s * 1e9 / counted,
           after.switches - before.switches);
    if (paced) {
        qsort(latency_ns, count, sizeof *latency_ns, by_size);
        printf(",\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"p999_ms\":%.3f,\"max_ms\":%.3f,\"late_ms\":%.3f",
               latency_ns[count / 2] / 1e6, latency_ns[count * 99 / 100] / 1e6,
               latency_ns[count * 999 / 1000] / 1e6, latency_ns[count - 1] / 1e6, late_ms);
    }
    print_tail();
}

/* ---- Command line ---- */

static void parse(int argc, char **argv)
{
    const struct {
        const char *name;
        const char **text;
        long *number;
    } known[] = {
        {"--bootstrap", &options.bootstrap, NULL}, {"--topic", &options.topic, NULL},
        {"--mode", &options.mode, NULL},           {"--api", &options.api, NULL},
        {"--linger-ms", &options.linger_ms, NULL}, {"--batch-size", &options.batch_size, NULL},
        {"--idempotence", &options.idempotence, NULL},
        {"--set", &options.set, NULL},             {"--values", &options.values_file, NULL},
        {"--keys", &options.keys_file, NULL},      {"--messages", NULL, &options.messages},
        {"--warmup", NULL, &options.warmup},       {"--size", NULL, &options.size},
        {"--key-size", NULL, &options.key_size},   {"--threads", NULL, &options.threads},
        {"--rate", NULL, &options.rate},           {"--seconds", NULL, &options.seconds},
        {"--memory-kb", NULL, &options.memory_kb}, {"--chunk", NULL, &options.chunk},
    };
    for (int i = 1; i < argc; i += 2) {
        size_t k = 0;
        while (k < sizeof known / sizeof *known && strcmp(argv[i], known[k].name))
            k++;
        if (k == sizeof known / sizeof *known || i + 1 == argc)
            harness_die(argv[i], "unknown, or without a value");
        if (known[k].text)
            *known[k].text = argv[i + 1];
        else
            *known[k].number = atol(argv[i + 1]);
    }
    if (options.threads < 1 || options.threads > THREADS_MAX || options.rate < 1 || options.chunk < 1)
        harness_die("--threads, --rate, --chunk", "out of range");
}

void harness_extra_settings(void (*set)(const char *name, const char *value))
{
    char *copy = strdup(options.set), *rest = NULL;
    for (char *pair = strtok_r(copy, ",", &rest); pair; pair = strtok_r(NULL, ",", &rest)) {
        char *value = strchr(pair, '=');
        if (!value)
            harness_die("--set", "give name=value,name=value");
        *value++ = 0;
        set(pair, value);
    }
    free(copy);
}

int main(int argc, char **argv)
{
    long long start = now_ns();
    parse(argc, argv);
    values = read_pool(options.values_file, options.size, &value_count);
    if (options.key_size)
        keys = read_pool(options.keys_file, options.key_size, &key_count);
    bool paced = !strcmp(options.mode, "paced");
    client_open(paced);
    if (!strcmp(options.mode, "startup"))
        measure_startup(start);
    else if (!strcmp(options.mode, "idle"))
        measure_idle();
    else
        measure_load(paced);
}
