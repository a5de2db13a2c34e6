package ottla

import (
	"fmt"
	"testing"
	"time"

	"github.com/ottla-kafka/ottla/bindings/go/internal/conformance"
)

func faulty(t *testing.T, settings ...string) (*Producer, *MockCluster) {
	t.Helper()
	cluster := newCluster(t, 3)
	must(t, cluster.CreateTopic("t", 1, 3))
	all := map[string]string{
		"bootstrap.servers": cluster.BootstrapServers(), "linger.ms": "0",
		"retry.backoff.ms": "20", "reconnect.backoff.ms": "20",
	}
	for i := 0; i < len(settings); i += 2 {
		all[settings[i]] = settings[i+1]
	}
	return newProducer(t, all), cluster
}

func TestTopicsOfTheCluster(t *testing.T) {
	_, cluster := faulty(t)
	if count, err := cluster.PartitionCount("t"); err != nil || count != 1 {
		t.Fatal(count, err)
	}
	wantCode(t, cluster.CreateTopic("t", 1, 1), CodeTopicAlreadyExists)
	wantCode(t, cluster.CreateTopic("bad name", 1, 1), CodeInvalidTopicException)
	_, err := cluster.PartitionCount("missing")
	wantCode(t, err, CodeUnknownTopic)
	_, err = cluster.Records("t", 7)
	wantCode(t, err, CodeUnknownPartition)
}

func TestRetriableErrorsAreRetriedAndFinalOnesReported(t *testing.T) {
	conformance.Shows(t, "C15", "C16")
	producer, cluster := faulty(t)
	must(t, cluster.PushErrors(produceAPI, CodeNotLeaderOrFollower, CodeTransport))
	_, err := deliver(t, producer, "t", Record{Value: []byte("a")})
	must(t, err)
	must(t, cluster.PushPartitionErrors("t", 0, CodeMessageTooLarge))
	report, err := deliver(t, producer, "t", Record{Value: []byte("b")})
	if e := wantCode(t, err, CodeMessageTooLarge); e.Retriable() || e.Message == "" {
		t.Fatal(e)
	}
	if report.Err != err || report.Offset != -1 || report.Persistence != NotPersisted {
		t.Fatal(report)
	}
	_, err = deliver(t, producer, "t", Record{Value: []byte("c")})
	must(t, err)
	stored := records(t, cluster, "t", 0)
	if len(stored) != 2 || string(stored[0].Value) != "a" || string(stored[1].Value) != "c" {
		t.Fatal(stored)
	}
	if count, err := cluster.RequestCount(AllBrokers, produceAPI); err != nil || count < 4 {
		t.Fatal(count, err)
	}
}

func TestBrokersGoDownAndRecordsArriveInOrderOnce(t *testing.T) {
	conformance.Shows(t, "C60", "C62")
	producer, cluster := faulty(t)
	_, err := deliver(t, producer, "t", Record{Value: []byte("0")})
	must(t, err)
	must(t, cluster.BrokerDown(1))
	must(t, cluster.BrokerDown(2))
	for n := 1; n < 50; n++ {
		must(t, producer.TryProduce("t", Record{Value: fmt.Append(nil, n)}, nil))
	}
	must(t, cluster.SetLeader("t", 0, 3))
	must(t, producer.Flush(within(t, time.Minute)))
	must(t, cluster.BrokerUp(1))
	must(t, cluster.BrokerUp(2))
	stored := records(t, cluster, "t", 0)
	if len(stored) != 50 {
		t.Fatal(len(stored))
	}
	for n, record := range stored {
		if string(record.Value) != fmt.Sprint(n) {
			t.Fatalf("record %d: %s", n, record.Value)
		}
	}
}

func TestDelaysExpireRecords(t *testing.T) {
	conformance.Shows(t, "C17", "C61")
	producer, cluster := faulty(t, "delivery.timeout.ms", "3000", "request.timeout.ms", "1000")
	_, err := deliver(t, producer, "t", Record{})
	must(t, err)
	must(t, cluster.SetDelay(AllBrokers, produceAPI, 30*time.Second))
	if _, err = deliver(t, producer, "t", Record{}); err == nil {
		t.Fatal("no error")
	}
	must(t, cluster.ClearFaults())
}

func TestAProducerWithoutClusterSaysSo(t *testing.T) {
	producer, _ := faulty(t)
	_, err := producer.MockCluster()
	wantCode(t, err, CodeState)
}
