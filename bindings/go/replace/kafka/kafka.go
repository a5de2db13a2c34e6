// Package kafka stands in for confluent-kafka-go's package of the same path, through a replace line in go.mod: the same
// names, which are those of ottla's package kafka. See MOVING.md.
package kafka

import "github.com/ottla-kafka/ottla/bindings/go/kafka"

// The types; see the package that they come from.
type (
	BrokerMetadata          = kafka.BrokerMetadata
	ConfigMap               = kafka.ConfigMap
	ConfigValue             = kafka.ConfigValue
	ConsumerGroupMetadata   = kafka.ConsumerGroupMetadata
	Error                   = kafka.Error
	ErrorCode               = kafka.ErrorCode
	Event                   = kafka.Event
	Header                  = kafka.Header
	LogEvent                = kafka.LogEvent
	Message                 = kafka.Message
	Metadata                = kafka.Metadata
	MockCluster             = kafka.MockCluster
	OAuthBearerToken        = kafka.OAuthBearerToken
	OAuthBearerTokenRefresh = kafka.OAuthBearerTokenRefresh
	Offset                  = kafka.Offset
	PartitionMetadata       = kafka.PartitionMetadata
	Producer                = kafka.Producer
	Stats                   = kafka.Stats
	TimestampType           = kafka.TimestampType
	TopicMetadata           = kafka.TopicMetadata
	TopicPartition          = kafka.TopicPartition
	TopicPartitions         = kafka.TopicPartitions
)

// The constants; see the package that they come from.
const (
	LibrdkafkaLinkInfo     = kafka.LibrdkafkaLinkInfo
	OffsetBeginning        = kafka.OffsetBeginning
	OffsetEnd              = kafka.OffsetEnd
	OffsetInvalid          = kafka.OffsetInvalid
	OffsetStored           = kafka.OffsetStored
	PartitionAny           = kafka.PartitionAny
	PurgeInFlight          = kafka.PurgeInFlight
	PurgeNonBlocking       = kafka.PurgeNonBlocking
	PurgeQueue             = kafka.PurgeQueue
	TimestampCreateTime    = kafka.TimestampCreateTime
	TimestampLogAppendTime = kafka.TimestampLogAppendTime
	TimestampNotAvailable  = kafka.TimestampNotAvailable
)

// LibraryVersion is kafka.LibraryVersion.
func LibraryVersion() (int, string) { return kafka.LibraryVersion() }

// NewError is kafka.NewError.
func NewError(code ErrorCode, str string, fatal bool) Error { return kafka.NewError(code, str, fatal) }

// NewMockCluster is kafka.NewMockCluster.
func NewMockCluster(brokerCount int) (*MockCluster, error) { return kafka.NewMockCluster(brokerCount) }

// NewOffset is kafka.NewOffset.
func NewOffset(offset interface{}) (Offset, error) { return kafka.NewOffset(offset) }

// NewProducer is kafka.NewProducer.
func NewProducer(conf *ConfigMap) (*Producer, error) { return kafka.NewProducer(conf) }

// NewTestConsumerGroupMetadata is kafka.NewTestConsumerGroupMetadata.
func NewTestConsumerGroupMetadata(groupID string) (*ConsumerGroupMetadata, error) {
	return kafka.NewTestConsumerGroupMetadata(groupID)
}

// OffsetTail is kafka.OffsetTail.
func OffsetTail(relativeOffset Offset) Offset { return kafka.OffsetTail(relativeOffset) }
