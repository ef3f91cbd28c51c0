#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A small world for tests of the dashboard: models, the real router, callers.

Prints one line of JSON when it is up, then does what lines of JSON on standard
input tell it, answering each with a line. Ends with its input.

  {"do": "traffic", "requests": 100}   calls, and rewards by each arm's rate
  {"do": "model", "name": "c", "fail": true, "delay_ms": 20}
  {"do": "reload", "broken": true}     the config is written again, and loaded
  {"do": "lose_state"}, {"do": "find_state"}
  {"do": "freeze"}, {"do": "thaw"}     the router as a whole
"""

import json
import os
import random
import signal
import sys
import tempfile
import time

import grpc

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../router"))

from harness import ModelServer, Router, decide, record, reward  # noqa: E402

# Nobody waits longer for a world.
LIFE_SECONDS = 600

CONFIG = """
workers: 1
state: 'sqlite://{directory}/state.db'
learner: {{tick: 10ms}}
{access}
backends:
  a: {{address: '{a}'}}
  b: {{address: '{b}'}}
  c: {{address: '{c}'}}
experiments:
  - name: ranker
    match: {{service: inference.GRPCInferenceService, method: Echo}}
    arms:
      - {{name: control, backend: a}}
      - {{name: wide, backend: b}}
      - {{name: distilled, backend: c}}
    policy: {{name: thompson, floor: 0.05}}
    reward: {{metric: click}}
    metrics:
      - {{name: click, kind: binary, window: 1s, default: 0}}
      - {{name: spend, kind: continuous, min: 0, max: 100}}
    guardrails:
      - {{metric: error, below: 0.3, test: threshold, window: 30s,
          min_samples: 20}}
      - {{metric: latency_ms, quantile: 0.95, below: 2000, action: alert}}
    probation: {{base_ejection: 30m}}
  - name: layout
    match: {{service: inference.GRPCInferenceService, method: Layout}}
    unit: {{metadata: x-user}}
    arms:
      - {{name: old, backend: a}}
      - {{name: new, backend: b}}
    policy: {{name: fixed_split}}
    reward: {{metric: latency_ms}}
    ramp: [{{share: 0.1, lasts: 1h}}, {{share: 0.5, lasts: 1d}}]
  - name: unused
    match: {{service: nobody.Asks}}
    arms: [{{name: one, backend: a}}, {{name: two, backend: c}}]
    policy: {{name: ucb1}}
    metrics: [{{name: stars, kind: continuous, min: 1, max: 5}}]
"""
ACCESS = """
control_token: t0ken
identities: [{name: ada, token: adas-t0ken}]
"""
RATES = {"control": 0.2, "wide": 0.35, "distilled": 0.25}


class Model(ModelServer):
    fail = False
    delay_ms = 0

    def Echo(self, request, context):
        if self.delay_ms:
            time.sleep(self.delay_ms / 1000)
        if self.fail:
            context.abort(grpc.StatusCode.INTERNAL, "out of memory")
        return super().Echo(request, context)

    Layout = Echo


class World:
    def __init__(self, with_tokens):
        self.draw = random.Random(7)
        self.access = ACCESS if with_tokens else ""
        self.folder = tempfile.TemporaryDirectory()
        self.models = {name: Model(name) for name in "abc"}
        self.router = Router(self.config(), directory=self.folder.name)
        self.channel = self.router.channel()

    def config(self):
        return CONFIG.format(
            directory=self.folder.name, access=self.access,
            **{name: m.address for name, m in self.models.items()})

    def close(self):
        self.thaw()
        self.channel.close()
        self.router.stop()
        for model in self.models.values():
            model.stop()
        self.folder.cleanup()

    # --- what can be done

    def traffic(self, requests, method="Echo"):
        rewards, failed = [], 0
        for number in range(requests):
            try:
                headers, _ = decide(
                    self.channel, [("x-user", f"user-{number}")], method=method)
            except grpc.RpcError:
                failed += 1
                continue
            # A unit that a ramp has not let in has no decision.
            token = headers.get("x-bandit-decision")
            rate = RATES.get(headers.get("x-bandit-arm"))
            if token is None or rate is None:
                continue
            if self.draw.random() < rate:
                rewards.append(reward(token, 1))
                if self.draw.random() < 0.1:
                    rewards.append(reward(token, 1))  # A duplicate.
            rewards.append(reward(token, 40 * self.draw.random(), "spend"))
        # A forged one, too.
        told = record(self.channel, reward("forged", 1))
        for at in range(0, len(rewards), 100):
            told += record(self.channel, *rewards[at:at + 100])
        return {"failed": failed, "accepted": told.count("ACCEPTED")}

    def model(self, name, fail=False, delay_ms=0):
        self.models[name].fail = fail
        self.models[name].delay_ms = delay_ms

    def reload(self, broken=False):
        self.router.write(self.config() + ("nonsense: 1\n" if broken else ""))
        self.router.signal(signal.SIGHUP)

    def lose_state(self):
        state = os.path.join(self.folder.name, "state.db")
        os.rename(state, state + ".lost")
        # It is missed when there is something to be written.
        for _ in range(5):
            decide(self.channel)

    def find_state(self):
        state = os.path.join(self.folder.name, "state.db")
        os.rename(state + ".lost", state)

    def freeze(self):
        self.router.signal(signal.SIGSTOP)

    def thaw(self):
        self.router.signal(signal.SIGCONT)


def say(value):
    print(json.dumps(value), flush=True)


def main():
    signal.alarm(LIFE_SECONDS)
    world = World("--tokens" in sys.argv[1:])
    try:
        say({"admin": f"http://{world.router.admin}",
             "control": world.router.control})
        for line in sys.stdin:
            order = json.loads(line)
            say(getattr(world, order.pop("do"))(**order) or {})
    finally:
        world.close()


if __name__ == "__main__":
    main()
