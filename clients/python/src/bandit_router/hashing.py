# SPDX-License-Identifier: Apache-2.0
"""How the router hashes units and names: docs/hashing.md, frozen.

To find a user's decisions in logs and tokens, which hold hashes alone.
"""

from __future__ import annotations

import enum
import struct

from ._xxh3 import xxh3_64


class Purpose(enum.IntEnum):
    """What a unit is hashed for; purposes are independent of each other."""

    ARM = 1
    RAMP = 2
    LAYER = 3
    HOLDOUT = 4


def hash_unit(purpose: Purpose, salt: str, unit: str) -> int:
    """The 64-bit hash of `unit`.

    `salt` is the experiment's, which is its name unless the config says
    otherwise (the layer's or the holdout's for their purposes). For
    Purpose.ARM this is the `unit` that tokens of the experiment carry.
    """
    return xxh3_64(bytes([purpose]) + _field(salt) + _field(unit))


def place(purpose: Purpose, salt: str, unit: str) -> float:
    """Where `unit` stands in a ramp, a layer or a holdout, in [0, 1)."""
    return float((hash_unit(purpose, salt, unit) >> 11) * 2.0**-53)


def experiment_id(name: str) -> int:
    """The 32 bits that tokens carry instead of the experiment's name."""
    return xxh3_64(name.encode()) & 0xFFFFFFFF


def _field(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<I", len(encoded)) + encoded
