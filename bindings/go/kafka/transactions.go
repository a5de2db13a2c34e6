package kafka

import "context"

// ConsumerGroupMetadata names a consumer group and its member, for SendOffsetsToTransaction.
type ConsumerGroupMetadata struct{ group string }

// NewTestConsumerGroupMetadata makes one of a group alone, for tests.
func NewTestConsumerGroupMetadata(groupID string) (*ConsumerGroupMetadata, error) {
	if groupID == "" {
		return nil, Error{code: ErrInvalidArg, str: "Failed to create metadata object"}
	}
	return &ConsumerGroupMetadata{groupID}, nil
}

// InitTransactions is not built: transactional.id cannot be set yet, and without it the call is an ErrNotConfigured.
func (p *Producer) InitTransactions(ctx context.Context) error { return p.transaction() }

// BeginTransaction is not built; see InitTransactions.
func (p *Producer) BeginTransaction() error { return p.transaction() }

// SendOffsetsToTransaction is not built; see InitTransactions.
func (p *Producer) SendOffsetsToTransaction(ctx context.Context, offsets []TopicPartition,
	consumerMetadata *ConsumerGroupMetadata) error {
	return p.transaction()
}

// CommitTransaction is not built; see InitTransactions.
func (p *Producer) CommitTransaction(ctx context.Context) error { return p.transaction() }

// AbortTransaction is not built; see InitTransactions.
func (p *Producer) AbortTransaction(ctx context.Context) error { return p.transaction() }

func (p *Producer) transaction() error {
	if p.isClosed.Load() {
		return errClosed
	}
	if p.transactional {
		return notBuilt("The transactional API")
	}
	return Error{code: ErrNotConfigured, str: "The Transactional API requires transactional.id to be configured"}
}
