# SPDX-License-Identifier: Apache-2.0
"""The bounded queue between callers and the sender's thread."""

from __future__ import annotations

import collections
import threading
import time
from collections.abc import Sequence
from typing import Callable, Optional

from .reward import Outcome, Reward, Stats

# A router takes requests of 4 MiB; a token with 1,024 features has 6 kB.
_MAX_BATCH_BYTES = 1 << 20
# While somebody waits in `flush` or `close`, the next try is never further off.
_IMPATIENT_SECONDS = 0.25


class RewardQueue:
    """First in, first out; one batch at a time is under way.

    A batch that failed goes back to the front, so rewards are settled in the
    order they came in. Thread-safety: all calls may overlap, but `take`,
    `settle` and `give_back` are one thread's, in turn.
    """

    def __init__(
        self,
        capacity: int,
        max_batch: int,
        linger: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._capacity = capacity
        self._max_batch = max_batch
        self._linger = linger
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Empty, open, all counts 0, and no lock held: after a fork."""
        self._changed = threading.Condition()
        # Guarded by _changed, as is all below.
        self._waiting: collections.deque[tuple[float, Reward]] = (
            collections.deque()
        )
        self._under_way: list[tuple[float, Reward]] = []
        self._counts: collections.Counter[str] = collections.Counter()
        # How many of those submitted, in order, must not linger.
        self._flushed = 0
        # Goes up with each `flush` and `close`; what it was when the batch
        # was taken, and how many wait in them.
        self._hurries = 0
        self._hurries_before = 0
        self._impatient = 0
        self._limit = self._max_batch
        self._deadline: Optional[float] = None

    # --- of the callers

    def put(self, rewards: Sequence[Reward]) -> bool:
        """All of them or, if there is no room, none."""
        with self._changed:
            if self._pending() + len(rewards) > self._capacity:
                self._counts["full"] += len(rewards)
                return False
            now = self._clock()
            self._waiting.extend((now, reward) for reward in rewards)
            self._counts["submitted"] += len(rewards)
            # The sender looks when there is something, and when a batch is
            # full; between the two it lingers.
            if len(self._waiting) <= len(rewards) or self._is_full():
                self._changed.notify_all()
            return True

    def count(self, **counts: int) -> None:
        with self._changed:
            self._counts.update(counts)

    def stats(self) -> Stats:
        with self._changed:
            return Stats(pending=self._pending(), **self._counts)

    def flush(self, timeout: float) -> list[Reward]:
        """Waits until what was put so far is settled; what is not by then."""
        with self._changed:
            until = self._counts["submitted"]
            self._flushed = max(self._flushed, until)
            self._hurries += 1
            self._impatient += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._settled() >= until, timeout)
            self._impatient -= 1
            left = max(0, until - self._settled())
            return self._left()[:left]

    def close(self, timeout: float) -> None:
        """From now on `take` does not wait, and ends after `timeout`."""
        with self._changed:
            self._flushed = self._counts["submitted"]
            self._hurries += 1
            self._impatient += 1
            self._deadline = self._clock() + timeout
            self._changed.notify_all()

    def abandon(self) -> list[Reward]:
        """Empties the queue, what is under way included."""
        with self._changed:
            left = self._left()
            self._waiting.clear()
            self._under_way = []
            self._counts["undelivered"] += len(left)
            self._deadline = self._clock()
            self._changed.notify_all()
            return left

    # --- of the sender's thread

    def take(self) -> Optional[list[Reward]]:
        """Waits for a batch. None: closed, and empty or out of time."""
        with self._changed:
            while not self._is_due():
                if self._deadline is not None:
                    return None
                self._changed.wait(self._until_due())
            if self._over():
                return None
            self._hurries_before = self._hurries
            size = 0
            while self._waiting and len(self._under_way) < self._limit:
                size += self._waiting[0][1].size()
                if size > _MAX_BATCH_BYTES and self._under_way:
                    break
                self._under_way.append(self._waiting.popleft())
            return [reward for _, reward in self._under_way]

    def settle(self, outcomes: Sequence[Outcome]) -> bool:
        """What became of the batch. False if it was abandoned meanwhile."""
        with self._changed:
            if not self._under_way:
                return False
            self._under_way = []
            self._counts.update(o.name.lower() for o in outcomes)
            self._counts["requests"] += 1
            self._limit = min(self._max_batch, 2 * self._limit)
            self._changed.notify_all()
            return True

    def give_back(self, delay: float, smaller: bool) -> None:
        """Puts a failed batch back and waits `delay` seconds, less if somebody
        flushes or closes. `smaller`: batches are halved for a while."""
        with self._changed:
            self._waiting.extendleft(reversed(self._under_way))
            self._under_way = []
            self._counts["failures"] += 1
            if smaller:
                self._limit = max(1, self._limit // 2)
            if self._impatient > 0:
                delay = min(delay, _IMPATIENT_SECONDS)
            # One that came during the try has not seen it fail.
            self._changed.wait_for(
                lambda: self._hurries > self._hurries_before, delay
            )

    # --- with the lock held

    def _pending(self) -> int:
        return len(self._waiting) + len(self._under_way)

    def _settled(self) -> int:
        return self._counts["submitted"] - self._pending()

    def _left(self) -> list[Reward]:
        return [reward for _, reward in [*self._under_way, *self._waiting]]

    def _is_full(self) -> bool:
        return len(self._waiting) >= self._limit

    def _is_due(self) -> bool:
        if not self._waiting:
            return False
        return (
            self._is_full()
            or self._settled() < self._flushed
            or self._until_due() == 0
        )

    def _until_due(self) -> Optional[float]:
        """Seconds; None while there is nothing to wait for."""
        if not self._waiting:
            return None
        return max(0.0, self._waiting[0][0] + self._linger - self._clock())

    def _time_left(self) -> float:
        assert self._deadline is not None
        return self._deadline - self._clock()

    def _over(self) -> bool:
        return self._deadline is not None and self._time_left() <= 0
