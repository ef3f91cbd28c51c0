# SPDX-License-Identifier: Apache-2.0
"""`Feedback/Record` of the router, over a channel of its own or a given one."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Optional, Protocol, Union

import grpc

from ._proto import feedback_pb2
from .reward import Answer, Outcome, Reward

ChannelOptions = Sequence[tuple[str, Union[str, int]]]

# gRPC by itself waits up to two minutes before it connects again.
_DEFAULT_OPTIONS: ChannelOptions = (
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 2000),
)

# What to do about a status, where that is not plain from its message.
_MENDS = {
    grpc.StatusCode.UNAVAILABLE: "is the router running, and is this the "
    "address of its `listen` or `control`?",
    grpc.StatusCode.DEADLINE_EXCEEDED: "the router was reached too late or "
    "its state is slow to write",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "the router's reward queue is full "
    "(`learner.queue`)",
    grpc.StatusCode.UNIMPLEMENTED: "what answers there is not the router: "
    "give the address of its `listen` or `control`",
    grpc.StatusCode.UNAUTHENTICATED: "give the credentials that the port asks "
    "for",
    grpc.StatusCode.PERMISSION_DENIED: "rewards are not served on this port "
    "for this caller: see the router's `control_tls`",
}


class DeliveryError(Exception):
    """A call failed; its rewards may or may not have been counted."""

    def __init__(self, text: str, *, exhausted: bool = False) -> None:
        super().__init__(text)
        self.exhausted = exhausted
        """The router had no room for that many."""


class Transport(Protocol):
    """Where rewards go."""

    def record(
        self, rewards: Sequence[Reward], timeout: float
    ) -> list[Answer]:
        """One for each, in order. Blocks for `timeout` seconds at
        most. Fails with DeliveryError."""

    def close(self) -> None:
        """Ends a call that is under way, if it can."""

    def forget(self) -> None:
        """In a child after a fork: drops what belongs to the parent."""


class GrpcTransport:
    """A channel is made of an address when first needed.

    Thread-safety: `record` is one thread's; the others may overlap with it.
    """

    def __init__(
        self,
        target: Union[str, grpc.Channel],
        credentials: Optional[grpc.ChannelCredentials] = None,
        options: ChannelOptions = (),
    ) -> None:
        self._target = target
        self._credentials = credentials
        self._options = (*_DEFAULT_OPTIONS, *options)
        self._lock = threading.Lock()
        self._own: Optional[grpc.Channel] = None
        self._parents: Optional[grpc.Channel] = None
        self._closed = False
        self._call: Optional[
            grpc.UnaryUnaryMultiCallable[
                feedback_pb2.RecordRequest, feedback_pb2.RecordResponse
            ]
        ] = None

    def record(
        self, rewards: Sequence[Reward], timeout: float
    ) -> list[Answer]:
        request = feedback_pb2.RecordRequest(
            rewards=[
                feedback_pb2.Reward(
                    decision=reward.decision,
                    metric=reward.metric,
                    value=reward.value,
                    request_id=reward.request_id,
                )
                for reward in rewards
            ]
        )
        try:
            response = self._connected()(request, timeout=timeout)
        except grpc.RpcError as error:
            raise self._explained(error) from error
        except ValueError as error:  # The channel was closed.
            raise DeliveryError(f"{self._named()}: {error}") from error
        try:
            outcomes = [Outcome(number) for number in response.outcomes]
        except ValueError:
            outcomes = []
        if len(outcomes) != len(rewards):
            raise DeliveryError(
                f"{self._named()} did not answer with an outcome for each "
                "reward: it is not the router; give the address of its "
                "`listen` or `control`"
            )
        whys = {refusal.reward: refusal.why for refusal in response.refusals}
        return [
            Answer(outcome, whys.get(i, ""))
            for i, outcome in enumerate(outcomes)
        ]

    def close(self) -> None:
        with self._lock:
            self._closed = True
            own, self._own, self._call = self._own, None, None
        if own is not None:
            own.close()

    def forget(self) -> None:
        # Neither closed nor collected: its threads stayed in the parent, and
        # to end it here would wait for them.
        self._parents = self._own
        self._lock = threading.Lock()
        self._own = self._call = None

    def _connected(
        self,
    ) -> grpc.UnaryUnaryMultiCallable[
        feedback_pb2.RecordRequest, feedback_pb2.RecordResponse
    ]:
        with self._lock:
            if self._call is None:
                if self._closed:
                    raise DeliveryError("the sender is closed")
                self._call = self._channel().unary_unary(
                    "/bandit.v1.Feedback/Record",
                    request_serializer=(
                        feedback_pb2.RecordRequest.SerializeToString
                    ),
                    response_deserializer=(
                        feedback_pb2.RecordResponse.FromString
                    ),
                )
            return self._call

    def _channel(self) -> grpc.Channel:
        if not isinstance(self._target, str):
            return self._target
        if self._credentials is None:
            self._own = grpc.insecure_channel(self._target, self._options)
        else:
            self._own = grpc.secure_channel(
                self._target, self._credentials, self._options
            )
        return self._own

    def _named(self) -> str:
        return self._target if isinstance(self._target, str) else "the router"

    def _explained(self, error: grpc.RpcError) -> DeliveryError:
        code = error.code() if isinstance(error, grpc.Call) else None
        details = error.details() if isinstance(error, grpc.Call) else None
        text = f"{self._named()}: {code.name if code else type(error).__name__}"
        text += f": {details or error}"
        if code is not None and code in _MENDS:
            text += f" ({_MENDS[code]})"
        return DeliveryError(
            text, exhausted=code is grpc.StatusCode.RESOURCE_EXHAUSTED
        )
