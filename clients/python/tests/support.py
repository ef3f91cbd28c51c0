# SPDX-License-Identifier: Apache-2.0
"""The real router with two models behind, for the client's tests."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/integration/router"))

# pylint: disable=wrong-import-position
from harness import SERVICE, ModelServer, RouterTest  # noqa: E402

from bandit_router import BanditClient, Keys, SenderOptions  # noqa: E402

METRICS = """
    metrics:
      - {name: click, kind: binary, window: 30m}
      - {name: spend, kind: continuous, min: 0, window: 30m}
"""
SECONDS = 30
KEYS = Keys(unit="x-user-id")


class SilentModel(ModelServer):
    """Some methods with which a call ends early."""

    def Quiet(self, request, context):
        """Trailers without a header of its own before."""
        return request

    def Bidi(self, requests, context):
        """The response's headers come before the first message."""
        context.send_initial_metadata(())
        yield from requests


class ClientTest(RouterTest):
    """`start` gives a router of one experiment, `client` a client of it."""

    def setUp(self):
        self.a = self.silent("a")
        self.b = self.silent("b")

    def silent(self, name):
        server = SilentModel(name)
        self.addCleanup(server.stop)
        return server

    def config(self, more="", tail=""):
        return f"""
state: 'memory:'
token_key: shared vectors
backends:
  a: {{address: '{self.a.address}'}}
  b: {{address: '{self.b.address}'}}
default_backend: a
learner: {{tick: 10ms}}
experiments:
  - name: ranker
    match: {{service: inference.GRPCInferenceService}}
    unit: {{metadata: x-user-id}}
    arms:
      - {{name: control, backend: a}}
      - {{name: candidate, backend: b}}
    control: control
    policy: {{name: thompson}}
    reward: {{metric: click}}
    context:
      features:
        - {{name: device, metadata: x-device, categories: [ios, web]}}
        - {{name: prompt_tokens, metadata: x-prompt-tokens}}
{more}{METRICS}{tail}"""

    def start(self, **arguments):
        return self.router(self.config(**arguments))

    def client(self, target, **arguments):
        options = {"linger": 0.01, "exit_timeout": SECONDS}
        options.update(arguments.pop("sender", {}))
        client = BanditClient(
            target,
            keys=arguments.pop("keys", KEYS),
            sender=SenderOptions(**options),
            **arguments,
        )
        self.addCleanup(client.close, 0)
        return client


def model_metadata(server):
    """Of the last unary call that `server` had."""
    return dict(server.requests[-1][1])


def bytes_call(channel, method, kind="unary_unary"):
    return getattr(channel, kind)(SERVICE + method)
