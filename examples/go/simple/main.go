// Command simple sends one record and waits for its report.
//
//	usage: simple [BOOTSTRAP]
//
// Without BOOTSTRAP it runs on an embedded cluster.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	ottla "github.com/ottla-kafka/ottla/bindings/go"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "simple:", err)
		os.Exit(1)
	}
}

func run() error {
	settings := map[string]string{"test.mock.num.brokers": "1"}
	if len(os.Args) > 1 {
		settings = map[string]string{"bootstrap.servers": os.Args[1]}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	producer, err := ottla.NewProducer(settings)
	if err != nil {
		return err
	}
	defer producer.Close(ctx)
	// Wrong addresses show here, before the first record.
	if err := producer.Ping(ctx); err != nil {
		return err
	}
	record := ottla.Record{
		Key:     []byte("visitor-7"),
		Value:   []byte(`{"page":"/"}`),
		Headers: []ottla.Header{{Key: "content-type", Value: []byte("application/json")}},
	}
	reports := producer.ProduceSync(ctx, "visits", record)
	if err := reports.FirstErr(); err != nil {
		return err
	}
	fmt.Printf("stored in partition %d at offset %d\n", reports[0].Partition, reports[0].Offset)
	return nil
}
