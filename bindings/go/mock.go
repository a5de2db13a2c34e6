package ottla

import (
	"time"

	"github.com/ottla-kafka/ottla/bindings/go/internal/native"
)

// AllBrokers and AllAPIs stand for every broker and every API in calls of MockCluster.
const (
	AllBrokers int32 = -1
	AllAPIs    int16 = -1
)

// MockCluster is a Kafka cluster inside this process, on free ports of 127.0.0.1, to test against. Its brokers
// have the ids 1, 2, .... Topics are created when a producer asks for them, with 4 partitions. Orders take effect
// at once. APIs go by Kafka's keys: 0 is Produce, 3 Metadata.
type MockCluster struct{ native *native.MockCluster }

// NewMockCluster starts a cluster of so many brokers. It must be closed.
func NewMockCluster(brokers int) (*MockCluster, error) {
	cluster, err := native.NewMockCluster(brokers)
	if err != nil {
		return nil, public(err)
	}
	return &MockCluster{cluster}, nil
}

// MockCluster gives the embedded cluster of a producer with test.mock.num.brokers. It ends with the producer.
func (p *Producer) MockCluster() (*MockCluster, error) {
	cluster, err := p.native.MockCluster()
	if err != nil {
		return nil, public(err)
	}
	return &MockCluster{cluster}, nil
}

// Close ends the cluster; one that belongs to a producer ends with that. Further calls change nothing.
func (c *MockCluster) Close() error { return public(c.native.Close()) }

// BootstrapServers is what to set bootstrap.servers to; "" when it is closed. Not to be called while another
// goroutine closes the cluster.
func (c *MockCluster) BootstrapServers() string { return c.native.BootstrapServers() }

// CreateTopic creates a topic with so many partitions, each on so many brokers.
func (c *MockCluster) CreateTopic(topic string, partitions, replication int) error {
	return public(c.native.CreateTopic(topic, partitions, replication))
}

// PartitionCount is the number of partitions of a topic.
func (c *MockCluster) PartitionCount(topic string) (int, error) {
	count, err := c.native.PartitionCount(topic)
	return count, public(err)
}

// BrokerDown takes a broker down: its connections close, its partitions get other leaders.
func (c *MockCluster) BrokerDown(broker int32) error { return public(c.native.BrokerDown(broker)) }

// BrokerUp brings a broker back.
func (c *MockCluster) BrokerUp(broker int32) error { return public(c.native.BrokerUp(broker)) }

// SetLeader gives a partition to another leader; -1: to none.
func (c *MockCluster) SetLeader(topic string, partition, broker int32) error {
	return public(c.native.SetLeader(topic, partition, broker))
}

// PushErrors refuses the next requests of an API with these codes, one each; CodeNone lets one pass, and
// CodeTransport closes the connection.
func (c *MockCluster) PushErrors(api int16, codes ...Code) error {
	return public(c.native.PushErrors(api, numbers(codes)))
}

// PushPartitionErrors answers the next batches of a partition with these codes, one each.
func (c *MockCluster) PushPartitionErrors(topic string, partition int32, codes ...Code) error {
	return public(c.native.PushPartitionErrors(topic, partition, numbers(codes)))
}

func numbers(codes []Code) []int32 {
	numbers := make([]int32, len(codes))
	for i, code := range codes {
		numbers[i] = int32(code)
	}
	return numbers
}

// SetDelay holds every answer of a broker to an API back for so long; 0 ends that.
func (c *MockCluster) SetDelay(broker int32, api int16, delay time.Duration) error {
	return public(c.native.SetDelay(broker, api, delay))
}

// ClearFaults forgets every error and delay that was ordered.
func (c *MockCluster) ClearFaults() error { return public(c.native.ClearFaults()) }

// RequestCount says how many requests of an API have arrived at a broker.
func (c *MockCluster) RequestCount(broker int32, api int16) (uint64, error) {
	count, err := c.native.RequestCount(broker, api)
	return count, public(err)
}

// EndOffset is the offset that the next record of a partition will get.
func (c *MockCluster) EndOffset(topic string, partition int32) (int64, error) {
	offset, err := c.native.EndOffset(topic, partition)
	return offset, public(err)
}

// StoredRecord is a record of the embedded cluster.
type StoredRecord struct {
	Offset    int64
	Timestamp time.Time
	Key       []byte
	Value     []byte
	Headers   []Header
}

// CommittedOffset is the offset that a consumer group has committed for a partition, or -1. Offsets sent to a transaction
// count once that is committed.
func (c *MockCluster) CommittedOffset(group, topic string, partition int32) (int64, error) {
	offset, err := c.native.CommittedOffset(group, topic, partition)
	return offset, public(err)
}

// SetKafkaVersion makes the brokers as old as those of a Kafka release: "2.8", say.
func (c *MockCluster) SetKafkaVersion(release string) error {
	return public(c.native.SetKafkaVersion(release))
}

// Records reads back every record of a partition, in order, whatever became of its transaction.
func (c *MockCluster) Records(topic string, partition int32) ([]StoredRecord, error) {
	return c.records(topic, partition, native.IsolationReadUncommitted)
}

// CommittedRecords reads back what a consumer with isolation.level=read_committed would get from a partition by now.
func (c *MockCluster) CommittedRecords(topic string, partition int32) ([]StoredRecord, error) {
	return c.records(topic, partition, native.IsolationReadCommitted)
}

func (c *MockCluster) records(topic string, partition int32, isolation int) ([]StoredRecord, error) {
	records, err := c.native.Records(topic, partition, isolation)
	stored := make([]StoredRecord, len(records))
	for i, record := range records {
		stored[i] = StoredRecord{record.Offset, record.Timestamp, record.Key, record.Value, nil}
		for _, header := range record.Headers {
			stored[i].Headers = append(stored[i].Headers, Header(header))
		}
	}
	return stored, public(err)
}
