// Command produce_file sends the lines of a file to Kafka, one record a line, its number as the key.
//
//	usage: produce_file FILE [BOOTSTRAP]
//
// Without BOOTSTRAP it runs on an embedded cluster, reads the records back from there and compares them with the
// file, byte for byte. The exit status is 0 only if every line was stored (and, read back, is the same).
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"time"

	ottla "github.com/ottla-kafka/ottla/bindings/go"
)

const (
	topic = "lines"
	shown = 5
)

func main() {
	if len(os.Args) != 2 && len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: produce_file FILE [BOOTSTRAP]")
		os.Exit(2)
	}
	bootstrap := ""
	if len(os.Args) == 3 {
		bootstrap = os.Args[2]
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1], bootstrap)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "produce_file:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, path, bootstrap string) (err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	settings := map[string]string{"test.mock.num.brokers": "1"}
	if bootstrap != "" {
		settings = map[string]string{"bootstrap.servers": bootstrap}
	}
	producer, err := ottla.NewProducer(settings)
	if err != nil {
		return err
	}
	defer func() {
		if closed := producer.Close(ctx); err == nil {
			err = closed
		}
	}()
	lines := bytes.SplitAfter(data, []byte("\n"))
	if last := len(lines) - 1; len(lines[last]) == 0 {
		lines = lines[:last] // what follows the last newline is no line
	}
	stored, err := send(ctx, producer, path, lines)
	if err != nil {
		return err
	}
	if bootstrap == "" {
		if err := readBack(producer, lines); err != nil {
			return err
		}
	}
	if stored != len(lines) {
		return fmt.Errorf("%d lines were not stored", len(lines)-stored)
	}
	return nil
}

// send sends the lines and prints what became of them; it returns how many were stored.
func send(ctx context.Context, producer *ottla.Producer, path string, lines [][]byte) (int, error) {
	headers := []ottla.Header{{Key: "file", Value: []byte(path)}}
	futures := make([]*ottla.Future, len(lines))
	for i, line := range lines {
		record := ottla.Record{Key: strconv.AppendInt(nil, int64(i+1), 10), Value: line, Headers: headers}
		future, err := producer.Produce(ctx, topic, record)
		if err != nil {
			return 0, err
		}
		futures[i] = future
	}
	if err := producer.Flush(ctx); err != nil {
		return 0, err
	}
	stored := 0
	batches := map[batch]*extent{}
	var order []batch
	for i, future := range futures {
		report, err := future.Wait(ctx)
		key := batch{report.Partition, report.Latency, "NONE"}
		if err != nil {
			key.result = code(err)
			if failed := i - stored; failed == 0 {
				fmt.Fprintf(os.Stderr, "failed, the first is line %d: %v\n", i+1, err)
			}
		} else {
			stored++
		}
		if batches[key] == nil {
			batches[key] = &extent{first: report.Offset}
			order = append(order, key)
		}
		batches[key].count++
	}
	for _, key := range order[:min(shown, len(order))] {
		fmt.Printf("report: partition %d, %d records from offset %d, %s, %.1f ms\n", key.partition,
			batches[key].count, batches[key].first, key.result, float64(key.latency.Microseconds())/1000)
	}
	fmt.Printf("%d lines: %d stored, %d failed, in %d reports\n",
		len(lines), stored, len(lines)-stored, len(order))
	return stored, nil
}

func code(err error) string {
	var failure *ottla.Error
	if errors.As(err, &failure) {
		return failure.Code.String()
	}
	return err.Error()
}

// batch is what the records of a batch have in common.
type batch struct {
	partition int32
	latency   time.Duration
	result    string
}

type extent struct {
	first int64
	count int
}

// readBack compares the records of all partitions of the embedded cluster with the lines.
func readBack(producer *ottla.Producer, lines [][]byte) error {
	cluster, err := producer.MockCluster()
	if err != nil {
		return err
	}
	partitions := 0
	if len(lines) > 0 { // else nobody has asked for the topic yet
		if partitions, err = cluster.PartitionCount(topic); err != nil {
			return err
		}
	}
	seen := make([]int, len(lines))
	found, same := 0, true
	for partition := range int32(partitions) {
		records, err := cluster.Records(topic, partition)
		if err != nil {
			return err
		}
		for _, record := range records {
			found++
			number, err := strconv.Atoi(string(record.Key))
			if err != nil || number < 1 || number > len(lines) || !bytes.Equal(record.Value, lines[number-1]) {
				same = false
				continue
			}
			seen[number-1]++
		}
	}
	for _, times := range seen {
		same = same && times == 1
	}
	result := map[bool]string{true: "the same, byte for byte", false: "NOT the same"}[same]
	fmt.Printf("read back %d of %d lines: %s\n", found, len(lines), result)
	if !same {
		return errors.New("what was read back is not the file")
	}
	return nil
}
