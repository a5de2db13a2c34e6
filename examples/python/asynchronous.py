#!/usr/bin/env python3
"""Records from many tasks of an event loop, one await each.

    usage: asynchronous.py [BOOTSTRAP]
"""

import asyncio
import sys

from ottla import KafkaException, aio


async def worker(producer, name):
    """Sends ten records, each when the one before it is stored."""
    for number in range(10):
        message = await producer.send("events", f"{name}: {number}", key=name)
        if number == 9:
            print(f"{name}: the last one is at {message.partition()}@{message.offset()}")


async def main():
    settings = {"bootstrap.servers": sys.argv[1]} if len(sys.argv) > 1 else {"test.mock.num.brokers": 1}
    async with aio.Producer(settings, linger_ms=1) as producer:
        await producer.wait_ready(30)
        await asyncio.gather(*(worker(producer, f"worker {n}") for n in range(5)))
        try:
            await producer.send("events", bytes(10_000_000))
        except KafkaException as refused:
            print("too large:", refused.error.name())


if __name__ == "__main__":
    asyncio.run(main())
