# SPDX-License-Identifier: Apache-2.0
"""Rewards, what becomes of them, and the counts of both."""

from __future__ import annotations

import enum
import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional


class Outcome(enum.Enum):
    """The router's answer to a reward (protos/bandit/v1/feedback.proto)."""

    ACCEPTED = 1
    """Counted, and durable."""
    DUPLICATE = 2
    """One for this decision and metric was counted before."""
    LATE = 3
    """The metric's attribution window of the decision has passed."""
    UNKNOWN = 4
    """Its experiment or epoch is not configured there, or its request id is
    not known."""
    REJECTED = 5
    """A forged or damaged token, an undeclared metric, a value out of range."""


REFUSED = frozenset({Outcome.LATE, Outcome.UNKNOWN, Outcome.REJECTED})
"""The outcomes of rewards that do not count."""


@dataclass(frozen=True)
class Answer:
    """What the router answered to one reward."""

    outcome: Outcome
    why: str = ""
    """What stands against a reward that does not count, and what would mend
    it: of the first of a batch (16), of others empty."""


class Submitted(enum.Enum):
    """What became of a reward at the door; only QUEUED is true."""

    QUEUED = "queued"
    """It will be sent until the router has answered, or `close`."""
    FULL = "full"
    """The queue is full: it is not taken. Counted, logged, and told to
    `on_full`."""
    CLOSED = "closed"
    """The sender is closed: it is not taken. Counted and logged."""
    UNCOUNTED = "uncounted"
    """There is nothing to reward: the experiment does not count the request
    (a holdout, a paused experiment). Counted."""
    NO_DECISION = "no decision"
    """There is nothing to reward: no experiment took the call, or the answer
    did not come through a router. Counted and logged."""

    def __bool__(self) -> bool:
        return self is Submitted.QUEUED


@dataclass(frozen=True)
class Reward:
    """One reward, of a decision or of a request's id."""

    value: float
    metric: str = ""
    """Empty: the experiment's reward metric."""
    decision: str = ""
    """The decision's token."""
    request_id: str = ""
    """Instead of `decision`, where the router's config has a `join`."""

    def __post_init__(self) -> None:
        """Fails with ValueError or TypeError for what no router would take."""
        named = f"the reward {self.metric or 'value'} = {self.value!r}"
        if not isinstance(self.value, numbers.Real):  # A bool is one.
            raise TypeError(f"{named} is no number")
        if not math.isfinite(self.value):
            raise ValueError(f"{named} is not finite")
        if not self.decision and not self.request_id:
            raise ValueError("a reward needs a decision token or a request id")
        for text in (self.metric, self.decision, self.request_id):
            text.encode()  # A lone surrogate would spoil a whole batch.

    def size(self) -> int:
        """About the bytes that it takes in a request."""
        return (
            len(self.decision) + len(self.metric) + len(self.request_id) + 24
        )


def rewards_of(
    value: Optional[float],
    metrics: Mapping[str, float],
    decision: str = "",
    request_id: str = "",
) -> list[Reward]:
    """`value` for the experiment's reward metric, and one for each metric."""
    named = {} if value is None else {"": value}
    named.update(metrics)
    if not named:
        raise ValueError("no reward: give a value, or metrics by name")
    return [
        Reward(value, metric, decision, request_id)
        for metric, value in named.items()
    ]


@dataclass(frozen=True)
class Stats:
    """Counts since the sender was made. While nothing moves,

    submitted = pending + accepted + duplicate + late + unknown + rejected
    + undelivered.
    """

    submitted: int = 0
    """Taken into the queue."""
    pending: int = 0
    """In the queue or under way now."""
    accepted: int = 0
    duplicate: int = 0
    late: int = 0
    unknown: int = 0
    rejected: int = 0
    undelivered: int = 0
    """Given up at `close`; told to `on_undelivered`."""
    full: int = 0
    """Not taken: the queue was full."""
    closed: int = 0
    """Not taken: the sender was closed."""
    uncounted: int = 0
    """Not taken: the request was not counted."""
    no_decision: int = 0
    """Not taken: there was no decision."""
    requests: int = 0
    """Calls of the router that were answered."""
    failures: int = 0
    """Calls of the router that failed; their rewards were sent again."""
