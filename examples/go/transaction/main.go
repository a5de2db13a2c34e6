// Command transaction sends two records of two topics, and how far it has read its own input, so that readers see all of it
// or nothing.
//
//	usage: transaction [BOOTSTRAP]
//
// The topic of the input, "orders", must be there. Without BOOTSTRAP it runs on an embedded cluster.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	ottla "github.com/ottla-kafka/ottla/bindings/go"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "transaction:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) > 1 {
		return send(os.Args[1])
	}
	cluster, err := ottla.NewMockCluster(1)
	if err != nil {
		return err
	}
	defer cluster.Close()
	if err := cluster.CreateTopic("orders", 1, 1); err != nil {
		return err
	}
	return send(cluster.BootstrapServers())
}

func send(servers string) error {
	// Whoever starts with the same id later shuts this one out.
	settings := map[string]string{"bootstrap.servers": servers, "transactional.id": "billing-1"}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	producer, err := ottla.NewProducer(settings)
	if err != nil {
		return err
	}
	defer producer.Close(ctx)
	if err := producer.InitTransactions(ctx); err != nil {
		return err
	}
	for order := range 3 {
		err := producer.Transact(ctx, func(ctx context.Context) error {
			return bill(ctx, producer, order)
		})
		if errors.Is(err, errNoStock) {
			fmt.Printf("order %d: %v, nothing of it is seen\n", order, err)
			continue
		}
		var failure *ottla.Error
		if errors.As(err, &failure) && failure.Fatal() {
			return fmt.Errorf("another producer has taken over: %w", err)
		}
		if err != nil {
			return err
		}
		fmt.Printf("order %d: committed\n", order)
	}
	return nil
}

var errNoStock = errors.New("out of stock")

// bill is what belongs together.
func bill(ctx context.Context, producer *ottla.Producer, order int) error {
	text := fmt.Sprintf("order %d", order)
	for _, topic := range []string{"shipments", "bills"} {
		if err := producer.ProduceFunc(ctx, topic, ottla.Record{Value: []byte(text)}, nil); err != nil {
			return err
		}
	}
	if order == 1 {
		return errNoStock
	}
	read := []ottla.GroupOffset{{Topic: "orders", Partition: 0, Offset: int64(order) + 1}}
	return producer.SendOffsetsToTransaction(ctx, read, ottla.GroupMetadata{Group: "billing"})
}
