# SPDX-License-Identifier: Apache-2.0
"""Layers, holdouts, targeting, forced arms and overlays of the real router."""

import json
import unittest

import grpc
from acts_case import ActsTest
from harness import SERVICE, field, record, reward

INFER = "inference.GRPCInferenceService"


class LayersTest(ActsTest):
    def start(self, experiments, top=""):
        self.a, self.b, self.c = (self.model(name) for name in "abc")
        return self.router(
            f"""
state: "memory:"
learner: {{tick: 20ms}}
backends:
  a: {{address: "{self.a.address}"}}
  b: {{address: "{self.b.address}"}}
  c: {{address: "{self.c.address}"}}
default_backend: c
{top}
experiments:
{experiments}
"""
        )

    def call(self, channel, *metadata, message=b"x", method="Echo"):
        """Lists of values by key, in order."""
        call = channel.unary_unary(SERVICE + method)
        _, state = call.with_call(message, metadata=metadata, timeout=30)
        values = {}
        for key, value in state.initial_metadata():
            values.setdefault(key, []).append(value)
        return values


class Layers(LayersTest):
    EXPERIMENTS = f"""
  - name: one
    match: {{service: {INFER}}}
    unit: {{metadata: x-user}}
    arms: [{{name: control, backend: a}}, {{name: new, backend: b}}]
    policy: {{name: fixed_split}}
    layer: {{name: ranking, to: 0.4}}
  - name: two
    match: {{service: {INFER}}}
    unit: {{metadata: x-user}}
    arms: [{{name: control, backend: a}}, {{name: new, backend: c}}]
    policy: {{name: fixed_split}}
    layer: {{name: ranking, from: 0.4, to: 0.8}}
"""
    TOP = (
        "layers: [{name: ranking, unit: {metadata: x-user}, holdout: 0.1}]\n"
        "holdout: {share: 0.1, unit: {metadata: x-user}}"
    )

    def test_a_unit_is_in_one_experiment_of_the_layer_or_in_none(self):
        router = self.start(self.EXPERIMENTS, self.TOP)
        channel = self.channel(router)
        counts = {}
        for i in range(400):
            user = ("x-user", f"user-{i}")
            got = self.call(channel, user)
            again = self.call(channel, user)
            (why,) = got.get("x-bandit-uncounted", ["in"])
            (name,) = got["x-bandit-experiment"]
            counts[name, why] = counts.get((name, why), 0) + 1
            self.assertEqual(got["x-bandit-arm"], again["x-bandit-arm"])
            self.assertEqual(got["x-bandit-experiment"], [name])
            if why != "in":
                self.assertEqual(got["x-served-by"], ["a"])
                self.assertNotIn("x-bandit-decision", got)
        # Of those not held out (0.9 * 0.9), 0.4 and 0.4; the rest of the layer
        # is free and gets the first's control. Five standard errors.
        self.assertAlmostEqual(counts["one", "in"] / 400, 0.324, delta=0.12)
        self.assertAlmostEqual(counts["two", "in"] / 400, 0.324, delta=0.12)
        self.assertAlmostEqual(counts["one", "layer"] / 400, 0.162, delta=0.1)
        held = counts.get(("one", "holdout"), 0) + counts.get(
            ("two", "holdout"), 0
        )
        self.assertAlmostEqual(held / 400, 0.19, delta=0.1)
        self.assertNotIn(("two", "layer"), counts)
        text = self.ctl(router, "status")
        self.assertIn("layer ranking: units from 0.4 to 0.8", text)

    def test_conditions_choose_the_experiment(self):
        router = self.start(
            f"""
  - name: adults
    match:
      service: {INFER}
      where:
        - {{metadata: x-age, min: 18}}
        - {{metadata: x-agent, prefix: "app/", not_in: [app/bot]}}
    arms: [{{name: only, backend: a}}]
    policy: {{name: fixed_split}}
"""
        )
        channel = self.channel(router)
        for age, agent, served in (
            ("18", "app/1", "a"), ("17", "app/1", "c"), ("x", "app/1", "c"),
            ("40", "web", "c"), ("40", "app/bot", "c"),
        ):
            got = self.call(channel, ("x-age", age), ("x-agent", agent))
            self.assertEqual(got["x-served-by"], [served], (age, agent))


class Forced(LayersTest):
    def test_a_test_gets_its_arm_and_leaves_no_trace(self):
        router = self.start(
            f"""
  - name: ranker
    match: {{service: {INFER}}}
    draft: true
    arms: [{{name: control, backend: a}}, {{name: new, backend: b}}]
    policy: {{name: fixed_split}}
    forced_arms: {{}}
"""
        )
        channel = self.channel(router)
        for arm, served in (
            ("new", "b"), ("control", "a"), ("ranker/new", "b"),
            ("other/control", "a"),
        ):
            got = self.call(channel, ("x-bandit-force-arm", arm))
            self.assertEqual(got["x-served-by"], [served], arm)
            self.assertNotIn("x-bandit-decision", got)
        self.assertEqual(got["x-bandit-uncounted"], ["draft"])
        with self.assertRaises(grpc.RpcError) as raised:
            self.call(channel, ("x-bandit-force-arm", "nwe"))
        self.assertEqual(
            raised.exception.code(), grpc.StatusCode.INVALID_ARGUMENT
        )
        self.assertIn("= nwe names none of its arms",
                      raised.exception.details())
        self.wait(
            lambda: self.status(router)["uncounted"]
            == {"forced": "3", "draft": "1"}
        )
        self.assertEqual(self.status(router)["decisions"], "0")

    def test_it_is_off_unless_the_config_has_it(self):
        router = self.start(
            f"""
  - name: ranker
    match: {{service: {INFER}}}
    arms: [{{name: control, backend: a, weight: 1}},
           {{name: new, backend: b, weight: 0}}]
    policy: {{name: fixed_split}}
"""
        )
        got = self.call(
            self.channel(router), ("x-bandit-force-arm", "new")
        )
        self.assertEqual(got["x-served-by"], ["a"])
        self.assertIn("x-bandit-decision", got)


class Overlays(LayersTest):
    EXPERIMENTS = f"""
  - name: model
    match: {{service: {INFER}}}
    unit: {{metadata: x-user}}
    arms: [{{name: old, backend: a}}, {{name: new, backend: b}}]
    policy: {{name: fixed_split}}
    metrics: [{{name: click, kind: binary}}]
  - name: prompt
    match: {{service: {INFER}}}
    overlay: true
    unit: {{metadata: x-user}}
    arms:
      - {{name: short, metadata: {{x-prompt: short}}}}
      - {{name: long, metadata: {{x-prompt: long}}}}
    policy: {{name: fixed_split}}
    metrics: [{{name: click, kind: binary}}]
    forced_arms: {{}}
  - name: depth
    match: {{authority: nowhere.test}}
    overlay: true
    arms: [{{name: flat, metadata: {{x-depth: "1"}}}}]
    policy: {{name: fixed_split}}
"""

    def test_a_request_is_in_both_and_each_is_rewarded(self):
        router = self.start(self.EXPERIMENTS)
        channel = self.channel(router)
        control = self.channel(router, router.control)
        cells = {}
        for i in range(200):
            got = self.call(
                channel, ("x-user", f"user-{i}"), ("x-prompt", "the caller's")
            )
            # The one that chose the backend first.
            self.assertEqual(got["x-bandit-experiment"], ["model", "prompt"])
            model, prompt = got["x-bandit-arm"]
            self.assertEqual(
                got["x-served-by"], ["a" if model == "old" else "b"]
            )
            served = self.a if model == "old" else self.b
            seen = [
                value for key, value in served.requests[-1][1]
                if key == "x-prompt"
            ]
            self.assertEqual(seen, [prompt])
            cells[model, prompt] = cells.get((model, prompt), 0) + 1
            if i < 20:
                first, second = got["x-bandit-decision"]
                self.assertEqual(
                    record(control, reward(first, 1), reward(second, 0)),
                    ["ACCEPTED", "ACCEPTED"],
                )
        # All four cells, by independent draws. Five standard errors.
        self.assertEqual(len(cells), 4)
        for count in cells.values():
            self.assertAlmostEqual(count / 200, 0.25, delta=0.16)

        def experiments():
            text = self.ctl(router, "status", "--json")
            return {e["name"]: e for e in json.loads(text)["experiments"]}

        self.wait(lambda: experiments()["prompt"]["decisions"] == "200")
        for name, mean in (("model", 1), ("prompt", 0)):
            arms = experiments()[name]["arms"]
            self.assertEqual(sum(a["reward_count"] for a in arms), 20)
            for arm in arms:
                self.assertEqual(arm["reward_mean"], mean if
                                 arm["reward_count"] else 0)
        self.assertTrue(experiments()["prompt"]["overlay"])
        self.assertEqual(experiments()["depth"]["decisions"], "0")
        # One request is one request, whatever it is in.
        self.ctl(router, "pause", "prompt")
        got = self.call(channel, ("x-user", "user-1"))
        self.assertEqual(got["x-bandit-arm"][1], "short")
        self.assertEqual(len(got["x-bandit-decision"]), 1)
        self.assertEqual(got["x-bandit-uncounted"], ["paused"])
        got = self.call(
            channel, ("x-user", "user-1"),
            ("x-bandit-force-arm", "prompt/long"),
        )
        self.assertEqual(got["x-bandit-arm"][1], "long")
        self.assertEqual(got["x-bandit-uncounted"], ["forced"])

    def test_it_also_lies_over_the_default_backend_and_sets_the_model(self):
        router = self.start(
            f"""
  - name: version
    match: {{service: {INFER}, model: ranker}}
    overlay: true
    arms: [{{name: two, model: {{version: "2"}}}}]
    policy: {{name: fixed_split}}
"""
        )
        channel = self.channel(router)
        got = self.call(
            channel, message=field(1, "ranker"), method="ModelInfer"
        )
        self.assertEqual(got["x-served-by"], ["c"])
        self.assertEqual(got["x-bandit-experiment"], ["version"])
        self.assertEqual(len(got["x-bandit-decision"]), 1)
        # Appended, as the last value of a field wins.
        self.assertEqual(
            self.c.requests[-1][2], field(1, "ranker") + field(2, "2")
        )
        got = self.call(channel, message=field(1, "else"), method="ModelInfer")
        self.assertNotIn("x-bandit-experiment", got)


if __name__ == "__main__":
    unittest.main()
