# SPDX-License-Identifier: Apache-2.0
"""banditctl simulate as a program: what it prints where, and its exit codes."""

import csv
import io
import json
import os
import subprocess
import tempfile
import unittest

BANDITCTL = os.environ["BANDITCTL"]

CONFIG = """
backends: {a: {address: '127.0.0.1:1'}}
experiments:
  - name: ranker
    match: {service: a.B}
    unit: {metadata: x-user}
    arms: [{name: old, backend: a}, {name: new, backend: a}]
    policy: {name: thompson}
    metrics: [{name: click, kind: binary, window: 5s, default: 0}]
    context: {features: [{name: n, metadata: x-n}]}
"""
WORLD = """
arms:
  - {name: old, reward: {mean: 0.3}}
  - {name: new, reward: {mean: 0.4, effects: {n: 0.5}}}
rate: 100
delay: {median: 1s, p99: 6s}
lost: 0.05
"""


class SimulateTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.config = os.path.join(folder.name, "config.yaml")
        self.world = os.path.join(folder.name, "world.yaml")
        for path, text in ((self.config, CONFIG), (self.world, WORLD)):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)

    def simulate(self, *arguments):
        return subprocess.run(
            [BANDITCTL, "simulate", "--world", self.world, *arguments],
            capture_output=True, text=True, timeout=120, check=False,
        )

    def small(self, *arguments):
        return self.simulate("--rounds", "2000", "--runs", "2", *arguments)

    def test_processes_print_the_same_bytes(self):
        for form in ((), ("--json",), ("--csv",), ("--html", "-")):
            first, second = (
                self.small(self.config, "--replicas", "3", *form)
                for _ in range(2)
            )
            self.assertEqual(first.returncode, 0, first.stderr)
            self.assertEqual(first.stdout, second.stdout)
            self.assertRegex(first.stderr, r"^2e\+04 decisions in .* a second")

    def test_the_config_may_follow_the_policies(self):
        done = self.small("--json", "--policies", "ucb1,linucb:alpha=0.5",
                          self.config)
        self.assertEqual(done.returncode, 0, done.stderr)
        labels = [p["label"] for p in json.loads(done.stdout)["policies"]]
        self.assertEqual(
            labels, ["thompson", "ucb1", "linucb:alpha=0.5", "fixed_split"]
        )

    def test_csv_is_a_table_of_all_moments(self):
        done = self.small(self.config, "--csv")
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        self.assertEqual(len(rows), 5 * 100)
        for row in rows:
            shares = float(row["share_old"]) + float(row["share_new"])
            self.assertAlmostEqual(shares, 1, places=4)

    def test_what_is_wrong_is_on_standard_error_alone_and_exits_2(self):
        for arguments, said in (
            ((self.config, "--rounds", "0"), "not in range"),
            ((self.config, "--csv", "--json"), "excludes"),
            ((self.config, "--experiment", "other"), "no experiment"),
            (("/nowhere.yaml",), "/nowhere.yaml: No such file"),
            ((), "CONFIG is required"),
        ):
            done = self.simulate(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertEqual(done.stdout, "")
            self.assertIn(said, done.stderr)

    def test_an_example_is_a_world(self):
        example = self.simulate(self.config, "--example")
        self.assertEqual(example.returncode, 0, example.stderr)
        with open(self.world, "w", encoding="utf-8") as file:
            file.write(example.stdout)
        done = self.small(self.config)
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
