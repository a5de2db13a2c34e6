// Command promises sends with functions that are called with the reports, sends again what may be sent again, and logs
// through slog.
//
//	usage: promises [BOOTSTRAP]
//
// Without BOOTSTRAP it runs on an embedded cluster.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync/atomic"

	ottla "github.com/ottla-kafka/ottla/bindings/go"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "promises:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	settings := map[string]string{"test.mock.num.brokers": "1"}
	if len(os.Args) > 1 {
		settings = map[string]string{"bootstrap.servers": os.Args[1]}
	}
	producer, err := ottla.NewProducer(settings, ottla.WithLogger(slog.New(slog.NewTextHandler(os.Stderr, nil))))
	if err != nil {
		return err
	}
	defer producer.Close(ctx)
	var stored atomic.Int64
	for n := range 1000 {
		record := ottla.Record{Value: fmt.Appendf(nil, "event %d", n)}
		var promise func(ottla.Report)
		promise = func(report ottla.Report) {
			switch {
			case report.Err == nil:
				stored.Add(1)
			case report.Persistence == ottla.NotPersisted && retriable(report.Err):
				// Surely not stored, so that sending again makes no duplicate. A promise must not wait.
				if err := producer.TryProduce("events", record, promise); err != nil {
					slog.Error("lost", "err", err)
				}
			default:
				slog.Error("lost", "err", report.Err)
			}
		}
		if err := producer.ProduceFunc(ctx, "events", record, promise); err != nil {
			return err
		}
	}
	if err := producer.Flush(ctx); err != nil {
		return err
	}
	fmt.Println(stored.Load(), "stored")
	if stored.Load() != 1000 {
		return errors.New("records were lost")
	}
	return nil
}

func retriable(err error) bool {
	var failure *ottla.Error
	return errors.As(err, &failure) && failure.Retriable()
}
