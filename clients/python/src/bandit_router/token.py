# SPDX-License-Identifier: Apache-2.0
"""What a decision token says, read without the key: docs/token.md.

Nothing here tells whether a token is genuine: only the router, which has the
key, can. Never take a decision of consequence from a token that came from
outside.
"""

from __future__ import annotations

import base64
import datetime
import math
import re
import struct
from dataclasses import dataclass

_ALPHABET = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_MAX_LENGTH = 5904
_VERSION = 1
_TAG_SIZE = 16
_MAX_FEATURES = 1024
_OWN_UNIT, _NOTES = 0x80, 0x40


class TokenError(ValueError):
    """Not a decision token: damaged, cut, or of another version."""


@dataclass(frozen=True)
class TokenFields:
    """A decision, as its token has it."""

    experiment: int
    """`hashing.experiment_id` of the experiment's name."""
    epoch: int
    """Goes up when the experiment forgets what it learned."""
    arm: int
    """Index in the config, 0 to 63."""
    propensity: float
    """The probability that the arm really had, in (0, 1]."""
    time_ms: int
    """Of the decision, in milliseconds since the Unix epoch."""
    id: int
    """Random, 64 bits."""
    unit: int
    """`hashing.hash_unit` of the unit; `id` if the request was its own."""
    segments: int
    """The values of the experiment's `segments`, as one number; 0: none."""
    covariate: float
    """The experiment's `covariate`; 0: none."""
    features: tuple[float, ...]
    """The feature vector, intercept first; empty without a context."""

    @property
    def own_unit(self) -> bool:
        """The request named no unit and was its own."""
        return self.unit == self.id

    @property
    def time(self) -> datetime.datetime:
        """When it was decided, in UTC; to the year 9999 alone."""
        return datetime.datetime.fromtimestamp(
            self.time_ms / 1000, datetime.timezone.utc
        )


def read_token(token: str) -> TokenFields:
    """The fields of a token; its tag is not looked at.

    Fails with TokenError if `token` is not, to the letter, what a router could
    have written.
    """
    body = _body(token)
    fields = _Reader(body[1:]).fields()
    if not 0 < fields.propensity <= 1:
        raise TokenError("the token's propensity is not in (0, 1]")
    return fields


def _body(token: str) -> bytes:
    """The token's bytes without the tag."""
    if len(token) > _MAX_LENGTH or not _ALPHABET.fullmatch(token):
        raise TokenError("the token is not base64url without padding")
    if len(token) % 4 == 1:
        raise TokenError("the token was cut, or a letter was added")
    decoded = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    # Python forgives stray bits in the last letter; a router does not.
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != token.encode():
        raise TokenError("the token's last letter has stray bits")
    if len(decoded) <= _TAG_SIZE:
        raise TokenError("the token is too short")
    if decoded[0] != _VERSION:
        raise TokenError(f"the token is of version {decoded[0]}, not 1")
    return decoded[:-_TAG_SIZE]


class _Reader:
    """Reads the fields in their order; fails at the first that is amiss."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def fields(self) -> TokenFields:
        experiment = self._unsigned(4)
        epoch = self._varint()
        arm = self._unsigned(1)
        propensity = self._double()
        time_ms = self._unsigned(6)
        identity = self._unsigned(8)
        unit = identity if arm & _OWN_UNIT else self._unsigned(8)
        if not arm & _OWN_UNIT and unit == identity:
            raise TokenError("the token's unit is written though it is the id")
        segments, covariate = self._notes() if arm & _NOTES else (0, 0.0)
        return TokenFields(
            experiment=experiment,
            epoch=epoch,
            arm=arm & ~(_OWN_UNIT | _NOTES),
            propensity=propensity,
            time_ms=time_ms,
            id=identity,
            unit=unit,
            segments=segments,
            covariate=covariate,
            features=self._features(),
        )

    def _bytes(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) != size:
            raise TokenError("the token is too short")
        self._at += size
        return taken

    def _unsigned(self, size: int) -> int:
        return int.from_bytes(self._bytes(size), "little")

    def _double(self) -> float:
        return float(struct.unpack("<d", self._bytes(8))[0])

    def _float(self, data: bytes) -> float:
        value = float(struct.unpack("<f", data)[0])
        if not math.isfinite(value):
            raise TokenError("the token has a number that is not finite")
        return value

    def _varint(self) -> int:
        value = 0
        for i in range(5):
            byte = self._unsigned(1)
            value |= (byte & 0x7F) << 7 * i
            if byte & 0x80:
                continue
            # A last byte of 0 adds nothing: a longer spelling of the number.
            if value >> 32 or (i > 0 and byte == 0):
                break
            return value
        raise TokenError("the token has a number that is spelt wrong")

    def _notes(self) -> tuple[int, float]:
        segments = self._varint()
        covariate = self._bytes(4)
        if segments == 0 and covariate == bytes(4):
            raise TokenError("the token has notes that say nothing")
        return segments, self._float(covariate)

    def _features(self) -> tuple[float, ...]:
        """All of the rest."""
        count = self._varint()
        if count > _MAX_FEATURES:
            raise TokenError(f"the token has {count} features, more than 1024")
        codes = int.from_bytes(self._bytes((count + 3) // 4), "little")
        if codes >> 2 * count:
            raise TokenError("the token has codes of features beyond the last")
        features = tuple(
            self._feature(codes >> 2 * i & 3) for i in range(count)
        )
        if self._at != len(self._data):
            raise TokenError("the token is too long")
        return features

    def _feature(self, code: int) -> float:
        if code < 2:
            return float(code)
        data = self._bytes(4)
        if code == 3 or data in (struct.pack("<f", 0), struct.pack("<f", 1)):
            raise TokenError("the token has a feature that is spelt wrong")
        return self._float(data)
