package mock

import (
	"context"
	"errors"
	"testing"
	"time"

	ottla "github.com/ottla-kafka/ottla/bindings/go"
)

const produceAPI = 0

// onCluster makes orders on a cluster of three brokers inside this process.
func onCluster(t *testing.T) (*Orders, *ottla.MockCluster) {
	t.Helper()
	cluster, err := ottla.NewMockCluster(3)
	if err != nil {
		t.Fatal(err)
	}
	if err := cluster.CreateTopic("orders", 1, 3); err != nil {
		t.Fatal(err)
	}
	producer, err := ottla.NewProducer(map[string]string{"bootstrap.servers": cluster.BootstrapServers()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = producer.Close(ctx)
		_ = cluster.Close()
	})
	return &Orders{producer}, cluster
}

func TestAnOrderIsStored(t *testing.T) {
	orders, cluster := onCluster(t)
	if err := orders.Publish(context.Background(), "17", "two pencils"); err != nil {
		t.Fatal(err)
	}
	stored, err := cluster.Records("orders", 0)
	if err != nil || len(stored) != 1 || string(stored[0].Key) != "17" || string(stored[0].Value) != "two pencils" {
		t.Fatal(stored, err)
	}
}

func TestAnOrderSurvivesABroker(t *testing.T) {
	orders, cluster := onCluster(t)
	if err := cluster.BrokerDown(1); err != nil {
		t.Fatal(err)
	}
	if err := orders.Publish(context.Background(), "18", "a ruler"); err != nil {
		t.Fatal(err)
	}
}

func TestAnOrderThatIsRefused(t *testing.T) {
	orders, cluster := onCluster(t)
	if err := cluster.PushErrors(produceAPI, ottla.CodeTopicAuthorizationFailed); err != nil {
		t.Fatal(err)
	}
	err := orders.Publish(context.Background(), "19", "an eraser")
	if !errors.Is(err, &ottla.Error{Code: ottla.CodeTopicAuthorizationFailed}) {
		t.Fatal(err)
	}
}

func TestNobodyWaitsForEver(t *testing.T) {
	orders, cluster := onCluster(t)
	if err := cluster.SetDelay(ottla.AllBrokers, produceAPI, time.Minute); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := orders.Publish(ctx, "20", "ink"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}
