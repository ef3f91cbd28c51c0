# SPDX-License-Identifier: Apache-2.0
"""How long to wait before a failed call is made again."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Backoff:
    """Doubles from `initial` to `maximum` seconds, each wait cut by up to half
    at random, so that callers that failed together do not come back together.

    Fails with ValueError unless 0 <= initial <= maximum.
    """

    initial: float = 0.1
    maximum: float = 10.0
    random: random.Random = field(default_factory=random.Random, repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.initial <= self.maximum:
            raise ValueError(
                f"initial = {self.initial} is outside [0, maximum = "
                f"{self.maximum}]"
            )

    def delay(self, failures: int) -> float:
        """Seconds to wait after `failures` failures in a row, at least 1."""
        # 2.0**1024 overflows; no maximum is ever that far from the start.
        longest = min(self.maximum, self.initial * 2.0 ** min(failures - 1, 60))
        return longest * (0.5 + 0.5 * self.random.random())
