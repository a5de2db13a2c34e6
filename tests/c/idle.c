/* What a producer with nothing to do costs, from /proc: threads, memory, and wake-ups of its threads. The cluster is a
 * process of its own (this program, forked before the library has run), so that what is measured is the producer. */
#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define NAME_MAX_ 32
#define DEFAULT_MAX_AGE_MS "300000"

/* In a child: a cluster of one broker, until it is ended. */
static pid_t start_cluster(char *bootstrap, size_t capacity)
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        /* Else a check that fails would leave a process behind that holds the output open. */
        CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
        ottla_mock_cluster_t *cluster = NULL;
        CHECK_OK(ottla_mock_cluster_new(1, &cluster, NULL));
        const char *address = ottla_mock_cluster_bootstrap_servers(cluster);
        CHECK(write(ends[1], address, strlen(address)) == (ssize_t)strlen(address));
        close(ends[1]);
        for (;;)
            pause();
    }
    close(ends[1]);
    ssize_t len = read(ends[0], bootstrap, capacity - 1);
    CHECK(len > 0);
    bootstrap[len] = '\0';
    close(ends[0]);
    return child;
}

/* A number behind `name` in /proc/self/task/`task`/status. */
static long status_of(const char *task, const char *name)
{
    char path[300], line[200];
    long value = -1;
    snprintf(path, sizeof path, "/proc/self/task/%s/status", task);
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtol(line + strlen(name), NULL, 10);
    fclose(file);
    CHECK(value >= 0);
    return value;
}

struct threads {
    size_t count;
    char ids[16][NAME_MAX_];
    char names[16][NAME_MAX_];
    /* How often each went to sleep. */
    long sleeps[16];
};

/* Every thread but the one that asks. */
static struct threads others(void)
{
    struct threads found = {0};
    char own[NAME_MAX_];
    snprintf(own, sizeof own, "%d", (int)getpid());
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks != NULL);
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        char path[300];
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, own) == 0)
            continue;
        CHECK(found.count < 16);
        snprintf(found.ids[found.count], NAME_MAX_, "%.20s", entry->d_name);
        snprintf(path, sizeof path, "/proc/self/task/%.20s/comm", entry->d_name);
        FILE *file = fopen(path, "r");
        CHECK(file != NULL && fgets(found.names[found.count], NAME_MAX_, file) != NULL);
        fclose(file);
        found.names[found.count][strcspn(found.names[found.count], "\n")] = '\0';
        found.sleeps[found.count] = status_of(entry->d_name, "voluntary_ctxt_switches:");
        found.count++;
    }
    closedir(tasks);
    return found;
}

static void expect(const struct threads *threads, size_t count)
{
    if (threads->count != count)
        for (size_t i = 0; i < threads->count; i++)
            fprintf(stderr, "thread %s\n", threads->names[i]);
    CHECK_EQUAL(threads->count, count);
}

static void on_delivery(const ottla_report_t *reports, size_t count, size_t stride, void *env)
{
    for (size_t i = 0; i < count; i++)
        *(volatile size_t *)env += ottla_report_at(reports, stride, i)->count;
}

static ottla_producer_t *idle_producer(const char *bootstrap, const ottla_callbacks_t *callbacks,
                                       const char *max_age_ms)
{
    ottla_config_t *config = NULL;
    ottla_producer_t *producer = NULL;
    CHECK_OK(ottla_config_new(&config));
    CHECK_OK(ottla_config_set_str(config, "bootstrap.servers", bootstrap, NULL));
    CHECK_OK(ottla_config_set_str(config, "metadata.max.age.ms", max_age_ms, NULL));
    CHECK_OK(ottla_producer_new(config, callbacks, &producer, NULL));
    CHECK_OK(ottla_config_free(config));
    /* It has worked before: connected, a topic known, a batch sent and reported. */
    CHECK_OK(ottla_producer_send(producer, topic_of(producer, "t"), 0, NULL, 0, "v", 1, -1, 0));
    CHECK_OK(ottla_producer_flush(producer, SOON_MS, NULL));
    return producer;
}

/* How often the library's threads, so many, wake in three seconds. */
static long wakes(size_t threads)
{
    long sum = 0;
    usleep(500000);
    struct threads before = others();
    expect(&before, threads);
    usleep(3000000);
    struct threads after = others();
    expect(&after, threads);
    for (size_t i = 0; i < threads; i++) {
        CHECK(strcmp(before.ids[i], after.ids[i]) == 0);
        CHECK(strncmp(before.names[i], "ottla", 5) == 0);
        sum += after.sleeps[i] - before.sleeps[i];
    }
    return sum;
}

/* Three seconds without any: not necessarily the first ones, because a busy machine may still be at what was before. */
static void expect_sleep(size_t threads)
{
    long woken = 1;
    for (int i = 0; i < 5 && woken > 0; i++)
        woken = wakes(threads);
    CHECK_EQUAL(woken, 0);
}

int main(void)
{
    char bootstrap[64], own[NAME_MAX_];
    pid_t cluster = start_cluster(bootstrap, sizeof bootstrap);
    struct threads none = others();
    expect(&none, 0);

    /* Polled: one thread, and no deadline of the defaults lies in the next seconds. */
    ottla_producer_t *producer = idle_producer(bootstrap, NULL, DEFAULT_MAX_AGE_MS);
    expect_sleep(1);
    snprintf(own, sizeof own, "%d", (int)getpid());
    long resident = status_of(own, "VmRSS:");
    printf("idle: %ld kB resident, 1 thread, no wake-ups\n", resident);
#ifdef RSS_LIMIT_KB /* of a library as it is shipped: tests/steps/idle */
    CHECK(resident < RSS_LIMIT_KB);
#endif
    CHECK_OK(ottla_producer_free(producer));
    none = others();
    expect(&none, 0);

    /* With a callback: the dispatcher beside it. */
    volatile size_t reported = 0;
    ottla_callbacks_t callbacks = OTTLA_CALLBACKS_INIT;
    callbacks.on_delivery = on_delivery;
    callbacks.delivery_env = (void *)(uintptr_t)&reported;
    producer = idle_producer(bootstrap, &callbacks, DEFAULT_MAX_AGE_MS);
    CHECK_EQUAL(reported, 1);
    expect_sleep(2);
    CHECK_OK(ottla_producer_free(producer));
    none = others();
    expect(&none, 0);

    /* That a wake-up would have been seen: metadata that ages within a second makes some. */
    producer = idle_producer(bootstrap, NULL, "1000");
    CHECK(wakes(1) >= 2);
    CHECK_OK(ottla_producer_free(producer));

    CHECK(kill(cluster, SIGTERM) == 0);
    CHECK(waitpid(cluster, NULL, 0) == cluster);
    return 0;
}
