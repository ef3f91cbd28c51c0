# SPDX-License-Identifier: Apache-2.0
"""Units and features as metadata, decisions out of it."""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Callable, Optional, Union, cast

from .hashing import experiment_id
from .token import TokenError, read_token

Pairs = list[tuple[str, Union[str, bytes]]]
"""Metadata as grpcio takes it."""
Value = Union[str, int, float, bool, None]
"""A unit or a feature. None: left out."""

_KEY = re.compile(r"[0-9a-z_.-]+", re.ASCII)
_TEXT = re.compile(r"[!-~](?:[ -~]*[!-~])?", re.ASCII)

DECISION = "x-bandit-decision"
ARM = "x-bandit-arm"
EXPERIMENT = "x-bandit-experiment"
UNCOUNTED = "x-bandit-uncounted"


def feature_key(name: str) -> str:
    """`prompt_tokens` is sent as `x-prompt-tokens`; `x-device` as it is."""
    key = name.lower().replace("_", "-")
    return key if key.startswith("x-") else "x-" + key


@dataclass(frozen=True)
class Keys:
    """The metadata keys of the router's config.

    Fails with ValueError if one is not a metadata key for text: lower case
    letters, digits, `-`, `_` and `.`, without `-bin` at the end.
    """

    unit: str = "x-bandit-unit"
    """An experiment's `unit.metadata`."""
    request_id: str = "x-request-id"
    """`join.metadata`."""
    features: Union[Mapping[str, str], Callable[[str], str]] = field(
        default=feature_key
    )
    """A feature's `metadata`, by the name that `context` calls it."""

    def __post_init__(self) -> None:
        for key in (self.unit, self.request_id):
            _check_key(key)
        if isinstance(self.features, Mapping):
            for key in self.features.values():
                _check_key(key)

    def feature(self, name: str) -> str:
        """The key of the feature `name`; ValueError if it has none."""
        if not isinstance(self.features, Mapping):
            key = self.features(name)
            _check_key(key)
            return key
        if name not in self.features:
            raise ValueError(
                f"no metadata key is known for the feature {name!r}; "
                f"Keys.features has {', '.join(sorted(self.features))}"
            )
        return self.features[name]


def _check_key(key: str) -> None:
    if (
        not _KEY.fullmatch(key)
        or key.endswith("-bin")
        or key.startswith("grpc-")
    ):
        raise ValueError(
            f"{key!r} is no metadata key for text: lower case letters, digits "
            "and -_. are, without grpc- before or -bin behind"
        )


def text_of(what: str, value: Value) -> Optional[str]:
    """`value` as the router reads it; None for None and the empty text.

    A bool is 1 or 0. Fails with TypeError for other types, and with ValueError
    for what metadata cannot carry or the router would not read as a number.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        if not _TEXT.fullmatch(value):
            raise ValueError(
                f"{what} = {value!r} cannot travel as metadata: only printable "
                "ASCII without spaces at its ends can; send its "
                "percent-encoding, or a hash of it"
            )
        return value
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real):
        if not math.isfinite(value):
            raise ValueError(
                f"{what} = {value!r} is no finite number; leave it out (None) "
                "and the router takes the feature's `missing`"
            )
        return repr(float(value))
    raise TypeError(
        f"{what} is of type {type(value).__name__}: a str, an int, a float, a "
        "bool or None is wanted"
    )


@dataclass(frozen=True)
class Routed:
    """What the router says of a call in its response's metadata."""

    experiment: str
    arm: str
    token: Optional[str]
    """None if the request is not counted into the experiment."""
    uncounted: Optional[str]
    """Why, as `draft` or `holdout`; None if it is counted."""


def routed(metadata: Optional[Iterable[object]]) -> tuple[Routed, ...]:
    """What a response's metadata say: nothing if no experiment took the call;
    first of the experiment that chose the backend, then of the overlays."""
    found: dict[str, list[str]] = {}
    for pair in metadata or ():
        # A tuple of grpcio's own, or a plain one.
        key, value = cast("tuple[str, object]", pair)
        if key.startswith("x-bandit-") and isinstance(value, str):
            found.setdefault(key, []).append(value)
    arms = iter(found.get(ARM, ()))
    tokens = found.get(DECISION, [])
    reasons = found.get(UNCOUNTED, [])
    all_of_them = []
    for experiment in found.get(EXPERIMENT, ()):
        token = uncounted = None
        # One that counts the call has a token, another one a reason.
        if tokens and (not reasons or _is_of(tokens[0], experiment)):
            token = tokens.pop(0)
        elif reasons:
            uncounted = reasons.pop(0)
        all_of_them.append(
            Routed(experiment, next(arms, ""), token, uncounted)
        )
    return tuple(all_of_them)


def _is_of(token: str, experiment: str) -> bool:
    try:
        return read_token(token).experiment == experiment_id(experiment)
    except TokenError:
        return False
