package native

// #include "ottla.h"
import "C"

import (
	"context"
	"unsafe"
)

// Metadata is the cluster as it was at one moment.
type Metadata struct {
	ClusterID  string
	Controller int32
	Brokers    []Broker
	Topics     []TopicMetadata
}

// Broker of a cluster.
type Broker struct {
	ID   int32
	Host string
	Port int
}

// TopicMetadata is a topic with its error, 0 for none.
type TopicMetadata struct {
	Name       string
	Code       int32
	Partitions []PartitionMetadata
}

// PartitionMetadata is a partition with its error, 0 for none; a leader of -1 is none.
type PartitionMetadata struct {
	Code             int32
	Leader           int32
	Replicas, InSync []int32
}

// Metadata is what the producer knows of the cluster now.
func (p *Producer[T]) Metadata() (*Metadata, error) {
	var snapshot *C.ottla_metadata_t
	err := call(func() C.int32_t { return C.ottla_producer_metadata(p.handle, &snapshot, nil) })
	if err != nil {
		return nil, err
	}
	return read(snapshot), nil
}

// Survey asks the cluster for all topics, or for one, on a connection of its own. It is the one call that waits inside
// C, on a goroutine of its own, which ends with the deadline of ctx even if ctx is cancelled before.
func (p *Producer[T]) Survey(ctx context.Context, topic *string) (*Metadata, error) {
	type answer struct {
		metadata *Metadata
		err      error
	}
	answers := make(chan answer, 1)
	limit := milliseconds(ctx)
	go func() {
		var name *C.char
		var size C.size_t
		if topic != nil {
			name, size = text(*topic)
		}
		var snapshot *C.ottla_metadata_t
		err := call(func() C.int32_t {
			return C.ottla_producer_survey(p.handle, name, size, limit, &snapshot, nil)
		})
		if err != nil {
			answers <- answer{nil, err}
			return
		}
		answers <- answer{read(snapshot), nil}
	}()
	select {
	case got := <-answers:
		return got.metadata, got.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// read copies a snapshot and frees it.
func read(snapshot *C.ottla_metadata_t) *Metadata {
	defer C.ottla_metadata_free(snapshot)
	made := &Metadata{
		ClusterID:  C.GoString(C.ottla_metadata_cluster_id(snapshot)),
		Controller: int32(C.ottla_metadata_controller(snapshot)),
		Brokers:    make([]Broker, C.ottla_metadata_broker_count(snapshot)),
		Topics:     make([]TopicMetadata, C.ottla_metadata_topic_count(snapshot)),
	}
	for i := range made.Brokers {
		var id C.int32_t
		var host *C.char
		var port C.uint16_t
		C.ottla_metadata_broker(snapshot, C.size_t(i), &id, &host, &port, nil)
		made.Brokers[i] = Broker{int32(id), C.GoString(host), int(port)}
	}
	for i := range made.Topics {
		var name *C.char
		var code C.int32_t
		var count C.size_t
		C.ottla_metadata_topic(snapshot, C.size_t(i), &name, nil, &code, &count)
		made.Topics[i] = TopicMetadata{C.GoString(name), int32(code), make([]PartitionMetadata, count)}
		for n := range made.Topics[i].Partitions {
			made.Topics[i].Partitions[n] = readPartition(snapshot, C.size_t(i), C.int32_t(n))
		}
	}
	return made
}

func readPartition(snapshot *C.ottla_metadata_t, topic C.size_t, number C.int32_t) PartitionMetadata {
	var leader, code C.int32_t
	var replicas, inSync *C.int32_t
	var replicaCount, inSyncCount C.size_t
	C.ottla_metadata_partition(snapshot, topic, number, &leader, nil, &code)
	C.ottla_metadata_replicas(snapshot, topic, number, &replicas, &replicaCount, &inSync, &inSyncCount)
	return PartitionMetadata{int32(code), int32(leader), ids(replicas, replicaCount), ids(inSync, inSyncCount)}
}

func ids(array *C.int32_t, count C.size_t) []int32 {
	return append([]int32{}, unsafe.Slice((*int32)(unsafe.Pointer(array)), int(count))...)
}
