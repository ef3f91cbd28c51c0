# SPDX-License-Identifier: Apache-2.0
"""The client: what a service needs of the router, in one object."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Optional, Union

import grpc
from grpc import aio

from . import aio as bandit_aio
from . import channels
from ._transport import ChannelOptions, GrpcTransport
from .interceptor import BanditInterceptor
from .metadata import Keys, Value
from .reward import Reward, Stats, Submitted, rewards_of
from .scope import Scope
from .sender import RewardSender, SenderOptions
from .triton import TritonPlugin


class BanditClient:
    """Sends units and features along with calls, catches their decisions, and
    sends the rewards.

    `target` is the router's `listen`: an address, or a channel to it. `rewards`
    is where the rewards go, `target` if it is not given: an address (the
    router's `control`, say) or a channel. `credentials` and `options` are for
    the channels that are made of addresses. `keys` names the metadata keys of
    the router's config.

    Nothing is connected and no thread started before it is needed, so a client
    may be made before a server forks its workers.

    Thread-safety: all calls may overlap, in threads and in asyncio.
    """

    def __init__(
        self,
        target: Union[str, grpc.Channel, None] = None,
        *,
        rewards: Union[str, grpc.Channel, None] = None,
        keys: Optional[Keys] = None,
        credentials: Optional[grpc.ChannelCredentials] = None,
        options: ChannelOptions = (),
        sender: Optional[SenderOptions] = None,
    ) -> None:
        feedback = target if rewards is None else rewards
        if not isinstance(feedback, (str, grpc.Channel)):
            raise TypeError(
                "rewards need an address or a synchronous channel: give "
                "`target` or `rewards`"
            )
        self._target = target
        self._keys = keys or Keys()
        self._credentials = credentials
        self._options = options
        self._exit_timeout = (sender or SenderOptions()).exit_timeout
        self._sender = RewardSender(
            GrpcTransport(feedback, credentials, options), sender
        )
        self._lock = threading.Lock()
        # Guarded by _lock.
        self._own: Optional[grpc.Channel] = None
        self._channel: Optional[grpc.Channel] = None

    # --- channels

    @property
    def channel(self) -> grpc.Channel:
        """An intercepted channel to `target`, for stubs; closed by `close`
        if it was made of an address."""
        with self._lock:
            if self._channel is None:
                self._channel = grpc.intercept_channel(
                    self._opened(), *self.interceptors
                )
            return self._channel

    def _opened(self) -> grpc.Channel:
        if self._target is None:
            raise ValueError("this client was made without a target")
        if not isinstance(self._target, str):
            return self._target
        if self._credentials is None:
            self._own = grpc.insecure_channel(self._target, self._options)
        else:
            self._own = grpc.secure_channel(
                self._target, self._credentials, self._options
            )
        return self._own

    @property
    def interceptors(self) -> list[BanditInterceptor]:
        """For `grpc.intercept_channel(channel, *client.interceptors)`."""
        return [BanditInterceptor(self)]

    def aio_channel(self) -> aio.Channel:
        """A new intercepted asyncio channel to the target's address; close it
        yourself. Call it where the event loop runs."""
        if not isinstance(self._target, str):
            raise ValueError(
                "an asyncio channel needs the target's address: make it "
                "yourself, with interceptors=client.aio_interceptors"
            )
        if self._credentials is None:
            return aio.insecure_channel(
                self._target, self._options, interceptors=self.aio_interceptors
            )
        return aio.secure_channel(
            self._target, self._credentials, self._options,
            interceptors=self.aio_interceptors,
        )  # fmt: skip

    @property
    def aio_interceptors(self) -> list[aio.ClientInterceptor]:
        """For `grpc.aio.insecure_channel(..., interceptors=...)`."""
        return bandit_aio.interceptors(self)

    def intercept_new_channels(self) -> AbstractContextManager[None]:
        """In this block, channels that libraries make for themselves with
        `grpc.insecure_channel`, `grpc.secure_channel` and those of `grpc.aio`
        are intercepted, as tritonclient's. Other threads' are not.

        A library that imported these functions by name escapes it.
        """
        return channels.intercepted(self)

    def triton_plugin(self) -> TritonPlugin:
        """For tritonclient's `register_plugin`; rewards go by request id."""
        return TritonPlugin(self, self._keys)

    # --- calls

    def context(
        self,
        unit: Value = None,
        features: Optional[Mapping[str, Value]] = None,
        request_id: Optional[str] = None,
    ) -> Scope:
        """For `with`: the calls inside carry `unit` and `features`, and their
        decisions are in what `with` gives.

        `request_id` goes along under `join.metadata`; where the response has no
        token, rewards name the decision by it.
        Fails with ValueError or TypeError for what metadata cannot carry.
        """
        return Scope(
            self, self._keys, self._sender, unit, features, request_id
        )

    # --- rewards

    def reward(
        self, token: str, value: Optional[float] = None, /, **metrics: float
    ) -> Submitted:
        """Rewards the decision of a token, from wherever it was kept; see
        Decision.reward."""
        return self._sender.submit(*rewards_of(value, metrics, decision=token))

    def reward_request(
        self,
        request_id: str,
        value: Optional[float] = None,
        /,
        **metrics: float,
    ) -> Submitted:
        """Rewards the decision of a request by its id; the router's config
        needs a `join`."""
        return self._sender.submit(
            *rewards_of(value, metrics, request_id=request_id)
        )

    def submit(self, *rewards: Reward) -> Submitted:
        """Queues rewards as they are; all of them or none."""
        return self._sender.submit(*rewards)

    def stats(self) -> Stats:
        return self._sender.stats()

    def flush(self, timeout: float = 10.0) -> Sequence[Reward]:
        """Waits until all rewards so far are answered, `timeout` seconds at
        most. Returns those that are not; they are still tried."""
        return self._sender.flush(timeout)

    async def aflush(self, timeout: float = 10.0) -> Sequence[Reward]:
        """As `flush`, without holding up the event loop."""
        return await asyncio.to_thread(self.flush, timeout)

    def close(self, timeout: Optional[float] = None) -> Sequence[Reward]:
        """Takes no more rewards, waits as `flush` (`exit_timeout` by default),
        and closes what the client opened. Returns the rewards that were given
        up; without this call it happens when the interpreter ends."""
        left = self._sender.close(
            self._exit_timeout if timeout is None else timeout
        )
        with self._lock:
            own, self._own, self._channel = self._own, None, None
        if own is not None:
            own.close()
        return left

    async def aclose(
        self, timeout: Optional[float] = None
    ) -> Sequence[Reward]:
        """As `close`, without holding up the event loop."""
        return await asyncio.to_thread(self.close, timeout)

    def __enter__(self) -> BanditClient:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    async def __aenter__(self) -> BanditClient:
        return self

    async def __aexit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        await self.aclose()
