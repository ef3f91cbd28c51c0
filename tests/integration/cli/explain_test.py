# SPDX-License-Identifier: Apache-2.0
"""What explain says is what the data plane does."""

import json
import os
import struct
import sys
import unittest

sys.path.insert(
    0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../router")
)

from acts_case import ActsTest  # noqa: E402
from harness import decide, field, record, reward  # noqa: E402

UNITS = 1000

# Everything that can decide an arm at once: other experiments before it, a
# layer with a holdout, a holdout of all, a ramp, features, a policy that learns
# from them, a floor.
CONFIG = """
state: 'memory:'
learner: {{tick: 20ms}}
backends:
  c: {{address: '{0}'}}
  n: {{address: '{1}'}}
default_backend: c
layers:
  - {{name: ranking, unit: {{metadata: x-user}}, holdout: 0.05}}
holdout: {{share: 0.1, unit: {{metadata: x-account}}}}
experiments:
  - name: first
    match:
      service: inference.GRPCInferenceService
      where: [{{metadata: x-country, in: [de]}}]
    arms: [{{name: only, backend: c}}]
    policy: {{name: fixed_split}}
    metrics: [{{name: click, kind: binary}}]
  - name: half
    match: {{service: inference.GRPCInferenceService}}
    layer: {{name: ranking, to: 0.3}}
    unit: {{metadata: x-user}}
    arms: [{{name: one, backend: c}}, {{name: two, backend: n}}]
    policy: {{name: fixed_split}}
    metrics: [{{name: click, kind: binary}}]
  - name: ranker
    match: {{service: inference.GRPCInferenceService}}
    layer: {{name: ranking, from: 0.3}}
    unit: {{metadata: x-user}}
    ramp: [{{share: 0.6, lasts: 10d}}]
    arms:
      - {{name: control, backend: c}}
      - {{name: candidate, backend: n}}
      - {{name: third, backend: n}}
    policy: {{name: linucb, floor: 0.1}}
    context:
      features:
        - {{name: device, metadata: x-device, categories: [ios, android]}}
        - {{name: tokens, metadata: x-tokens, transform: log1p}}
    metrics: [{{name: click, kind: binary}}]
"""


def text_field(number, value):
    return field(number, value.encode())


def explain_request(experiment, metadata, method="Echo"):
    """bandit.v1.ExplainRequest."""
    request = text_field(1, experiment)
    for key, value in metadata:
        request += field(3, text_field(1, key) + text_field(2, value))
    return request + text_field(5, method)


def fields_of(message):
    """The fields of a protobuf message: {number: [value]}."""
    found = {}

    def take():
        nonlocal message
        value = shift = 0
        while True:
            byte, message = message[0], message[1:]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while message:
        tag = take()
        kind = tag & 7
        size = {1: 8, 5: 4}.get(kind)
        if kind == 0:
            value = take()
        else:
            size = take() if kind == 2 else size
            value, message = message[:size], message[size:]
        found.setdefault(tag >> 3, []).append(value)
    return found


class Explain(ActsTest):
    def start(self, text=CONFIG):
        self.c, self.n = self.model("c"), self.model("n")
        self.started = self.router(text.format(self.c.address, self.n.address))
        self.client = self.channel(self.started)
        control = self.channel(self.started, self.started.control)
        self.call = control.unary_unary("/bandit.v1.Admin/Explain")
        return self.started

    def explain(self, metadata, experiment="ranker"):
        """(taken_by, arm, uncounted, propensity) of an explanation."""
        found = fields_of(
            self.call(explain_request(experiment, metadata), timeout=30)
        )

        def text(number):
            return found.get(number, [b""])[0].decode()

        propensity = struct.unpack("<d", found.get(22, [b"\0" * 8])[0])[0]
        return text(7), text(21), text(12), propensity

    def test_a_thousand_units_get_the_arms_that_are_explained(self):
        self.start()
        served = {}
        for i in range(UNITS):
            metadata = [
                ("x-user", f"user-{i}"),
                ("x-account", f"account-{i % 97}"),
                ("x-device", ("ios", "android", "fridge")[i % 3]),
            ]
            if i % 5:
                metadata.append(("x-tokens", str(i)))
            if i % 50 == 0:
                metadata.append(("x-country", "de"))
            answer, _ = decide(self.client, metadata)
            served[i] = (metadata, answer)
        outcomes = {}
        for metadata, answer in served.values():
            taken, arm, uncounted, propensity = self.explain(metadata)
            self.assertEqual(taken, answer["x-bandit-experiment"], metadata)
            if taken != "ranker":
                # It is another's: that one explains it.
                _, arm, uncounted, propensity = self.explain(metadata, taken)
                if not answer.get("x-bandit-uncounted") and taken == "first":
                    # Without a unit chance decides.
                    self.assertEqual(arm, "")
                    arm = answer["x-bandit-arm"]
            self.assertEqual(arm, answer["x-bandit-arm"], metadata)
            self.assertEqual(
                uncounted, answer.get("x-bandit-uncounted", ""), metadata
            )
            key = (taken, arm, uncounted)
            outcomes[key] = outcomes.get(key, 0) + 1
        # All ways were gone.
        for key in (
            ("first", "only", ""),
            ("half", "one", ""),
            ("half", "two", ""),
            ("ranker", "control", "ramp"),
            ("ranker", "control", "holdout"),
            ("ranker", "control", ""),
            ("ranker", "candidate", ""),
            ("ranker", "third", ""),
        ):
            self.assertGreater(outcomes.get(key, 0), 5, outcomes)

    def test_it_follows_what_is_learned(self):
        router = self.start()
        channel = self.channel(router, router.control)
        tokens = []
        for i in range(400):
            answer, _ = decide(self.client, [
                ("x-user", f"user-{i}"), ("x-account", "account-1"),
                ("x-device", "ios"),
            ])
            if (answer["x-bandit-experiment"] == "ranker"
                    and "x-bandit-decision" in answer):
                tokens.append((answer["x-bandit-arm"],
                               answer["x-bandit-decision"]))
        for arm, token in tokens:
            self.assertEqual(
                record(channel, reward(token, int(arm == "third"))),
                ["ACCEPTED"],
            )
        self.wait(lambda: sum(
            arm["reward_count"] for arm in self.status(router)["arms"]
        ) == len(tokens))
        # The best arm has all that the floor leaves.
        text = self.ctl(
            router, "explain", "ranker", "--method", "Echo", "--metadata",
            "x-device=ios", "--json",
        )
        best = {
            arm["name"]: arm["probability"]
            for arm in json.loads(text)["arms"]
        }
        self.assertAlmostEqual(best["third"], 0.8, places=9)
        for i in range(200, 300):
            metadata = [
                ("x-user", f"user-{i}"), ("x-account", "account-1"),
                ("x-device", "ios"),
            ]
            answer, _ = decide(self.client, metadata)
            if answer["x-bandit-experiment"] != "ranker":
                continue
            self.assertEqual(self.explain(metadata)[1],
                             answer["x-bandit-arm"])

    def test_it_counts_as_no_decision(self):
        router = self.start()
        for i in range(50):
            self.explain([("x-user", f"user-{i}")])
        for experiment in json.loads(
            self.ctl(router, "status", "--json")
        )["experiments"]:
            self.assertEqual(experiment["decisions"], "0")
            self.assertEqual(experiment["uncounted"], {})
        self.assertEqual(self.c.requests + self.n.requests, [])

    def test_an_arm_whose_backend_is_down_is_explained_as_out(self):
        router = self.start()
        self.n.stop()

        def down():
            # Whoever finds out is a worker that sends something there.
            for i in range(20):
                try:
                    decide(self.client, [
                        ("x-user", f"user-{i}"), ("x-account", "account-1"),
                    ])
                except Exception:  # noqa: BLE001 - it is down
                    pass
            text = self.ctl(router, "explain", "ranker", "--method", "Echo")
            return "candidate cannot be drawn: backend n is down" in text

        self.wait(down)

    def test_people_read_the_steps(self):
        router = self.start()
        text = self.ctl(
            router, "explain", "ranker", "--unit", "ann", "--metadata",
            "X-Account=account-1",
        )
        for words in ("request   /inference.GRPCInferenceService/ModelInfer",
                      "match     first, rule 1: does not match: there is no "
                      "x-country",
                      "=> "):
            self.assertIn(words, text)

    def test_what_cannot_be_explained_says_so(self):
        router = self.start()
        text = self.ctl(router, "explain", "none", code=3)
        self.assertIn("no experiment is named none", text)
        text = self.ctl(router, "explain", "first", "--unit", "ann", code=2)
        self.assertIn("experiment first has no `unit`", text)
        text = self.ctl(
            router, "explain", "first", "--metadata", "nothing", code=2
        )
        self.assertIn("expected KEY=VALUE, not nothing", text)


if __name__ == "__main__":
    unittest.main()
