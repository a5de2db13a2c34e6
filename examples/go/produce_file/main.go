// Command produce_file sends the lines of a file to Kafka, one record a line, its number as the key.
//
//	usage: produce_file FILE [BOOTSTRAP]
//
// Without BOOTSTRAP it runs on an embedded cluster, reads the records back from there and compares them with the
// file, byte for byte. The exit status is 0 only if every record was delivered and everything is equal.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/signal"
	"sort"
	"strconv"

	ottla "github.com/ottla-kafka/ottla/bindings/go"
)

const (
	topic    = "lines"
	firstFew = 5
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
	delivered, err := send(ctx, producer, lines)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d lines sent, %d delivered, %d failed\n", path, len(lines), delivered, len(lines)-delivered)
	if delivered != len(lines) {
		return fmt.Errorf("%d lines were not delivered", len(lines)-delivered)
	}
	if bootstrap != "" || len(lines) == 0 {
		return nil
	}
	back, err := readBack(producer)
	if err != nil {
		return err
	}
	if !bytes.Equal(back, data) {
		return fmt.Errorf("what was read back is NOT the file")
	}
	fmt.Printf("what was read back is the file, %d bytes\n", len(data))
	return nil
}

// send sends the lines and prints the reports; it returns how many were delivered.
func send(ctx context.Context, producer *ottla.Producer, lines [][]byte) (int, error) {
	futures := make([]*ottla.Future, len(lines))
	for i, line := range lines {
		record := ottla.Record{Key: strconv.AppendInt(nil, int64(i+1), 10), Value: line}
		future, err := producer.Produce(ctx, topic, record)
		if err != nil {
			return 0, err
		}
		futures[i] = future
	}
	if err := producer.Flush(ctx); err != nil {
		return 0, err
	}
	delivered := 0
	batches := map[batch]*extent{}
	var order []batch
	for i, future := range futures {
		report, err := future.Wait(ctx)
		if err != nil {
			fmt.Printf("line %d: failed, %v\n", i+1, err)
			continue
		}
		if delivered++; delivered <= firstFew {
			fmt.Printf("line %d: partition %d, offset %d\n", i+1, report.Partition, report.Offset)
		}
		// The records of a batch share partition and latency.
		key := batch{report.Partition, report.Latency.Microseconds()}
		if batches[key] == nil {
			batches[key] = &extent{first: report.Offset}
			order = append(order, key)
		}
		batches[key].last = report.Offset
		batches[key].count++
	}
	for _, key := range order {
		extent := batches[key]
		fmt.Printf("batch of %d: partition %d, offsets %d to %d, %.1f ms\n",
			extent.count, key.partition, extent.first, extent.last, float64(key.latencyUs)/1000)
	}
	return delivered, nil
}

type batch struct {
	partition int32
	latencyUs int64
}

type extent struct {
	first, last int64
	count       int
}

// readBack gives the records of all partitions of the embedded cluster in the order of their keys.
func readBack(producer *ottla.Producer) ([]byte, error) {
	cluster, err := producer.MockCluster()
	if err != nil {
		return nil, err
	}
	partitions, err := cluster.PartitionCount(topic)
	if err != nil {
		return nil, err
	}
	lines := map[int][]byte{}
	for partition := range int32(partitions) {
		records, err := cluster.Records(topic, partition)
		if err != nil {
			return nil, err
		}
		for _, record := range records {
			number, err := strconv.Atoi(string(record.Key))
			if err != nil {
				return nil, err
			}
			lines[number] = append(lines[number], record.Value...)
		}
	}
	numbers := make([]int, 0, len(lines))
	for number := range lines {
		numbers = append(numbers, number)
	}
	sort.Ints(numbers)
	var data []byte
	for _, number := range numbers {
		data = append(data, lines[number]...)
	}
	return data, nil
}
