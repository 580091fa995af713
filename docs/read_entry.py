"""Reads one entry of larder's from standard input, and prints what it says as JSON.

    redis-cli --scan --pattern 'larder:campus:*:k:user:7'
    redis-cli --raw GET larder:campus:5d0c88a1f2b94e07:k:user:7 | python3 read_entry.py

It reads what Redis holds, a slot with an envelope in it, and an envelope alone. The value is read if its codec is json;
of others (postcard is the default) it prints everything but the value, and says on standard error why.
"""
import json
import struct
import sys


CODECS = {1: "postcard", 2: "json", 3: "bincode"}
SLOT = struct.Struct(">3scQQQQQQQQII")
STATES = {
    b"H": "no value: a load holds the place of one",
    b"C": "the header of a counter: the counter stands under the same name with `k` in the place of `c`",
}


def part(data, at, length):
    """So many bytes from there on, if they are there."""
    if len(data) < at + length:
        raise ValueError(f"the entry is cut off: it has {len(data)} bytes, and should have {at + length} at least")
    return data[at : at + length]


def text(data, at, length):
    return part(data, at, length).decode()


def numbers(layout, data, at=0):
    return struct.unpack(layout, part(data, at, struct.calcsize(layout)))


def read(data):
    """An entry as it stands in Redis; an envelope alone as well."""
    if not data.strip():
        raise ValueError("there is nothing: is there such a name?")
    if data.startswith(b"\xfalrd"):
        return read_envelope(data)
    if data.rstrip(b"\n").lstrip(b"-").isdigit():
        return {"counter": int(data)}
    if not data.startswith(b"LS\x01"):
        raise ValueError("nothing that larder has written, or of a newer version")
    head = numbers(SLOT.format, data)
    state, fresh, total, before, sequence = head[1], head[5], head[6], head[7], head[8]
    if state in STATES:
        raise ValueError(STATES[state])
    end = SLOT.size + head[11]
    part(data, SLOT.size, head[11])
    # The slot says what counts: its order and tags are not in the envelope, and its deadlines may have changed since.
    slot = {
        "sequence": sequence,
        "fresh_ms": fresh,
        "total_ms": total,
        "age_before_ms": before,
        "tags": read_tags(data, SLOT.size, end),
    }
    if state == b"N":
        return {"counter": int(data[end:]), **slot}
    if state != b"E":
        raise ValueError(f"a slot in the state {state!r}, which is unknown")
    entry = read_envelope(data[end:])
    for name in ["order", "stale_ms"]:
        del entry[name]
    return {**entry, **slot}


def read_tags(data, at, end):
    tags = []
    while at < end:
        (length,) = numbers(">H", data, at)
        tags.append(text(data, at + 2, length))
        at += 2 + length
    return tags


def read_envelope(data):
    head = numbers("<4sBBBBQQQQQIIIH", data)
    magic, version, codec, flags, kind_length = head[:5]
    incarnation, sequence, fresh, stale, shape, meaning, cost, length, tag_count = head[5:]
    if magic != b"\xfalrd" or version != 1 or flags & ~3:
        raise ValueError("not an entry of format version 1")
    at = 62
    kind = text(data, at, kind_length)
    at += kind_length
    tags = []
    for _ in range(tag_count):
        (tag_length,) = numbers("<H", data, at)
        tags.append(text(data, at + 2, tag_length))
        at += 2 + tag_length
    # redis-cli adds a line feed, which is no part of the entry.
    payload = part(data, at, length)
    entry = {
        "kind": kind,
        "order": [incarnation, sequence],
        "fresh_ms": fresh,
        "stale_ms": stale,
        "version": meaning,
        "cost_ms": cost,
        "tags": tags,
        "codec": CODECS.get(codec, codec),
    }
    if codec != 2:
        # Neither says of itself what it holds: only the Rust type can tell.
        print(f"the value is not shown: it is written by {entry['codec']}, not json", file=sys.stderr)
        return entry
    if flags & 1:
        payload = unpack_lz4(payload[4:], *numbers("<I", payload))
    try:
        return {**entry, "value": json.loads(payload)}
    except ValueError:
        raise ValueError("the value is damaged: it is no JSON") from None


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
    try:
        print(json.dumps(read(sys.stdin.buffer.read())))
    except ValueError as error:
        sys.exit(f"cannot be read: {error}")
    except IndexError:
        sys.exit("cannot be read: the value is damaged")
