// Conformance, chapter "Memory and process".
#include <csignal>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance.hpp"

static void c70_all_memory_comes_back()
{
    ottla::Producer producer = producer_with();
    ottla::Topic topic = *producer.topic("t");
    for (std::uint64_t n = 0; n < 10000; n++)
        CHECK_DONE(producer.send(topic, "some value of some length", n));
    CHECK(*producer.metric("buffer-available-bytes") < *producer.metric("buffer-total-bytes"));
    take(producer, 10000);
    CHECK(*producer.metric("buffer-total-bytes") > 0);
    CHECK(*producer.metric("buffer-available-bytes") == *producer.metric("buffer-total-bytes"));
    expect_nothing_left(producer);
}

static long resident_bytes()
{
    long all = 0, resident = 0;
    std::FILE *statm = std::fopen("/proc/self/statm", "r");
    if (statm == nullptr)
        return 0;
    CHECK(std::fscanf(statm, "%ld %ld", &all, &resident) == 2);
    std::fclose(statm);
    return resident * sysconf(_SC_PAGESIZE);
}

static void fail_in_every_way(ottla::Producer &producer, ottla::Topic topic, const std::string &huge)
{
    ottla::Config config;
    CHECK_EQUAL(code_of(config.set("acks", "7")), OTTLA_ERROR_CONFIG);
    CHECK_EQUAL(code_of(ottla::Producer::open(config, [](const ottla::Reports &) {})), OTTLA_ERROR_CONFIG);
    CHECK_EQUAL(code_of(producer.topic("no topic")), OTTLA_ERROR_ARGUMENT);
    CHECK_EQUAL(code_of(producer.metric("no-such")), OTTLA_ERROR_ARGUMENT);
    CHECK_EQUAL(code_of(producer.send(topic, text("v", 0, 9), OTTLA_SEND_NO_WAIT)),
                OTTLA_ERROR_UNKNOWN_PARTITION);
    CHECK_EQUAL(code_of(producer.send(topic, text(huge))), OTTLA_ERROR_RECORD_TOO_LARGE);
    ottla::Record no_text = text("v");
    no_text.headers = {{"\xff", std::nullopt}};
    CHECK_EQUAL(code_of(producer.send(topic, no_text)), OTTLA_ERROR_ARGUMENT);
    CHECK_DONE(producer.mock_cluster()->push_errors(produce_api, {OTTLA_ERROR_TOPIC_AUTHORIZATION_FAILED}));
    CHECK_DONE(producer.send(topic, text("v")));
    auto report = take(producer, 1)[0];
    CHECK_EQUAL(report.status, OTTLA_ERROR_TOPIC_AUTHORIZATION_FAILED);
    CHECK(!producer.message(report).empty());
}

static void c71_failing_over_and_over_costs_no_memory()
{
    ottla::Producer producer = producer_with({{"linger.ms", "0"}, {"buffer.memory", "4194304"}});
    ottla::Topic topic = known_topic(producer, "t");
    std::string huge(2000000, 'x');
    long before = 0;
    ottla::Config config;
    for (int round = 0; round < 1200; round++) {
        if (round == 200)
            before = resident_bytes();
        // The errors alone: one that nobody frees is small.
        for (int n = 0; n < 100; n++)
            CHECK_EQUAL(code_of(config.set("acks", "7")), OTTLA_ERROR_CONFIG);
        fail_in_every_way(producer, topic, huge);
    }
#ifndef __SANITIZE_ADDRESS__ /* which keeps freed memory for a while */
    CHECK(resident_bytes() - before <= 8 << 20);
#else
    (void)before;
#endif
}

// Runs a body in a forked child and gives its exit code.
template <class Body> int exit_code_of(Body body)
{
    int status = -1;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(60);
        body();
        std::exit(1);
    }
    CHECK(waitpid(child, &status, 0) == child);
    if (!WIFEXITED(status))
        std::fprintf(stderr, "ended by signal %d\n", WTERMSIG(status));
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void c80_a_forked_child_is_refused()
{
    auto producer = producer_with();
    ottla::Topic topic = known_topic(producer, "t");
    CHECK_DONE(producer.send(topic, text("0")));
#ifdef __SANITIZE_ADDRESS__ /* whose allocator has locks that a fork does not give back: no thread may be in it */
    CHECK_DONE(producer.flush(soon));
    std::this_thread::sleep_for(1s);
#endif
    int code = exit_code_of([&] {
        {
            ottla::Producer parents = std::move(producer);
            auto sent = parents.send(topic, text("v"));
            CHECK_EQUAL(code_of(sent), OTTLA_ERROR_FORKED);
            CHECK(sent.error().is_fatal());
            CHECK_EQUAL(code_of(parents.poll(ottla::forever)), OTTLA_ERROR_FORKED);
            CHECK_EQUAL(code_of(parents.flush()), OTTLA_ERROR_FORKED);
            CHECK_EQUAL(code_of(parents.outstanding()), OTTLA_ERROR_FORKED);
            CHECK_EQUAL(code_of(parents.metadata()), OTTLA_ERROR_FORKED);
            CHECK_EQUAL(code_of(parents.mock_cluster()), OTTLA_ERROR_FORKED);
            CHECK_EQUAL(code_of(parents.close()), OTTLA_ERROR_FORKED);
        } // and its end does not hang
        ottla::Producer mine = producer_with();
        CHECK_DONE(mine.send(*mine.topic("child"), text("v", 5)));
        CHECK_EQUAL(take(mine, 1)[0].token, 5);
        _exit(0);
    });
    CHECK_EQUAL(code, 0);
    CHECK_DONE(producer.send(topic, text("1")));
    take(producer, 2);
    expect_numbers(producer, "t", 2);
}

// Destroyed by exit() while other threads are inside.
static std::optional<ottla::Producer> at_exit;

static void c81_the_process_ends_as_it_likes()
{
    for (bool closing : {false, true}) {
        int code = exit_code_of([closing] {
            at_exit.emplace(producer_with());
            ottla::Topic topic = known_topic(*at_exit, "t");
            silence(*at_exit);
            for (std::uint64_t n = 0; n < 10000; n++)
                CHECK_DONE(at_exit->send(topic, "v", n));
            ottla_producer_t *handle = at_exit->get();
            std::thread([handle] { ottla_producer_flush(handle, -1, nullptr); }).detach();
            if (closing)
                std::thread([handle] { ottla_producer_close(handle, -1, nullptr); }).detach();
            std::this_thread::sleep_for(50ms);
            std::exit(7);
        });
        CHECK_EQUAL(code, 7);
    }
}

static std::atomic<int> signals{0};

// C82: a library does not hear signals: the program's handler runs at once, and the wait goes on.
static void c82_a_signal_is_the_programs()
{
    ottla::Producer producer = producer_with();
    ottla::Topic topic = known_topic(producer, "t");
    silence(producer);
    struct sigaction action = {};
    action.sa_handler = [](int) { signals++; };
    CHECK(sigaction(SIGUSR1, &action, nullptr) == 0);
    std::atomic<bool> enough{false};
    std::thread sender([&enough, waiting = pthread_self()] {
        while (!enough) {
            std::this_thread::sleep_for(20ms);
            CHECK(pthread_kill(waiting, SIGUSR1) == 0);
        }
    });
    auto heard = [](std::int32_t wanted, auto call) {
        int before = signals;
        auto since = Clock::now();
        CHECK_EQUAL(code_of(call()), wanted);
        CHECK(within(since, 480ms, 30s) && signals > before);
    };
    heard(0, [&] { return producer.poll(500ms); });
    CHECK_DONE(producer.send(topic, text("v")));
    heard(OTTLA_ERROR_TIMED_OUT, [&] { return producer.flush(500ms); });
    heard(OTTLA_ERROR_TIMED_OUT, [&] { return producer.close(500ms); });
    enough = true;
    sender.join();
}

int main()
{
    CASE(c81_the_process_ends_as_it_likes()); // before there are threads
    CASE(c80_a_forked_child_is_refused());
    CASE(c70_all_memory_comes_back());
    CASE(c71_failing_over_and_over_costs_no_memory());
    CASE(c82_a_signal_is_the_programs());
    return 0;
}
