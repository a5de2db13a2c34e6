"""The classes that :meth:`ottla.Producer.list_topics` returns, under the name they have in confluent_kafka.

There is no AdminClient here: ottla is a producer. MOVING.md tells how to keep confluent_kafka's beside it.
"""

from ottla.metadata import BrokerMetadata, ClusterMetadata, PartitionMetadata, TopicMetadata

__all__ = ["BrokerMetadata", "ClusterMetadata", "PartitionMetadata", "TopicMetadata"]
