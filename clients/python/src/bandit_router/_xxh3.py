# SPDX-License-Identifier: Apache-2.0
"""The 64-bit XXH3 of xxHash 0.8, without a seed, in plain Python.

Some ten microseconds for a unit: enough to look one up in a log, and one
dependency less. From the algorithm's description at
https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md.
"""

from __future__ import annotations

import struct

_MASK = (1 << 64) - 1
_P32_1, _P32_2, _P32_3 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D
_P64_1, _P64_2, _P64_3, _P64_4, _P64_5 = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)
_PRIME_MX1, _PRIME_MX2 = 0x165667919E3779F9, 0x9FB21C651E98DF25
_SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
    "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
    "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e"
)
_STRIPE = 64
# Each stripe of a block takes the secret 8 bytes further on.
_STRIPES_A_BLOCK = (len(_SECRET) - _STRIPE) // 8


def xxh3_64(data: bytes) -> int:
    """The hash of `data`, in [0, 2**64)."""
    size = len(data)
    if size == 0:
        return _avalanche64(_u64(_SECRET, 56) ^ _u64(_SECRET, 64))
    if size <= 3:
        return _hash_1_to_3(data)
    if size <= 8:
        return _hash_4_to_8(data)
    if size <= 16:
        return _hash_9_to_16(data)
    if size <= 128:
        return _hash_17_to_128(data)
    if size <= 240:
        return _hash_129_to_240(data)
    return _hash_long(data)


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _u64(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _swap32(value: int) -> int:
    return int.from_bytes(value.to_bytes(4, "little"), "big")


def _swap64(value: int) -> int:
    return int.from_bytes(value.to_bytes(8, "little"), "big")


def _rotate(value: int, bits: int) -> int:
    return (value << bits | value >> (64 - bits)) & _MASK


def _fold(a: int, b: int) -> int:
    """The 128-bit product's halves, mixed."""
    product = a * b
    return (product & _MASK) ^ (product >> 64)


def _avalanche(h: int) -> int:
    h ^= h >> 37
    h = h * _PRIME_MX1 & _MASK
    return h ^ h >> 32


def _avalanche64(h: int) -> int:
    """XXH64's."""
    h ^= h >> 33
    h = h * _P64_2 & _MASK
    h ^= h >> 29
    h = h * _P64_3 & _MASK
    return h ^ h >> 32


def _hash_1_to_3(data: bytes) -> int:
    size = len(data)
    first, middle, last = data[0], data[size >> 1], data[-1]
    combined = first << 16 | middle << 24 | last | size << 8
    return _avalanche64((_u32(_SECRET, 0) ^ _u32(_SECRET, 4)) ^ combined)


def _hash_4_to_8(data: bytes) -> int:
    size = len(data)
    combined = _u32(data, size - 4) | _u32(data, 0) << 32
    h = (_u64(_SECRET, 8) ^ _u64(_SECRET, 16)) ^ combined
    h ^= _rotate(h, 49) ^ _rotate(h, 24)
    h = h * _PRIME_MX2 & _MASK
    h ^= (h >> 35) + size
    h = h * _PRIME_MX2 & _MASK
    return h ^ h >> 28


def _hash_9_to_16(data: bytes) -> int:
    size = len(data)
    low = (_u64(_SECRET, 24) ^ _u64(_SECRET, 32)) ^ _u64(data, 0)
    high = (_u64(_SECRET, 40) ^ _u64(_SECRET, 48)) ^ _u64(data, size - 8)
    return _avalanche((size + _swap64(low) + high + _fold(low, high)) & _MASK)


def _mix16(data: bytes, at: int, secret_at: int) -> int:
    return _fold(
        _u64(data, at) ^ _u64(_SECRET, secret_at),
        _u64(data, at + 8) ^ _u64(_SECRET, secret_at + 8),
    )


def _hash_17_to_128(data: bytes) -> int:
    size = len(data)
    h = size * _P64_1
    # Pairs from both ends towards the middle.
    for i in range((size - 1) // 32 + 1):
        h += _mix16(data, 16 * i, 32 * i)
        h += _mix16(data, size - 16 * (i + 1), 32 * i + 16)
    return _avalanche(h & _MASK)


def _hash_129_to_240(data: bytes) -> int:
    size = len(data)
    h = size * _P64_1
    for i in range(8):
        h += _mix16(data, 16 * i, 16 * i)
    h = _avalanche(h & _MASK)
    for i in range(8, size // 16):
        h += _mix16(data, 16 * i, 16 * (i - 8) + 3)
    h += _mix16(data, size - 16, 136 - 17)
    return _avalanche(h & _MASK)


def _accumulate(lanes: list[int], data: bytes, at: int, secret_at: int) -> None:
    words = struct.unpack_from("<8Q", data, at)
    keys = struct.unpack_from("<8Q", _SECRET, secret_at)
    for i, (word, key) in enumerate(zip(words, keys)):
        keyed = word ^ key
        lanes[i ^ 1] = (lanes[i ^ 1] + word) & _MASK
        lanes[i] = (lanes[i] + (keyed & 0xFFFFFFFF) * (keyed >> 32)) & _MASK


def _scramble(lanes: list[int]) -> None:
    keys = struct.unpack_from("<8Q", _SECRET, len(_SECRET) - _STRIPE)
    for i, key in enumerate(keys):
        lane = lanes[i]
        lanes[i] = ((lane ^ lane >> 47) ^ key) * _P32_1 & _MASK


def _hash_long(data: bytes) -> int:
    lanes = [
        _P32_3, _P64_1, _P64_2, _P64_3, _P64_4, _P32_2, _P64_5, _P32_1,
    ]  # fmt: skip
    size = len(data)
    # The last stripe, whole or not, is taken from the end below.
    for stripe in range((size - 1) // _STRIPE):
        place = stripe % _STRIPES_A_BLOCK
        _accumulate(lanes, data, _STRIPE * stripe, 8 * place)
        if place == _STRIPES_A_BLOCK - 1:
            _scramble(lanes)
    _accumulate(lanes, data, size - _STRIPE, len(_SECRET) - _STRIPE - 7)
    h = size * _P64_1
    for i in range(4):
        h += _fold(
            lanes[2 * i] ^ _u64(_SECRET, 11 + 16 * i),
            lanes[2 * i + 1] ^ _u64(_SECRET, 19 + 16 * i),
        )
    return _avalanche(h & _MASK)
