package kafka

import (
	"time"

	"github.com/ottla-kafka/ottla/bindings/go/internal/native"
)

// MockCluster is a Kafka cluster inside this process to test against. Topics are created when a producer asks for them,
// with 4 partitions.
type MockCluster struct {
	native  *native.MockCluster
	brokers int
}

// NewMockCluster starts a cluster, whose brokers have the ids 1, 2, …. It must be closed.
func NewMockCluster(brokerCount int) (*MockCluster, error) {
	cluster, err := native.NewMockCluster(brokerCount)
	if err != nil {
		return nil, public(err)
	}
	return &MockCluster{cluster, brokerCount}, nil
}

// BootstrapServers is what to set bootstrap.servers to.
func (mc *MockCluster) BootstrapServers() string { return mc.native.BootstrapServers() }

// SetRoundtripDuration holds the answers of a broker (-1: of all) back for so long.
func (mc *MockCluster) SetRoundtripDuration(brokerID int, duration time.Duration) error {
	return public(mc.native.SetDelay(int32(brokerID), -1, duration))
}

// SetBrokerDown closes the connections of a broker (-1: of all) and takes no new ones. Its partitions get other leaders
// if there are any.
func (mc *MockCluster) SetBrokerDown(brokerID int) error {
	return mc.each(brokerID, mc.native.BrokerDown)
}

// SetBrokerUp has a broker (-1: all) take connections again.
func (mc *MockCluster) SetBrokerUp(brokerID int) error {
	return mc.each(brokerID, mc.native.BrokerUp)
}

func (mc *MockCluster) each(brokerID int, do func(int32) error) error {
	if brokerID != -1 {
		return public(do(int32(brokerID)))
	}
	for id := 1; id <= mc.brokers; id++ {
		if err := do(int32(id)); err != nil {
			return public(err)
		}
	}
	return nil
}

// CreateTopic creates a topic without a producer.
func (mc *MockCluster) CreateTopic(topic string, partitions, replicationFactor int) error {
	return public(mc.native.CreateTopic(topic, partitions, replicationFactor))
}

// Close ends the cluster.
func (mc *MockCluster) Close() { _ = mc.native.Close() }
