package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/ottla-kafka/ottla/bindings/go/internal/native"
)

// Metadata is the cluster as it was at one moment.
type Metadata struct {
	Brokers []BrokerMetadata
	Topics  map[string]TopicMetadata
	// OriginatingBroker is a broker of the cluster; which one answered is not told.
	OriginatingBroker BrokerMetadata
}

// BrokerMetadata is a broker.
type BrokerMetadata struct {
	ID   int32
	Host string
	Port int
}

// TopicMetadata is a topic, with an ErrNoError or what is wrong with it.
type TopicMetadata struct {
	Topic      string
	Partitions []PartitionMetadata
	Error      Error
}

// PartitionMetadata is a partition, with an ErrNoError or what is wrong with it. A Leader of -1 is none.
type PartitionMetadata struct {
	ID       int32
	Error    Error
	Leader   int32
	Replicas []int32
	Isrs     []int32
}

// GetMetadata asks the cluster for its brokers and for one topic, for all topics, or (topic nil, allTopics false) gives
// what the producer knows of the topics that it uses.
func (p *Producer) GetMetadata(topic *string, allTopics bool, timeoutMs int) (*Metadata, error) {
	if p.isClosed.Load() {
		return nil, errClosed
	}
	ctx, cancel := limited(timeoutMs)
	defer cancel()
	found, err := p.metadata(ctx, topic, allTopics)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, Error{code: ErrTimedOut}
	}
	if err != nil {
		return nil, public(err)
	}
	made := &Metadata{Topics: map[string]TopicMetadata{}}
	for _, broker := range found.Brokers {
		made.Brokers = append(made.Brokers, BrokerMetadata(broker))
	}
	if len(made.Brokers) > 0 {
		made.OriginatingBroker = made.Brokers[0]
	}
	for _, topic := range found.Topics {
		partitions := make([]PartitionMetadata, len(topic.Partitions))
		for i, partition := range topic.Partitions {
			partitions[i] = PartitionMetadata{int32(i), Error{code: compatible(partition.Code)}, partition.Leader,
				partition.Replicas, partition.InSync}
		}
		made.Topics[topic.Name] = TopicMetadata{topic.Name, partitions, Error{code: compatible(topic.Code)}}
	}
	return made, nil
}

func (p *Producer) metadata(ctx context.Context, topic *string, allTopics bool) (*native.Metadata, error) {
	if topic == nil && !allTopics {
		if err := p.native.WaitReady(ctx); err != nil {
			return nil, err
		}
		return p.native.Metadata()
	}
	return p.native.Survey(ctx, topic)
}

// limited is a context for a time limit in milliseconds; below 0 there is none.
func limited(timeoutMs int) (context.Context, context.CancelFunc) {
	if timeoutMs < 0 {
		return context.WithCancel(context.Background())
	}
	return context.WithTimeout(context.Background(), time.Duration(timeoutMs)*time.Millisecond)
}
