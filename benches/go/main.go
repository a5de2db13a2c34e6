// Command bench measures a Go producer: confluent-kafka-go, or, built with -modfile=ottla.mod, ottla in its place. The
// program is the same, written as users write it: Produce in a loop, reports from Events in a goroutine. It takes the
// arguments of harness.c that it needs, and prints the same line of JSON.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

var (
	bootstrap = flag.String("bootstrap", "127.0.0.1:9092", "")
	topic     = flag.String("topic", "bench", "")
	mode      = flag.String("mode", "throughput", "throughput only")
	linger    = flag.String("linger-ms", "5", "")
	messages  = flag.Int("messages", 1_000_000, "")
	warmup    = flag.Int("warmup", 0, "")
	size      = flag.Int("size", 100, "")
	memory    = flag.Int("memory-kb", 65_536, "")
	values    = flag.String("values", "", "")

	acknowledged, failed atomic.Int64
)

func main() {
	flag.Parse()
	pool, err := os.ReadFile(*values)
	check(err)
	producer, err := kafka.NewProducer(&kafka.ConfigMap{
		"bootstrap.servers": *bootstrap, "acks": "all", "linger.ms": *linger, "batch.size": 1_000_000,
		"enable.idempotence": false, "batch.num.messages": 1_000_000, "queue.buffering.max.messages": 500_000,
		"queue.buffering.max.kbytes": *memory, "partitioner": "murmur2_random",
	})
	check(err)
	go count(producer)
	send(producer, pool, *warmup)
	before, begun := cpu(), time.Now()
	send(producer, pool, *messages)
	wall, used := time.Since(begun).Seconds(), cpu()-before
	_, version := kafka.LibraryVersion()
	client := "confluent-go"
	if strings.Contains(version, "ottla") {
		client = "ottla-go"
	}
	count := float64(*messages)
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"client": client, "version": version, "mode": *mode, "api": "single", "records": *messages, "wall_s": wall,
		"records_per_s": count / wall, "mb_per_s": count * float64(*size) / wall / 1e6,
		"cpu_ns_per_record": used * 1e9 / count, "acknowledged_total": acknowledged.Load(), "failed": failed.Load(),
		"peak_kb": peak(),
	}))
	os.Exit(min(int(failed.Load()), 1))
}

func count(producer *kafka.Producer) {
	for event := range producer.Events() {
		switch event := event.(type) {
		case *kafka.Message:
			if event.TopicPartition.Error != nil {
				failed.Add(1)
				fmt.Fprintln(os.Stderr, event.TopicPartition)
			} else {
				acknowledged.Add(1)
			}
		case kafka.Error:
			fmt.Fprintln(os.Stderr, event)
		}
	}
}

// send sends so many messages and waits until they are reported.
func send(producer *kafka.Producer, pool []byte, count int) {
	target := acknowledged.Load() + failed.Load() + int64(count)
	items := len(pool) / *size
	for n := range count {
		at := n % items * *size
		message := kafka.Message{
			TopicPartition: kafka.TopicPartition{Topic: topic, Partition: kafka.PartitionAny},
			Value:          pool[at : at+*size],
		}
		err := producer.Produce(&message, nil)
		for err != nil && err.(kafka.Error).Code() == kafka.ErrQueueFull {
			time.Sleep(time.Millisecond)
			err = producer.Produce(&message, nil)
		}
		check(err)
	}
	for acknowledged.Load()+failed.Load() < target {
		time.Sleep(200 * time.Microsecond)
	}
}

// cpu is the time of the processor used so far, in seconds.
func cpu() float64 {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

func peak() (kilobytes int) {
	status, _ := os.ReadFile("/proc/self/status")
	_, line, _ := strings.Cut(string(status), "VmHWM:")
	_, _ = fmt.Sscan(line, &kilobytes)
	return kilobytes
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
