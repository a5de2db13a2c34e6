package kafka

import (
	"fmt"
	"strconv"
)

// PartitionAny lets the partitioner choose the partition.
const PartitionAny int32 = -1

// TopicPartition names a partition, and what is known of a place in it.
type TopicPartition struct {
	Topic       *string
	Partition   int32
	Offset      Offset
	Metadata    *string
	Error       error
	LeaderEpoch *int32
}

// String gives topic, partition, offset and, if there is one, the error.
func (p TopicPartition) String() string {
	topic := "<null>"
	if p.Topic != nil {
		topic = *p.Topic
	}
	if p.Error != nil {
		return fmt.Sprintf("%s[%d]@%s(%s)", topic, p.Partition, p.Offset, p.Error)
	}
	return fmt.Sprintf("%s[%d]@%s", topic, p.Partition, p.Offset)
}

// TopicPartitions can be sorted by topic and partition.
type TopicPartitions []TopicPartition

// Len is the number of partitions.
func (t TopicPartitions) Len() int { return len(t) }

// Less compares by topic, then by partition.
func (t TopicPartitions) Less(i, j int) bool {
	if *t[i].Topic != *t[j].Topic {
		return *t[i].Topic < *t[j].Topic
	}
	return t[i].Partition < t[j].Partition
}

// Swap exchanges two partitions.
func (t TopicPartitions) Swap(i, j int) { t[i], t[j] = t[j], t[i] }

// Offset in a partition, or one of the names below.
type Offset int64

const (
	// OffsetBeginning is the first one there is.
	OffsetBeginning = Offset(-2)
	// OffsetEnd is behind the last one.
	OffsetEnd = Offset(-1)
	// OffsetInvalid is none, or not known.
	OffsetInvalid = Offset(-1001)
	// OffsetStored is the one that was stored for the group.
	OffsetStored = Offset(-1000)
)

const offsetTailBase = -2000

// String gives the number or the name.
func (o Offset) String() string {
	switch o {
	case OffsetBeginning:
		return "beginning"
	case OffsetEnd:
		return "end"
	case OffsetInvalid:
		return "unset"
	case OffsetStored:
		return "stored"
	}
	return strconv.FormatInt(int64(o), 10)
}

// Set sets the offset to what NewOffset makes.
func (o *Offset) Set(offset interface{}) error {
	made, err := NewOffset(offset)
	if err == nil {
		*o = made
	}
	return err
}

// NewOffset makes an offset of a number, a text with a number, an Offset, or one of the names beginning, earliest, end,
// latest, unset, invalid, stored.
func NewOffset(offset interface{}) (Offset, error) {
	switch value := offset.(type) {
	case string:
		switch value {
		case "beginning", "earliest":
			return OffsetBeginning, nil
		case "end", "latest":
			return OffsetEnd, nil
		case "unset", "invalid":
			return OffsetInvalid, nil
		case "stored":
			return OffsetStored, nil
		}
		number, err := strconv.Atoi(value)
		return Offset(number), err
	case int:
		return Offset(value), nil
	case int64:
		return Offset(value), nil
	case Offset:
		return value, nil
	}
	return OffsetInvalid, Error{code: ErrInvalidArg, str: fmt.Sprintf("Invalid offset type: %T", offset)}
}

// OffsetTail is the offset that lies so far before the end.
func OffsetTail(relativeOffset Offset) Offset { return offsetTailBase - relativeOffset }
