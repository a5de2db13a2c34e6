// Command batch sends many records and watches batches, not records: a hook gets one report for each.
//
//	usage: batch [BOOTSTRAP]
//
// Without BOOTSTRAP it runs on an embedded cluster.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	ottla "github.com/ottla-kafka/ottla/bindings/go"
)

const count = 100_000

// counter is a hook. Its method runs on one goroutine, one batch after another.
type counter struct {
	stored, failed, batches atomic.Int64
}

func (c *counter) OnBatchReport(report ottla.BatchReport) {
	c.batches.Add(1)
	if report.Err != nil {
		c.failed.Add(int64(report.Count))
		return
	}
	c.stored.Add(int64(report.Count))
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "batch:", err)
		os.Exit(1)
	}
}

func run() error {
	settings := map[string]string{"test.mock.num.brokers": "1"}
	if len(os.Args) > 1 {
		settings = map[string]string{"bootstrap.servers": os.Args[1]}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	counted := &counter{}
	producer, err := ottla.NewProducer(settings, ottla.WithHooks(counted))
	if err != nil {
		return err
	}
	for n := range count {
		record := ottla.Record{Key: strconv.AppendInt(nil, int64(n), 10), Value: []byte("a reading")}
		// No promise: the hook sees to the outcome. When memory is full this waits for room.
		if err := producer.ProduceFunc(ctx, "readings", record, nil); err != nil {
			return err
		}
	}
	if err := producer.Close(ctx); err != nil {
		return err
	}
	fmt.Printf("%d stored, %d failed, in fewer batches: %v\n", counted.stored.Load(), counted.failed.Load(),
		counted.batches.Load() < count/10)
	if counted.stored.Load() != count {
		return fmt.Errorf("%d of %d stored", counted.stored.Load(), count)
	}
	return nil
}
