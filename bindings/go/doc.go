// Package ottla sends records to a Kafka cluster.
//
// It stands over libottla, which does the work in one thread of its own:
//
//	producer, err := ottla.NewProducer(map[string]string{"bootstrap.servers": "localhost:9092"})
//	if err != nil {
//		return err
//	}
//	defer producer.Close(ctx)
//	future, err := producer.Produce(ctx, "greetings", ottla.Record{Value: []byte("hello")})
//	if err != nil {
//		return err
//	}
//	report, err := future.Wait(ctx)
//
// Produce gives a Future and waits for room, ProduceFunc calls a function instead, TryProduce never waits, and
// ProduceSync sends records and waits for their reports. Every call that may wait takes a context and ends when that
// ends, by cancelling, too.
//
// With the setting transactional.id, InitTransactions comes first, and Transact runs a function in a transaction.
//
// Programs that use confluent-kafka-go find their producer in the package kafka beside this one.
//
// # How it works
//
// No goroutine waits inside C: calls into the library return at once, and one goroutine per producer waits in Go's own
// poller for reports. While many records come they cross into C together, at most a millisecond after they were given; in
// quiet times each goes at once. The library keeps no Go pointer; the bytes of a record are copied before the call
// returns.
//
// # Building
//
// The static library is linked, which bindings/go/build of the repository makes once (it needs cargo):
//
//	bindings/go/build && go build ./...
//
// With the tag ottla_dynamic the shared library is linked instead, from where the linker looks or CGO_LDFLAGS says.
package ottla
