package kafka

import (
	"fmt"
	"strconv"
	"time"
)

// TimestampType says where the time of a message comes from.
type TimestampType int

const (
	// TimestampNotAvailable: the message has no time.
	TimestampNotAvailable TimestampType = 0
	// TimestampCreateTime: the time was set by the producer.
	TimestampCreateTime TimestampType = 1
	// TimestampLogAppendTime: the time was set by the broker.
	TimestampLogAppendTime TimestampType = 2
)

// String gives the name of the type.
func (t TimestampType) String() string {
	switch t {
	case TimestampCreateTime:
		return "CreateTime"
	case TimestampLogAppendTime:
		return "LogAppendTime"
	}
	return "NotAvailable"
}

// Message is what is sent, and the report about it. Nil keys and values are null, empty ones are empty.
type Message struct {
	// TopicPartition says where to (Partition may be PartitionAny), and in a report also the offset or the error.
	TopicPartition TopicPartition
	Value          []byte
	Key            []byte
	// Timestamp in milliseconds when sent; the zero time is now.
	Timestamp     time.Time
	TimestampType TimestampType
	// Opaque comes back in the report.
	Opaque  interface{}
	Headers []Header
	// LeaderEpoch is always nil here.
	//
	// Deprecated: use TopicPartition.LeaderEpoch.
	LeaderEpoch *int32
}

// String gives topic, partition and offset.
func (m *Message) String() string {
	topic := ""
	if m.TopicPartition.Topic != nil {
		topic = *m.TopicPartition.Topic
	}
	return fmt.Sprintf("%s[%d]@%s", topic, m.TopicPartition.Partition, m.TopicPartition.Offset)
}

// Header is a name and a value that travel with a message. A nil value is null; an empty one is empty.
type Header struct {
	Key   string
	Value []byte
}

// String gives name and value; of a long value only the beginning.
func (h Header) String() string {
	const shown, longest = 50, 65
	switch size := len(h.Value); {
	case h.Value == nil:
		return h.Key + "=nil"
	case size == 0:
		return h.Key + "=<empty>"
	case size > longest:
		return fmt.Sprintf("%s=%s(%d more bytes)", h.Key, strconv.Quote(string(h.Value[:shown])), size-shown)
	}
	return h.Key + "=" + strconv.Quote(string(h.Value))
}
