# SPDX-License-Identifier: ISC
"""cborx - deterministic CBOR as section 3 allows it: cbor2 reads, our own writer checks.

decode() returns one item and refuses everything that is not the one encoding of that item;
sequence() does the same for the items of a WebSocket message. encode() writes.
"""
import io

import cbor2

NESTING = 8


class Malformed(Exception):
    """The bytes are no deterministic CBOR of our subset."""


class Signed:
    """Tag 18 around the four parts of a COSE_Sign1."""

    def __init__(self, parts):
        self.parts = list(parts)


def head(major, value):
    """The shortest head of a major type (0-7) and its argument."""
    for extra, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 24:
            return bytes([major << 5 | value])
        if value < 1 << 8 * size:
            return bytes([major << 5 | extra]) + value.to_bytes(size, "big")
    raise Malformed("integer of more than 64 bits")


def encode(value, depth=0):
    """The deterministic encoding of a value."""
    if depth > NESTING:
        raise Malformed("nested too deep")
    if value is None:
        return b"\xf6"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, (bytes, bytearray)):
        return head(2, len(value)) + bytes(value)
    if isinstance(value, str):
        text = value.encode()
        return head(3, len(text)) + text
    if isinstance(value, (list, tuple)):
        return head(4, len(value)) + b"".join(encode(v, depth + 1) for v in value)
    if isinstance(value, dict):
        pairs = sorted((encode(k, depth + 1), encode(v, depth + 1)) for k, v in value.items())
        return head(5, len(pairs)) + b"".join(k + v for k, v in pairs)
    if isinstance(value, Signed):
        return head(6, 18) + encode(value.parts, depth)
    raise Malformed(f"{type(value).__name__} does not occur")


def plain(value):
    """What cbor2 made, with its tag objects replaced by ours."""
    if isinstance(value, cbor2.CBORTag):
        if value.tag != 18 or not isinstance(value.value, list):
            raise Malformed(f"tag {value.tag}")
        return Signed(plain(v) for v in value.value)
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return value


def sequence(data):
    """The items of a CBOR sequence (RFC 8742)."""
    stream = io.BytesIO(data)
    decoder = cbor2.CBORDecoder(stream)
    items = []
    while stream.tell() < len(data):
        begin = stream.tell()
        try:
            item = plain(decoder.decode())
        except Malformed:
            raise
        except Exception as fault:  # cbor2 raises many kinds
            raise Malformed(str(fault)) from fault
        if encode(item) != data[begin:stream.tell()]:
            raise Malformed("not deterministic")
        items.append(item)
    return items


def decode(data):
    """The only item in data."""
    items = sequence(data)
    if len(items) != 1:
        raise Malformed(f"{len(items)} items instead of one")
    return items[0]
