# SPDX-License-Identifier: Apache-2.0
"""Sends rewards in batches, from a thread of its own, until they are answered.

`submit` never waits. What it took is sent again and again until the router has
answered, for rewards are counted exactly once, however often they come. What
is lost is said: at the door by `submit`, at the end by `close`.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Callable, Optional

from ._log import LOG, Throttle
from ._queue import RewardQueue
from ._transport import DeliveryError, Transport
from .backoff import Backoff
from .reward import REFUSED, Answer, Outcome, Reward, Stats, Submitted

# For those of which the router does not say why itself.
_REFUSALS = {
    Outcome.DUPLICATE: "one for the same decision and metric was counted before",
    Outcome.LATE: "they came after the metric's attribution window; widen "
    "`metrics.window`, or send them sooner",
    Outcome.UNKNOWN: "their experiment or epoch is not configured there, or "
    "no decision is known for their request id (`join`)",
    Outcome.REJECTED: "their token is damaged or of another `token_key`, the "
    "experiment does not declare their metric, or the value is out of its "
    "range (`metrics`)",
}


@dataclass(frozen=True)
class SenderOptions:
    """Times are in seconds.

    Callbacks get what they are about, must not block for long, and may raise:
    that is logged. `on_full` runs on the submitting thread, the others on the
    sender's (at `close`: on the closing one).
    """

    capacity: int = 10_000
    """Rewards that may wait or be under way; more are FULL."""
    max_batch: int = 500
    """Rewards in one call of the router."""
    linger: float = 0.05
    """How long the first reward of a batch waits for others."""
    timeout: float = 10.0
    """Of one call of the router."""
    exit_timeout: float = 5.0
    """Of the `close` when the interpreter ends, and of `with`."""
    backoff: Backoff = field(default_factory=Backoff)
    on_refused: Optional[Callable[[Reward, Outcome, str], None]] = None
    """LATE, UNKNOWN, REJECTED, or DUPLICATE of one that was sent only once;
    and why: in the router's words, where it says so."""
    on_undelivered: Optional[Callable[[Sequence[Reward]], None]] = None
    """Given up at `close`."""
    on_full: Optional[Callable[[Sequence[Reward]], None]] = None
    """Not taken, because the queue was full."""

    def __post_init__(self) -> None:
        for name in ("capacity", "max_batch", "timeout"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} = {getattr(self, name)} is not above 0")
        for name in ("linger", "exit_timeout"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} = {getattr(self, name)} is below 0")


class RewardSender:
    """The thread starts with the first reward; after a fork the child has an
    empty queue and a thread of its own, and what waited stays the parent's.

    Thread-safety: all calls may overlap.
    """

    def __init__(
        self, transport: Transport, options: Optional[SenderOptions] = None
    ) -> None:
        self._transport = transport
        self._options = options or SenderOptions()
        self._queue = RewardQueue(
            self._options.capacity, self._options.max_batch, self._options.linger
        )
        self._throttle = Throttle()
        self._begin()
        _ALL.add(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        # Guarded by _lock.
        self._thread: Optional[threading.Thread] = None
        self._closed = False

    # --- of the callers

    def submit(self, *rewards: Reward) -> Submitted:
        """Takes all of `rewards` or none: QUEUED, FULL or CLOSED."""
        # Under the lock, so that nothing comes in behind `close`.
        with self._lock:
            if self._closed or not self._running():
                taken = Submitted.CLOSED
            elif self._queue.put(rewards):
                return Submitted.QUEUED
            else:
                taken = Submitted.FULL
        self._refuse(taken, rewards)
        return taken

    def note(self, nothing: Submitted) -> Submitted:
        """Counts a reward that there is no decision for."""
        if nothing is Submitted.UNCOUNTED:
            self._queue.count(uncounted=1)
        else:
            self._queue.count(no_decision=1)
            self._throttle.warn(
                "no decision", 1,
                "{count} rewards had no decision: no experiment took their "
                "calls, or the channel does not lead through the router; see "
                "the experiment's `match`",
            )  # fmt: skip
        return nothing

    def stats(self) -> Stats:
        return self._queue.stats()

    def flush(self, timeout: float) -> list[Reward]:
        """Waits until all that was submitted before has an outcome, at most
        `timeout` seconds. Returns what has none yet, and is still tried."""
        return self._queue.flush(timeout)

    def close(self, timeout: float) -> list[Reward]:
        """Takes no more, and waits as `flush`. Returns what was not delivered;
        those under way may have been counted, and sending them again is safe.
        A second call returns nothing."""
        with self._lock:
            first, self._closed = not self._closed, True
            thread = self._thread
        if not first:
            return []
        self._queue.close(timeout)
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
        left = self._queue.abandon()
        self._transport.close()
        if left:
            LOG.error(
                "%d rewards were not delivered within %g s; `close` returns "
                "them and on_undelivered gets them", len(left), timeout,
            )  # fmt: skip
            self._call_back(self._options.on_undelivered, left)
        return left

    def _refuse(self, taken: Submitted, rewards: Sequence[Reward]) -> None:
        if taken is Submitted.CLOSED:
            self._queue.count(closed=len(rewards))
            self._throttle.warn(
                "closed", len(rewards),
                "{count} rewards came after the sender was closed, and were "
                "not taken",
            )  # fmt: skip
            return
        self._throttle.warn(
            "full", len(rewards),
            "{count} rewards were not taken: the queue of "
            f"{self._options.capacity} is full; is the router slow or away, "
            "or `capacity` too small?",
        )  # fmt: skip
        self._call_back(self._options.on_full, rewards)

    # --- of the thread

    def _running(self) -> bool:
        """With the lock held. False if no thread can be started any more."""
        if self._thread is None:
            thread = threading.Thread(
                target=self._run, name="bandit-rewards", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:  # The interpreter is shutting down.
                return False
            self._thread = thread
        return True

    def _run(self) -> None:
        failures = 0
        # As long as a batch may be in part one that was sent before.
        sent_before = 0
        while (batch := self._queue.take()) is not None:
            try:
                answers = self._transport.record(batch, self._options.timeout)
            except DeliveryError as error:
                failures += 1
                sent_before = max(sent_before, len(batch))
                self._failed(error, failures)
                continue
            if failures:
                LOG.info("rewards are delivered again")
            failures = 0
            self._answered(batch, answers, sent_before)
            sent_before = max(0, sent_before - len(batch))

    def _failed(self, error: DeliveryError, failures: int) -> None:
        if not self._closed:
            self._throttle.warn(
                "failed", 1, f"rewards wait, {{count}} calls failed: {error}"
            )
        self._queue.give_back(
            self._options.backoff.delay(failures), error.exhausted
        )

    def _answered(
        self, batch: list[Reward], answers: list[Answer], sent_before: int
    ) -> None:
        """The first `sent_before` may be duplicates of themselves."""
        if not self._queue.settle([answer.outcome for answer in answers]):
            return  # `close` has given them up.
        for i, (reward, answer) in enumerate(zip(batch, answers)):
            outcome = answer.outcome
            if outcome is Outcome.ACCEPTED:
                continue
            if outcome is Outcome.DUPLICATE and i < sent_before:
                continue
            why = answer.why or _REFUSALS[outcome]
            if outcome in REFUSED:
                self._throttle.warn(
                    outcome.name, 1,
                    f"the router answered {outcome.name} to {{count}} rewards, "
                    f"the last of them: {why}",
                )  # fmt: skip
            self._call_back(self._options.on_refused, reward, outcome, why)

    def _call_back(
        self, callback: Optional[Callable[..., None]], *arguments: object
    ) -> None:
        if callback is None:
            return
        try:
            callback(*arguments)
        except Exception:  # noqa: BLE001: it must not end the sender.
            LOG.exception("a callback failed")

    def forget(self) -> None:
        """In a child after a fork."""
        self._transport.forget()
        self._queue.reset()
        self._throttle = Throttle()
        self._begin()


_ALL: weakref.WeakSet[RewardSender] = weakref.WeakSet()


def _after_fork() -> None:
    for sender in list(_ALL):
        sender.forget()


def _at_exit() -> None:
    deadline = time.monotonic()
    for sender in list(_ALL):
        # One after the other, each with what time it would have had alone.
        end = deadline + sender._options.exit_timeout
        sender.close(max(0.0, end - time.monotonic()))


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
