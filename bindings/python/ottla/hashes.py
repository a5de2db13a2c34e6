"""The hashes by which librdkafka's partitioners place keys, as confluent_kafka offers them."""

import zlib


def murmur2(key: bytes, partition_count: int) -> int:
    """The partition of a key by Kafka's murmur2 (the partitioner ``murmur2``)."""
    data = _check(key, partition_count)
    mask, multiplier = 0xFFFFFFFF, 0x5BD1E995
    hashed = 0x9747B28C ^ len(data)
    whole = len(data) & ~3
    for at in range(0, whole, 4):
        word = int.from_bytes(data[at : at + 4], "little") * multiplier & mask
        word = (word ^ word >> 24) * multiplier & mask
        hashed = (hashed * multiplier & mask) ^ word
    if whole < len(data):
        hashed = (hashed ^ int.from_bytes(data[whole:], "little")) * multiplier & mask
    hashed = (hashed ^ hashed >> 13) * multiplier & mask
    hashed ^= hashed >> 15
    return (hashed & 0x7FFFFFFF) % partition_count


def consistent(key: bytes, partition_count: int) -> int:
    """The partition of a key by CRC-32 (the partitioners ``consistent`` and ``consistent_random``)."""
    return zlib.crc32(_check(key, partition_count)) % partition_count


def fnv1a(key: bytes, partition_count: int) -> int:
    """The partition of a key by FNV-1a (the partitioner ``fnv1a``)."""
    hashed = 0x811C9DC5
    for byte in _check(key, partition_count):
        hashed = (hashed ^ byte) * 0x01000193 & 0xFFFFFFFF
    # As a signed number, without its sign.
    return (2**32 - hashed if hashed & 0x80000000 else hashed) % partition_count


def _check(key: bytes, partition_count: int) -> bytes:
    data = bytes(memoryview(key))
    if partition_count <= 0:
        raise ValueError(f"partition_count must be > 0, got {partition_count}")
    return data
