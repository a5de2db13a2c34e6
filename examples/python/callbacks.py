#!/usr/bin/env python3
"""As programs are written for confluent_kafka: only the import is another one.

    usage: callbacks.py [BOOTSTRAP]

Sends a thousand records with a callback each and prints how many were stored. Without BOOTSTRAP on an embedded cluster.
"""

import sys

from ottla import KafkaException, Producer

COUNT = 1000
stored = []


def on_delivery(err, msg):
    if err is not None:
        print(f"Delivery failed for record {msg.key()}: {err}", file=sys.stderr)
        return
    stored.append((msg.topic(), msg.partition(), msg.offset()))


def main():
    conf = {"bootstrap.servers": sys.argv[1]} if len(sys.argv) > 1 else {"test.mock.num.brokers": 1}
    producer = Producer({**conf, "client.id": "callbacks", "linger.ms": 5})
    for number in range(COUNT):
        while True:
            try:
                producer.produce("events", key=str(number), value=f"event {number}", on_delivery=on_delivery)
                break
            except BufferError:
                producer.poll(0.5)
            except KafkaException as error:
                print(f"cannot send: {error}", file=sys.stderr)
                return 1
        producer.poll(0)
    left = producer.flush(30)
    print(f"{len(stored)} stored, {left} left")
    return 0 if len(stored) == COUNT and left == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
