package kafka_test

import (
	"context"
	"testing"
	"time"

	"github.com/ottla-kafka/ottla/bindings/go"
	"github.com/ottla-kafka/ottla/bindings/go/internal/conformance"
	"github.com/ottla-kafka/ottla/bindings/go/kafka"
)

// Without transactional.id.
func TestNoTransactions(t *testing.T) {
	conformance.Shows(t, "C96")
	producer, _ := embedded(t, nil)
	group, err := kafka.NewTestConsumerGroupMetadata("group")
	must(t, err)
	calls := func() []error {
		ctx := context.Background()
		return []error{producer.InitTransactions(ctx), producer.BeginTransaction(), producer.CommitTransaction(ctx),
			producer.AbortTransaction(ctx), producer.SendOffsetsToTransaction(ctx, nil, group)}
	}
	for _, err := range calls() {
		if failure := wantCode(t, err, kafka.ErrNotConfigured); failure.IsRetriable() || failure.TxnRequiresAbort() {
			t.Fatal(failure)
		}
	}
	producer.Close()
	for _, err := range calls() {
		wantCode(t, err, kafka.ErrState)
	}
	if _, err := kafka.NewTestConsumerGroupMetadata(""); err == nil {
		t.Fatal("no error")
	}
}

func shipper(t *testing.T, cluster *ottla.MockCluster) *kafka.Producer {
	t.Helper()
	producer := newProducer(t, kafka.ConfigMap{"bootstrap.servers": cluster.BootstrapServers(), "transactional.id": "shipper"})
	go func() {
		for range producer.Events() {
		}
	}()
	must(t, producer.InitTransactions(nil)) //nolint:staticcheck // as confluent-kafka-go allows
	return producer
}

func produce(t *testing.T, producer *kafka.Producer, value string) {
	t.Helper()
	topic := "t"
	must(t, producer.Produce(&kafka.Message{TopicPartition: kafka.TopicPartition{Topic: &topic, Partition: 0}, Value: []byte(value)}, nil))
}

func committed(t *testing.T, cluster *ottla.MockCluster) (values string) {
	t.Helper()
	stored, err := cluster.CommittedRecords("t", 0)
	must(t, err)
	for _, record := range stored {
		values += string(record.Value) + " "
	}
	return values
}

// As confluent-kafka-go has them; C95 is not there.
func TestTransactions(t *testing.T) {
	conformance.Shows(t, "C90", "C91", "C92", "C93", "C94", "C96")
	cluster, err := ottla.NewMockCluster(3)
	must(t, err)
	defer cluster.Close()
	must(t, cluster.CreateTopic("t", 1, 1))
	must(t, cluster.CreateTopic("in", 1, 1))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	producer, in := shipper(t, cluster), "in"
	group, err := kafka.NewTestConsumerGroupMetadata("g")
	must(t, err)

	outside := producer.Produce(&kafka.Message{TopicPartition: kafka.TopicPartition{Topic: &in}}, nil)
	wantCode(t, outside, kafka.ErrState)
	wantCode(t, producer.CommitTransaction(ctx), kafka.ErrState)
	must(t, producer.BeginTransaction())
	produce(t, producer, "kept")
	must(t, producer.SendOffsetsToTransaction(ctx, []kafka.TopicPartition{{Topic: &in, Offset: 7}, {Topic: &in, Partition: 1,
		Offset: kafka.OffsetInvalid}}, group))
	wantCode(t, producer.SendOffsetsToTransaction(ctx, nil, nil), kafka.ErrInvalidArg)
	must(t, producer.CommitTransaction(ctx))
	if offset, err := cluster.CommittedOffset("g", "in", 0); err != nil || offset != 7 {
		t.Fatal(offset, err)
	}
	must(t, producer.BeginTransaction())
	produce(t, producer, "aborted")
	must(t, producer.AbortTransaction(ctx))

	must(t, producer.BeginTransaction())
	must(t, cluster.PushPartitionErrors("t", 0, ottla.CodeInvalidRecord))
	produce(t, producer, "refused")
	if failure := wantCode(t, producer.CommitTransaction(ctx), kafka.ErrInvalidRecord); !failure.TxnRequiresAbort() || failure.IsFatal() {
		t.Fatal(failure)
	}
	must(t, producer.AbortTransaction(ctx))

	must(t, producer.BeginTransaction())
	produce(t, producer, "slow")
	must(t, cluster.SetDelay(ottla.AllBrokers, 26, 2*time.Second))
	short, end := context.WithTimeout(ctx, 50*time.Millisecond)
	defer end()
	if failure := wantCode(t, producer.CommitTransaction(short), kafka.ErrTimedOut); !failure.IsRetriable() || failure.TxnRequiresAbort() {
		t.Fatal(failure)
	}
	must(t, producer.CommitTransaction(ctx))
	must(t, cluster.ClearFaults())

	must(t, producer.BeginTransaction())
	produce(t, producer, "older")
	if left := producer.Flush(20000); left != 0 {
		t.Fatal(left)
	}
	newer := shipper(t, cluster)
	if failure := wantCode(t, producer.CommitTransaction(ctx), kafka.ErrFenced); !failure.IsFatal() {
		t.Fatal(failure)
	}
	must(t, newer.BeginTransaction())
	produce(t, newer, "newer")
	must(t, newer.CommitTransaction(ctx))
	if values := committed(t, cluster); values != "kept slow newer " {
		t.Fatal(values)
	}
}

// What is open is aborted, so that readers need not wait for transaction.timeout.ms; what a commit was asked for is committed.
func TestCloseEndsTransaction(t *testing.T) {
	cluster, err := ottla.NewMockCluster(1)
	must(t, err)
	defer cluster.Close()
	must(t, cluster.CreateTopic("t", 1, 1))
	const endTxn int16 = 26
	ends := func() uint64 {
		count, err := cluster.RequestCount(ottla.AllBrokers, endTxn)
		must(t, err)
		return count
	}
	producer := shipper(t, cluster)
	must(t, producer.BeginTransaction())
	produce(t, producer, "given up")
	producer.Flush(20000)
	must(t, cluster.SetDelay(ottla.AllBrokers, produceAPI, 200*time.Millisecond))
	produce(t, producer, "on its way")
	time.Sleep(50 * time.Millisecond)
	produce(t, producer, "never sent")
	if producer.Close(); ends() != 1 || committed(t, cluster) != "" {
		t.Fatal(ends(), committed(t, cluster))
	}

	must(t, cluster.ClearFaults())
	producer = shipper(t, cluster)
	must(t, producer.BeginTransaction())
	produce(t, producer, "kept")
	producer.Flush(20000)
	must(t, cluster.SetDelay(ottla.AllBrokers, endTxn, 2*time.Second))
	short, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	wantCode(t, producer.CommitTransaction(short), kafka.ErrTimedOut)
	if producer.Close(); committed(t, cluster) != "kept " {
		t.Fatal(committed(t, cluster))
	}

	// Nobody answers: Close gives up.
	producer = shipper(t, cluster)
	must(t, producer.BeginTransaction())
	produce(t, producer, "left alone")
	producer.Flush(20000)
	must(t, cluster.SetDelay(ottla.AllBrokers, endTxn, time.Minute))
	begun := time.Now()
	if producer.Close(); time.Since(begun) < 4*time.Second || time.Since(begun) > 30*time.Second {
		t.Fatal(time.Since(begun))
	}
}
