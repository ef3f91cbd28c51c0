# SPDX-License-Identifier: Apache-2.0
"""A steady load on the router, of which no request may fail."""

import threading

import grpc

from harness import SERVICE


class Load:
    """Clients that call without a pause until it is stopped.

    The test goes on by the load's progress, not by time: `await_calls(n)`
    returns when n further calls have come back.
    """

    def __init__(self, router, clients=4, metadata=()):
        self.failures = []
        self.decisions = []  # The tokens of the latest calls.
        self.calls = 0
        self.ended = False
        self.changed = threading.Condition()
        self.metadata = metadata
        self.threads = [
            threading.Thread(target=self.run, args=(router,))
            for _ in range(clients)
        ]
        for thread in self.threads:
            thread.start()

    def run(self, router):
        with router.channel() as channel:
            call = channel.unary_unary(SERVICE + "Echo")
            while not self.ended:
                failure, token = None, None
                try:
                    answer, state = call.with_call(
                        b"load", metadata=self.metadata, timeout=60
                    )
                    token = dict(state.initial_metadata()).get(
                        "x-bandit-decision"
                    )
                    if answer != b"load":
                        failure = f"answered {answer}"
                except grpc.RpcError as error:
                    failure = f"{error.code()}: {error.details()}"
                with self.changed:
                    self.calls += 1
                    if failure:
                        self.failures.append(failure)
                    if token:
                        self.decisions = self.decisions[-99:] + [token]
                    self.changed.notify_all()

    def await_calls(self, count):
        """Until `count` calls more have ended, or one has failed."""
        with self.changed:
            enough = self.calls + count
            done = self.changed.wait_for(
                lambda: self.failures or self.calls >= enough, timeout=120
            )
            assert done, "the load stands still"

    def decision(self):
        """A token that no one has used yet."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.decisions, timeout=60)
            return self.decisions.pop()

    def stop(self):
        """Ends it; the failures."""
        self.ended = True
        for thread in self.threads:
            thread.join()
        return self.failures
