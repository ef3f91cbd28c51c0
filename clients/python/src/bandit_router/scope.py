# SPDX-License-Identifier: Apache-2.0
"""What the calls of a `with` block send along, and what was decided for them."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Optional, Protocol, Union

from .decision import Decision
from .metadata import Keys, Pairs, Routed, Value, text_of
from .reward import Submitted, rewards_of
from .sender import RewardSender

_CURRENT: contextvars.ContextVar[Optional[Scope]] = contextvars.ContextVar(
    "bandit_router_scope", default=None
)


class NoCall(RuntimeError):
    """A reward for a block in which no call was made that could be seen."""


class AmbiguousDecision(RuntimeError):
    """A reward for a block whose calls were of several experiments."""


class Caught(Protocol):
    """A call whose decision becomes known with its response."""

    def routed(self) -> tuple[Routed, ...]:
        """Of the experiment that chose the backend, then of the overlays;
        nothing if no experiment took it, or that is not known yet."""


class Scope:
    """Made by `BanditClient.context`; entered at most once.

    Everything that is made inside the block sees it: the block's thread, the
    asyncio tasks it creates and what runs under `contextvars.copy_context()`.
    A block inside another adds to its features and may replace its unit;
    decisions are those of the innermost.

    Thread-safety: all calls may overlap.
    """

    def __init__(
        self,
        owner: object,
        keys: Keys,
        sender: RewardSender,
        unit: Value = None,
        features: Optional[Mapping[str, Value]] = None,
        request_id: Optional[str] = None,
    ) -> None:
        self._owner = owner
        self._keys = keys
        self._sender = sender
        self._request_id = text_of("request_id", request_id)
        pairs = {keys.unit: text_of("unit", unit)}
        for name, value in (features or {}).items():
            pairs[keys.feature(name)] = text_of(f"features[{name!r}]", value)
        self._pairs = {k: text for k, text in pairs.items() if text is not None}
        self._token: Optional[contextvars.Token[Optional[Scope]]] = None
        self._parent: Optional[Scope] = None
        self._lock = threading.Lock()
        # Guarded by _lock, in the order of the calls.
        self._caught: list[tuple[Optional[Caught], Optional[str]]] = []

    def __enter__(self) -> Scope:
        if self._token is not None:
            raise RuntimeError("this context was entered before; make another")
        self._parent = _CURRENT.get()
        self._token = _CURRENT.set(self)
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        assert self._token is not None
        try:
            _CURRENT.reset(self._token)
        except ValueError:
            # Left in another context than it was entered in, as generators
            # of web frameworks are: nothing of this context to undo.
            pass

    # --- what is sent

    def metadata(
        self, given: Optional[Iterable[tuple[str, Union[str, bytes]]]] = None
    ) -> Pairs:
        """`given` with the unit, the features and the request's id. A key that
        is in `given` is left as it is there."""
        pairs = list(given or ())
        present = {key for key, _ in pairs}
        ours = self._inherited()
        if self._request_id is not None:
            ours[self._keys.request_id] = self._request_id
        pairs.extend((k, v) for k, v in ours.items() if k not in present)
        return pairs

    def _inherited(self) -> dict[str, str]:
        parent = self._parent.of(self._owner) if self._parent else None
        return {**(parent._inherited() if parent else {}), **self._pairs}

    def of(self, owner: object) -> Optional[Scope]:
        """The innermost that is this client's."""
        scope: Optional[Scope] = self
        while scope is not None and scope._owner is not owner:
            scope = scope._parent
        return scope

    # --- what was decided

    def catch(self, call: Optional[Caught], sent: Pairs) -> None:
        """Notes a call and the metadata it was sent with."""
        key = self._keys.request_id
        found = [v for k, v in sent if k == key and isinstance(v, str)]
        with self._lock:
            self._caught.append((call, found[0] if found else None))

    @property
    def decisions(self) -> list[Decision]:
        """Those that are known, in the order of the calls; of each call first
        that of the experiment which chose the backend, then those of overlays.
        Waits for the response of a call under way (of a stream: for its
        headers)."""
        return [one for of_a_call in self._by_call() for one in of_a_call]

    def _by_call(self) -> list[list[Decision]]:
        """Without the calls that have none."""
        with self._lock:
            caught = list(self._caught)
        known = []
        for call, request_id in caught:
            found = [
                Decision(
                    routed.token, routed.arm, routed.experiment,
                    routed.uncounted, request_id, self._sender,
                )
                for routed in (call.routed() if call is not None else ())
            ]  # fmt: skip
            if not found and request_id is not None:
                found = [
                    Decision(
                        None, None, None,
                        request_id=request_id, _sender=self._sender,
                    )
                ]  # fmt: skip
            if found:
                known.append(found)
        return known

    def of_experiment(self, experiment: str) -> Optional[Decision]:
        """The last decision of that experiment."""
        for decision in reversed(self.decisions):
            if decision.experiment == experiment:
                return decision
        return None

    @property
    def last(self) -> Optional[Decision]:
        """The last call's that has one: of the experiment that chose the
        backend."""
        calls = self._by_call()
        return calls[-1][0] if calls else None

    @property
    def token(self) -> Optional[str]:
        """Of the last decision, as `arm` and `experiment`."""
        return self.last.token if self.last else None

    @property
    def arm(self) -> Optional[str]:
        return self.last.arm if self.last else None

    @property
    def experiment(self) -> Optional[str]:
        return self.last.experiment if self.last else None

    def reward(
        self, value: Optional[float] = None, /, **metrics: float
    ) -> Submitted:
        """Rewards the last decision; see Decision.reward.

        Fails with NoCall if no call of the block could be seen, and with
        AmbiguousDecision if its calls were of several experiments. Overlays
        are rewarded by `of_experiment(name).reward(...)`.
        """
        with self._lock:
            called = bool(self._caught)
        if not called:
            raise NoCall(
                "no call was made inside this context on a channel of the "
                "client: make the stub from `client.channel`, or the channel "
                "with `grpc.intercept_channel(channel, *client.interceptors)`; "
                "in another thread, run it under contextvars.copy_context()"
            )
        decisions = [of_a_call[0] for of_a_call in self._by_call()]
        names = {d.experiment for d in decisions if d.experiment is not None}
        if len(names) > 1:
            raise AmbiguousDecision(
                f"the calls were of the experiments {', '.join(sorted(names))}:"
                " say which, with of_experiment(name).reward(...)"
            )
        if not decisions:
            rewards_of(value, metrics, request_id="-")  # Fails as it would.
            return self._sender.note(Submitted.NO_DECISION)
        return decisions[-1].reward(value, **metrics)


def current(owner: object) -> Optional[Scope]:
    """The innermost block of this client that the caller is in."""
    scope = _CURRENT.get()
    return scope.of(owner) if scope is not None else None
