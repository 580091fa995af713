"""Reads one entry of larder's from standard input, and prints what it says as JSON.

    redis-cli --raw GET campus:user:7 | python3 read_entry.py
"""
import json
import struct
import sys


def read_entry(data):
    head = struct.unpack_from("<4sBBBBQQQQQIIIH", data)
    magic, version, codec, flags, kind_length = head[:5]
    incarnation, sequence, fresh, stale, shape, meaning, cost, length, tag_count = head[5:]
    if magic != b"\xfalrd" or version != 1 or flags & ~1:
        raise ValueError("not an entry of format version 1")
    at = 62
    kind = data[at : at + kind_length].decode()
    at += kind_length
    tags = []
    for _ in range(tag_count):
        (tag_length,) = struct.unpack_from("<H", data, at)
        tags.append(data[at + 2 : at + 2 + tag_length].decode())
        at += 2 + tag_length
    # redis-cli adds a line feed, which is no part of the entry.
    payload = data[at : at + length]
    if len(payload) < length:
        raise ValueError("the entry is cut")
    if flags & 1:
        payload = unpack_lz4(payload[4:], struct.unpack_from("<I", payload)[0])
    if codec != 2:
        raise ValueError("the value is not written as json")
    return {
        "kind": kind,
        "order": [incarnation, sequence],
        "fresh_ms": fresh,
        "stale_ms": stale,
        "version": meaning,
        "cost_ms": cost,
        "tags": tags,
        "value": json.loads(payload),
    }


def unpack_lz4(packed, size):
    """One block: literals, then a piece of what came before, and so on; literals end it."""
    plain, at = bytearray(), 0

    def longer(length):
        nonlocal at
        if length == 15:
            while True:
                length += packed[at]
                at += 1
                if packed[at - 1] != 255:
                    break
        return length

    while at < len(packed):
        token = packed[at]
        at += 1
        literals = longer(token >> 4)
        plain += packed[at : at + literals]
        at += literals
        if at >= len(packed):
            break
        back = packed[at] | packed[at + 1] << 8
        at += 2
        for _ in range(longer(token & 15) + 4):
            plain.append(plain[-back])
    if len(plain) != size:
        raise ValueError("the value is damaged")
    return bytes(plain)


if __name__ == "__main__":
    print(json.dumps(read_entry(sys.stdin.buffer.read())))
