// Package mock shows how a program's own unit test runs its producer against the embedded cluster: see orders_test.go.
package mock

import (
	"context"

	ottla "github.com/ottla-kafka/ottla/bindings/go"
)

// Orders publishes orders.
type Orders struct{ producer *ottla.Producer }

// Publish stores an order, under its number, and waits until that is sure.
func (o *Orders) Publish(ctx context.Context, number, order string) error {
	record := ottla.Record{Key: []byte(number), Value: []byte(order)}
	return o.producer.ProduceSync(ctx, "orders", record).FirstErr()
}
