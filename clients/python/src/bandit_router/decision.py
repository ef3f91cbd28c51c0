# SPDX-License-Identifier: Apache-2.0
"""One decision of the router, and how it is rewarded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from .reward import Submitted, rewards_of
from .sender import RewardSender
from .token import TokenFields, read_token


@dataclass(frozen=True)
class Decision:
    """The router's decision for one call.

    It can be kept as long as wanted, and rewarded on any thread; to reward it
    from another process, hand `token` over.
    """

    token: Optional[str]
    """`x-bandit-decision`; None if the request is not counted, or only its id
    is known."""
    arm: Optional[str]
    """None if only the request's id is known."""
    experiment: Optional[str]
    """None if only the request's id is known."""
    uncounted: Optional[str] = None
    """Why the experiment does not count the request, as `holdout`."""
    request_id: Optional[str] = None
    """What the call had under `join.metadata`; it names the decision where
    there is no token."""
    _sender: Optional[RewardSender] = field(
        default=None, repr=False, compare=False
    )

    @property
    def rewardable(self) -> bool:
        """There is something to name it by."""
        return bool(self.token or self.request_id) and self.uncounted is None

    def fields(self) -> TokenFields:
        """What the token says: propensity, epoch, time and more.

        Fails with ValueError without a token.
        """
        if self.token is None:
            raise ValueError("this decision has no token")
        return read_token(self.token)

    def reward(
        self, value: Optional[float] = None, /, **metrics: float
    ) -> Submitted:
        """Queues rewards: `value` for the experiment's reward metric, and one
        for each metric by its name. Never waits. All are taken or none.

        Fails with ValueError or TypeError if there is none, or one is no
        finite number.
        """
        if self._sender is None:
            raise ValueError("this decision was made without a client")
        rewards = rewards_of(
            value,
            metrics,
            decision=self.token or "",
            # A router looks at the token alone if it has one.
            request_id="" if self.token else self.request_id or "-",
        )
        if not self.rewardable:
            return self._sender.note(
                Submitted.UNCOUNTED if self.uncounted else Submitted.NO_DECISION
            )
        return self._sender.submit(*rewards)
