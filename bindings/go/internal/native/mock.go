package native

// #include "ottla.h"
import "C"

import (
	"sync"
	"time"
	"unsafe"
)

// MockCluster is a Kafka cluster inside this process, on free ports of 127.0.0.1, to test against. Its brokers
// have the ids 1, 2, .... Topics are created when a producer asks for them, with 4 partitions. Orders take effect
// at once. APIs go by Kafka's keys: 0 is Produce, 3 Metadata.
type MockCluster struct {
	handle *C.ottla_mock_cluster_t
	// borrowed from a producer, with which it ends.
	borrowed bool
	closing  sync.Once
	closeErr error
}

// NewMockCluster starts a cluster of so many brokers. It must be closed.
func NewMockCluster(brokers int) (*MockCluster, error) {
	c := &MockCluster{}
	var handle *C.ottla_mock_cluster_t
	err := call(func() C.int32_t { return C.ottla_mock_cluster_new(C.uint32_t(brokers), &handle, nil) })
	if err != nil {
		return nil, err
	}
	c.handle = handle
	return c, nil
}

// MockCluster gives the embedded cluster of a producer with test.mock.num.brokers. It ends with the producer.
func (p *Producer[T]) MockCluster() (*MockCluster, error) {
	var handle *C.ottla_mock_cluster_t
	err := call(func() C.int32_t { return C.ottla_producer_mock_cluster(p.handle, &handle, nil) })
	if err != nil {
		return nil, err
	}
	return &MockCluster{handle: handle, borrowed: true}, nil
}

// Close ends the cluster; one that belongs to a producer ends with that. Further calls change nothing.
func (c *MockCluster) Close() error {
	c.closing.Do(func() {
		if !c.borrowed {
			c.closeErr = call(func() C.int32_t { return C.ottla_mock_cluster_free(c.handle) })
		}
	})
	return c.closeErr
}

// BootstrapServers is what to set bootstrap.servers to; "" when it is closed. Not to be called while another
// goroutine closes the cluster.
func (c *MockCluster) BootstrapServers() string {
	return C.GoString(C.ottla_mock_cluster_bootstrap_servers(c.handle))
}

// CreateTopic creates a topic with so many partitions, each on so many brokers.
func (c *MockCluster) CreateTopic(topic string, partitions, replication int) error {
	name, size := text(topic)
	return call(func() C.int32_t {
		return C.ottla_mock_cluster_create_topic(c.handle, name, size, C.uint32_t(partitions), C.uint32_t(replication))
	})
}

// PartitionCount is the number of partitions of a topic.
func (c *MockCluster) PartitionCount(topic string) (int, error) {
	name, size := text(topic)
	var count C.size_t
	err := call(func() C.int32_t {
		return C.ottla_mock_cluster_partition_count(c.handle, name, size, &count)
	})
	return int(count), err
}

// BrokerDown takes a broker down: its connections close, its partitions get other leaders.
func (c *MockCluster) BrokerDown(broker int32) error {
	return call(func() C.int32_t { return C.ottla_mock_cluster_broker_down(c.handle, C.int32_t(broker)) })
}

// BrokerUp brings a broker back.
func (c *MockCluster) BrokerUp(broker int32) error {
	return call(func() C.int32_t { return C.ottla_mock_cluster_broker_up(c.handle, C.int32_t(broker)) })
}

// SetLeader gives a partition to another leader; -1: to none.
func (c *MockCluster) SetLeader(topic string, partition, broker int32) error {
	name, size := text(topic)
	return call(func() C.int32_t {
		return C.ottla_mock_cluster_set_leader(c.handle, name, size, C.int32_t(partition), C.int32_t(broker))
	})
}

// PushErrors refuses the next requests of an API with these codes, one each.
func (c *MockCluster) PushErrors(api int16, codes []int32) error {
	return call(func() C.int32_t {
		return C.ottla_mock_cluster_push_errors(c.handle, C.int16_t(api), numbers(codes), C.size_t(len(codes)))
	})
}

// PushPartitionErrors answers the next batches of a partition with these codes, one each.
func (c *MockCluster) PushPartitionErrors(topic string, partition int32, codes []int32) error {
	name, size := text(topic)
	return call(func() C.int32_t {
		return C.ottla_mock_cluster_push_partition_errors(c.handle, name, size, C.int32_t(partition),
			numbers(codes), C.size_t(len(codes)))
	})
}

func numbers(codes []int32) *C.int32_t { return (*C.int32_t)(unsafe.SliceData(codes)) }

// SetDelay holds every answer of a broker to an API back for so long; 0 ends that.
func (c *MockCluster) SetDelay(broker int32, api int16, delay time.Duration) error {
	return call(func() C.int32_t {
		return C.ottla_mock_cluster_set_delay(c.handle, C.int32_t(broker), C.int16_t(api),
			C.uint64_t(max(delay, 0).Milliseconds()))
	})
}

// ClearFaults forgets every error and delay that was ordered.
func (c *MockCluster) ClearFaults() error {
	return call(func() C.int32_t { return C.ottla_mock_cluster_clear_faults(c.handle) })
}

// RequestCount says how many requests of an API have arrived at a broker.
func (c *MockCluster) RequestCount(broker int32, api int16) (uint64, error) {
	var count C.uint64_t
	err := call(func() C.int32_t {
		return C.ottla_mock_cluster_request_count(c.handle, C.int32_t(broker), C.int16_t(api), &count)
	})
	return uint64(count), err
}

// EndOffset is the offset that the next record of a partition will get.
func (c *MockCluster) EndOffset(topic string, partition int32) (int64, error) {
	name, size := text(topic)
	var offset C.int64_t
	err := call(func() C.int32_t {
		return C.ottla_mock_cluster_end_offset(c.handle, name, size, C.int32_t(partition), &offset)
	})
	return int64(offset), err
}

// StoredRecord is a record of the embedded cluster.
type StoredRecord struct {
	Offset    int64
	Timestamp time.Time
	Key       []byte
	Value     []byte
	Headers   []Header
}

// CommittedOffset is the offset that a consumer group has committed for a partition, or -1.
func (c *MockCluster) CommittedOffset(group, topic string, partition int32) (int64, error) {
	id, idLen := text(group)
	name, size := text(topic)
	var offset C.int64_t
	err := call(func() C.int32_t {
		return C.ottla_mock_cluster_committed_offset(c.handle, id, idLen, name, size, C.int32_t(partition), &offset)
	})
	return int64(offset), err
}

// SetKafkaVersion makes the brokers as old as those of a release.
func (c *MockCluster) SetKafkaVersion(release string) error {
	data, size := text(release)
	return call(func() C.int32_t { return C.ottla_mock_cluster_set_kafka_version(c.handle, data, size) })
}

// Records reads back the records of a partition, in order, as a reader of an Isolation... level gets them.
func (c *MockCluster) Records(topic string, partition int32, isolation int) ([]StoredRecord, error) {
	name, size := text(topic)
	var records *C.ottla_mock_records_t
	err := call(func() C.int32_t {
		return C.ottla_mock_cluster_records_isolated(c.handle, name, size, C.int32_t(partition), C.int32_t(isolation), &records, nil)
	})
	if err != nil {
		return nil, err
	}
	defer C.ottla_mock_records_free(records)
	stored := make([]StoredRecord, C.ottla_mock_records_count(records))
	for i := range stored {
		record := C.ottla_record_t{size: C.sizeof_ottla_record_t}
		var offset C.int64_t
		err := call(func() C.int32_t {
			return C.ottla_mock_records_at(records, C.size_t(i), &record, &offset)
		})
		if err != nil {
			return nil, err
		}
		stored[i] = StoredRecord{
			Offset:    int64(offset),
			Timestamp: time.UnixMilli(int64(record.timestamp_ms)),
			Key:       own(record.key, record.key_len),
			Value:     own(record.value, record.value_len),
		}
		for _, header := range unsafe.Slice(record.headers, int(record.header_count)) {
			key := own(unsafe.Pointer(header.key), header.key_len)
			value := own(header.value, header.value_len)
			stored[i].Headers = append(stored[i].Headers, Header{string(key), value})
		}
	}
	return stored, nil
}
