#!/usr/bin/env python3
"""Two records of two topics, and how far the input was read: readers see all of it or nothing.

    usage: transaction.py [BOOTSTRAP]

The topic of the input, "orders", must be there. Without BOOTSTRAP on an embedded cluster.
"""

import sys

from ottla import ConsumerGroupMetadata, KafkaException, MockCluster, Producer, TopicPartition


class OutOfStock(Exception):
    pass


def bill(producer, order):
    """What belongs together."""
    for topic in ("shipments", "bills"):
        producer.produce(topic, f"order {order}")
    if order == 1:
        raise OutOfStock
    # With a consumer this is its own: consumer.position(...) and consumer.consumer_group_metadata().
    group = ConsumerGroupMetadata("billing")
    producer.send_offsets_to_transaction([TopicPartition("orders", 0, order + 1)], group, 30)


def main():
    if len(sys.argv) > 1:
        return run(sys.argv[1])
    with MockCluster(1) as cluster:
        cluster.create_topic("orders", 1)
        return run(cluster.bootstrap_servers)


def run(servers):
    # Whoever starts with the same id later shuts this one out.
    with Producer({"bootstrap.servers": servers, "transactional.id": "billing-1"}) as producer:
        producer.init_transactions(30)
        for order in range(3):
            try:
                with producer.transaction(30):
                    bill(producer, order)
                print(f"order {order}: committed")
            except OutOfStock:
                print(f"order {order}: out of stock, nothing of it is seen")
            except KafkaException as error:
                print(f"order {order}: {error}", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
