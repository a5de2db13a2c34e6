package ottla

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ottla-kafka/ottla/bindings/go/internal/conformance"
)

const endTxnAPI = 26

// transactional gives a producer that is initialized, and a cluster with the topics t and in.
func transactional(t *testing.T) (*Producer, *MockCluster) {
	t.Helper()
	cluster := newCluster(t, 3)
	must(t, cluster.CreateTopic("t", 1, 1))
	must(t, cluster.CreateTopic("in", 2, 1))
	return another(t, cluster), cluster
}

func another(t *testing.T, cluster *MockCluster) *Producer {
	t.Helper()
	producer := newProducer(t, map[string]string{"bootstrap.servers": cluster.BootstrapServers(), "transactional.id": "shipper"})
	must(t, producer.InitTransactions(within(t, time.Minute)))
	return producer
}

func wantCommitted(t *testing.T, cluster *MockCluster, values ...string) {
	t.Helper()
	stored, err := cluster.CommittedRecords("t", 0)
	must(t, err)
	if len(stored) != len(values) {
		t.Fatal(len(stored), values)
	}
	for n, value := range values {
		if string(stored[n].Value) != value {
			t.Fatal(n, string(stored[n].Value), value)
		}
	}
}

func TestC90CommitAndAbort(t *testing.T) {
	conformance.Shows(t, "C90", "C91")
	producer, cluster := transactional(t)
	ctx := within(t, time.Minute)
	var reports, failed atomic.Int64
	count := func(report Report) {
		reports.Add(1)
		if report.Err != nil {
			failed.Add(1)
		}
	}
	var values []string
	must(t, producer.BeginTransaction())
	for n := range 1000 {
		values = append(values, fmt.Sprint(n))
		must(t, producer.ProduceFunc(ctx, "t", Record{Value: []byte(values[n])}, count))
	}
	must(t, producer.CommitTransaction(ctx))
	if reports.Load() != 1000 || failed.Load() != 0 {
		t.Fatal(reports.Load(), failed.Load())
	}
	wantCommitted(t, cluster, values...)
	must(t, producer.BeginTransaction())
	for range 1000 {
		must(t, producer.ProduceFunc(ctx, "t", Record{Value: []byte("given up")}, count))
	}
	must(t, producer.AbortTransaction(ctx))
	if reports.Load() != 2000 || producer.Len() != 0 {
		t.Fatal(reports.Load(), producer.Len())
	}
	wantCommitted(t, cluster, values...)
}

// Offsets count with the transaction only.
func TestC92Offsets(t *testing.T) {
	conformance.Shows(t, "C92")
	producer, cluster := transactional(t)
	ctx := within(t, time.Minute)
	epoch := int32(3)
	offsets := []GroupOffset{{Topic: "in", Offset: 7}, {Topic: "in", Partition: 1, Offset: 8, Metadata: "where", LeaderEpoch: &epoch}}
	committed := func(partition int32, wanted int64) {
		t.Helper()
		if offset, err := cluster.CommittedOffset("g", "in", partition); err != nil || offset != wanted {
			t.Fatal(offset, err)
		}
	}
	must(t, producer.BeginTransaction())
	must(t, producer.SendOffsetsToTransaction(ctx, offsets, GroupMetadata{Group: "g"}))
	committed(0, -1)
	must(t, producer.CommitTransaction(ctx))
	committed(0, 7)
	committed(1, 8)
	must(t, producer.BeginTransaction())
	offsets[0].Offset = 1000
	must(t, producer.SendOffsetsToTransaction(ctx, offsets, GroupMetadata{Group: "g"}))
	must(t, producer.AbortTransaction(ctx))
	committed(0, 7)
	must(t, producer.BeginTransaction())
	wantCode(t, producer.SendOffsetsToTransaction(ctx, offsets, GroupMetadata{}), CodeArgument)
	offsets[0].Offset = -1
	wantCode(t, producer.SendOffsetsToTransaction(ctx, offsets, GroupMetadata{Group: "g"}), CodeArgument)
	must(t, producer.SendOffsetsToTransaction(ctx, nil, GroupMetadata{Group: "g", Member: "m", Generation: 4, Instance: "i"}))
}

// The older of two producers is shut out.
func TestC93Fenced(t *testing.T) {
	conformance.Shows(t, "C93")
	older, cluster := transactional(t)
	ctx := within(t, time.Minute)
	must(t, older.BeginTransaction())
	_, err := deliver(t, older, "t", Record{Value: []byte("older")})
	must(t, err)
	newer := another(t, cluster)
	failure := wantCode(t, older.CommitTransaction(ctx), CodeProducerFenced)
	if !failure.Fatal() || failure.Abortable() || failure.Retriable() {
		t.Fatal(failure)
	}
	if !wantCode(t, older.AbortTransaction(ctx), CodeProducerFenced).Fatal() {
		t.Fatal("not fatal")
	}
	if !wantCode(t, older.TryProduce("t", Record{}, nil), CodeProducerFenced).Fatal() {
		t.Fatal("not fatal")
	}
	must(t, newer.Transact(ctx, func(ctx context.Context) error {
		return newer.ProduceFunc(ctx, "t", Record{Value: []byte("newer")}, nil)
	}))
	wantCommitted(t, cluster, "newer")
}

// A record that fails, and the scope.
func TestC95Transact(t *testing.T) {
	conformance.Shows(t, "C94", "C95")
	producer, cluster := transactional(t)
	ctx := within(t, time.Minute)
	send := func(value string, result error) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			must(t, producer.ProduceFunc(ctx, "t", Record{Value: []byte(value)}, nil))
			return result
		}
	}
	must(t, producer.Transact(ctx, send("kept", nil)))
	own := errors.New("of the body")
	if err := producer.Transact(ctx, send("given up", own)); err != own {
		t.Fatal(err)
	}
	must(t, cluster.PushPartitionErrors("t", 0, CodeInvalidRecord))
	failure := wantCode(t, producer.Transact(ctx, send("refused", nil)), CodeInvalidRecord)
	if !failure.Abortable() || failure.Fatal() {
		t.Fatal(failure)
	}
	func() {
		defer func() {
			if reason := recover(); reason != "of the body" {
				t.Fatal(reason)
			}
		}()
		_ = producer.Transact(ctx, func(ctx context.Context) error {
			must(t, send("given up", nil)(ctx))
			panic("of the body")
		})
	}()
	canceled, cancel := context.WithCancel(ctx)
	err := producer.Transact(canceled, func(ctx context.Context) error {
		must(t, send("given up", nil)(ctx))
		cancel()
		return ctx.Err()
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	must(t, producer.Transact(ctx, send("again", nil)))
	wantCommitted(t, cluster, "kept", "again")
}

// Calls that do not fit.
func TestC96Misfits(t *testing.T) {
	conformance.Shows(t, "C96")
	ctx := within(t, time.Minute)
	plain, _ := embedded(t)
	nothing := func(context.Context) error { return nil }
	for n, err := range []error{plain.InitTransactions(ctx), plain.BeginTransaction(), plain.CommitTransaction(ctx),
		plain.AbortTransaction(ctx), plain.Transact(ctx, nothing), plain.SendOffsetsToTransaction(ctx, nil, GroupMetadata{Group: "g"})} {
		if failure := wantCode(t, err, CodeState); failure.Fatal() || failure.Abortable() {
			t.Error(n, failure)
		}
	}
	producer, cluster := transactional(t)
	wantCode(t, producer.InitTransactions(ctx), CodeState)
	wantCode(t, producer.CommitTransaction(ctx), CodeState)
	wantCode(t, producer.AbortTransaction(ctx), CodeState)
	for range 100 {
		wantCode(t, producer.TryProduce("t", Record{Value: []byte("outside")}, nil), CodeState)
	}
	must(t, producer.BeginTransaction())
	wantCode(t, producer.BeginTransaction(), CodeState)
	must(t, producer.TryProduce("t", Record{Value: []byte("kept")}, nil))
	must(t, producer.CommitTransaction(ctx))
	wantCode(t, producer.TryProduce("t", Record{Value: []byte("outside")}, nil), CodeState)
	wantCommitted(t, cluster, "kept")
	must(t, producer.Close(ctx))
	wantCode(t, producer.BeginTransaction(), CodeClosed)
	wantCode(t, producer.CommitTransaction(ctx), CodeClosed)
	wantCode(t, producer.TryProduce("t", Record{}, nil), CodeClosed)
}

// A call whose context ends goes on, and the same call takes it up.
func TestTransactionPatience(t *testing.T) {
	producer, cluster := transactional(t)
	ctx := within(t, time.Minute)
	must(t, producer.BeginTransaction())
	_, err := deliver(t, producer, "t", Record{Value: []byte("kept")})
	must(t, err)
	must(t, cluster.SetDelay(AllBrokers, endTxnAPI, 2*time.Second))
	if err := producer.CommitTransaction(within(t, 300*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	wantCode(t, producer.AbortTransaction(ctx), CodeState)
	must(t, producer.CommitTransaction(ctx))
	wantCommitted(t, cluster, "kept")
}

// What is open is aborted, a commit under way is one.
func TestCloseEndsTransaction(t *testing.T) {
	producer, cluster := transactional(t)
	ctx := within(t, time.Minute)
	must(t, producer.BeginTransaction())
	_, err := deliver(t, producer, "t", Record{Value: []byte("given up")})
	must(t, err)
	must(t, producer.Close(ctx))
	wantEnds(t, cluster, 1)
	wantCommitted(t, cluster)
	producer = another(t, cluster)
	must(t, producer.BeginTransaction())
	_, err = deliver(t, producer, "t", Record{Value: []byte("kept")})
	must(t, err)
	must(t, cluster.SetDelay(AllBrokers, endTxnAPI, 2*time.Second))
	if err := producer.CommitTransaction(within(t, 300*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	must(t, producer.Close(ctx))
	wantCommitted(t, cluster, "kept")
}

func wantEnds(t *testing.T, cluster *MockCluster, wanted uint64) {
	t.Helper()
	if count, err := cluster.RequestCount(AllBrokers, endTxnAPI); err != nil || count != wanted {
		t.Fatal(count, err)
	}
}

// A context that ends before the commit is asked for makes an abort of it, one that ends later does not.
func TestTransactWithLateContext(t *testing.T) {
	producer, cluster := transactional(t)
	ctx := within(t, time.Minute)
	for range 20 {
		ended, cancel := context.WithCancel(ctx)
		err := producer.Transact(ended, func(ctx context.Context) error {
			_, err := deliver(t, producer, "t", Record{Value: []byte("given up")})
			cancel()
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	wantCommitted(t, cluster)
	must(t, cluster.SetDelay(AllBrokers, endTxnAPI, 4*time.Second))
	for _, limit := range []time.Duration{3 * time.Second, time.Minute} {
		must(t, producer.Transact(within(t, limit), func(ctx context.Context) error {
			_, err := deliver(t, producer, "t", Record{Value: []byte("kept")})
			return err
		}))
		must(t, cluster.ClearFaults())
	}
	wantCommitted(t, cluster, "kept", "kept")
}

// A record that failed because its time was over ends the transaction, and is no reason to make the call again.
func TestTransactionWithLateRecord(t *testing.T) {
	_, cluster := transactional(t)
	producer := newProducer(t, map[string]string{"bootstrap.servers": cluster.BootstrapServers(),
		"transactional.id": "shipper", "retries": "1", "request.timeout.ms": "300"})
	must(t, producer.InitTransactions(within(t, time.Minute)))
	const produceAPI = 0
	must(t, cluster.SetDelay(AllBrokers, produceAPI, 2*time.Second))
	must(t, producer.BeginTransaction())
	must(t, producer.TryProduce("t", Record{Value: []byte("late")}, nil))
	var failure *Error
	if err := producer.CommitTransaction(within(t, 20*time.Second)); !errors.As(err, &failure) || !failure.Abortable() {
		t.Fatal(err)
	}
	must(t, cluster.ClearFaults())
	must(t, producer.AbortTransaction(within(t, time.Minute)))
}

// The abort has succeeded though its context has ended, and what had no room before it is not part of what comes next.
func TestAbortWithBacklog(t *testing.T) {
	_, cluster := transactional(t)
	producer := newProducer(t, map[string]string{"bootstrap.servers": cluster.BootstrapServers(),
		"transactional.id": "shipper", "buffer.memory": "262144", "batch.size": "16384"})
	must(t, producer.InitTransactions(within(t, time.Minute)))
	must(t, producer.BeginTransaction())
	reported, gate := make(chan struct{}), make(chan struct{})
	must(t, producer.TryProduce("t", Record{Value: []byte("given up")}, func(Report) {
		close(reported)
		<-gate
	}))
	<-reported
	const produceAPI = 0
	must(t, cluster.SetDelay(AllBrokers, produceAPI, 300*time.Millisecond))
	var err error
	for n := 0; err == nil; n++ {
		err = producer.TryProduce("t", Record{Value: make([]byte, 1000)}, nil)
	}
	wantCode(t, err, CodeQueueFull)
	must(t, producer.AbortTransaction(within(t, 2*time.Second)))
	must(t, cluster.ClearFaults())
	must(t, producer.BeginTransaction())
	close(gate)
	must(t, producer.ProduceFunc(within(t, time.Minute), "t", Record{Value: []byte("next")}, nil))
	must(t, producer.CommitTransaction(within(t, time.Minute)))
	wantCommitted(t, cluster, "next")
}

// Both generations of the protocol.
func TestTransactionsOnOlderBrokers(t *testing.T) {
	cluster := newCluster(t, 1)
	must(t, cluster.SetKafkaVersion("2.8"))
	must(t, cluster.CreateTopic("t", 1, 1))
	producer := another(t, cluster)
	ctx := within(t, time.Minute)
	own := errors.New("of the body")
	for range 3 {
		for _, result := range []error{nil, own} {
			err := producer.Transact(ctx, func(ctx context.Context) error {
				must(t, producer.ProduceFunc(ctx, "t", Record{Value: []byte(fmt.Sprint(result))}, nil))
				return result
			})
			if err != result {
				t.Fatal(err)
			}
		}
	}
	wantCommitted(t, cluster, "<nil>", "<nil>", "<nil>")
}
