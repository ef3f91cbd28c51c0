# SPDX-License-Identifier: Apache-2.0
"""A report over the whole way: requests and rewards in, numbers out."""

import csv
import html.parser
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(
    0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../router")
)

from harness import RouterTest, decide, record, reward  # noqa: E402

BANDITCTL = os.environ["BANDITCTL"]

CONFIG = """
state: '{1}'
backends:
  a: {{address: '{0}'}}
learner: {{tick: 10ms}}
experiments:
  - name: ranker
    match: {{service: inference.GRPCInferenceService}}
    arms:
      - {{name: control, backend: a, cost: 2}}
      - {{name: candidate, backend: a, cost: 3}}
    policy: {{name: fixed_split}}
    metrics:
      - {{name: click, kind: binary, window: 1s, default: 0}}
      - {{name: spend, kind: continuous, role: primary}}
    report: {{alpha: 0.1, planned: 500}}
    segments:
      - {{name: device, metadata: x-device, values: [ios, web]}}
    covariate: {{metadata: x-prior}}
"""

REQUESTS = 600


class Page(html.parser.HTMLParser):
    """What the page has, and whether its tags are balanced."""

    VOID = {"meta", "line", "circle", "rect"}

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.words, self.links = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [v for k, v in attrs if k in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        if self.open[-1] != tag:
            raise AssertionError(f"</{tag}> closes {self.open[-1]}")
        self.open.pop()

    def handle_data(self, data):
        self.words.append(data)


class Report(RouterTest):
    def setUp(self):
        self.server = self.model("a")
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.config = CONFIG.format(
            self.server.address, f"sqlite://{self.directory}/state.db"
        )
        self.started = self.router(self.config)

    def ask(self, *arguments):
        return subprocess.run(
            [BANDITCTL, *arguments, "--address", self.started.control,
             "--timeout", "50"],
            capture_output=True, text=True, timeout=60, check=False,
        )

    def report(self):
        done = self.ask("report", "ranker", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def traffic(self):
        """Decisions and clicks by arm, as this test counted them."""
        draw = random.Random(4)
        client = self.channel(self.started)
        counted = {"control": [0, 0], "candidate": [0, 0]}
        rewards = []
        for _ in range(REQUESTS):
            prior = draw.random()
            headers, _ = decide(client, (
                ("x-device", draw.choice(["ios", "web", "tv"])),
                ("x-prior", f"{prior:.4f}"),
            ))
            arm = headers["x-bandit-arm"]
            rate = prior * (0.3 if arm == "control" else 0.9)
            counted[arm][0] += 1
            if draw.random() < rate:
                counted[arm][1] += 1
                rewards.append(reward(headers["x-bandit-decision"], 1))
            rewards.append(
                reward(headers["x-bandit-decision"], prior, metric="spend")
            )
        # As many as `record` can read the outcomes of.
        for at in range(0, len(rewards), 100):
            told = record(client, *rewards[at:at + 100])
            self.assertEqual(set(told), {"ACCEPTED"})
        return counted

    def await_report(self, question):
        for _ in range(600):
            report = self.report()
            if question(report):
                return report
            threading.Event().wait(0.05)
        self.fail(f"it did not come about within 30 s: {report}")

    def test_it_tells_what_happened_in_every_format_and_after_a_restart(self):
        counted = self.traffic()

        def complete(report):
            click = report["metrics"][0]
            calls = next(m for m in report["metrics"] if m["name"] == "cost")
            return all(
                sum(int(a["count"]) for a in m["arms"]) == REQUESTS
                for m in (click, calls)
            )

        report = self.await_report(complete)
        self.assertEqual(report["alpha"], 0.1)
        click = report["metrics"][0]
        self.assertEqual((click["name"], click["role"]), ("click", "reward"))
        for arm in click["arms"]:
            decisions, clicks = counted[arm["arm"]]
            self.assertEqual(int(arm["count"]), decisions)
            self.assertEqual(int(arm["rewards"]), clicks)
            self.assertAlmostEqual(arm["mean"]["value"], clicks / decisions)
        candidate = click["arms"][1]
        self.assertGreater(candidate["difference"]["anytime"]["low"], 0)
        self.assertGreater(candidate["variance_reduction"], 0)
        self.assertEqual(report["next"]["action"], "PROMOTE")
        self.assertEqual(report["split"]["verdict"], "SOUND")
        by_name = {m["name"]: m for m in report["metrics"]}
        self.assertEqual(by_name["spend"]["role"], "primary")
        self.assertEqual(
            [a["mean"]["value"] for a in by_name["cost"]["arms"]], [2, 3]
        )
        device = report["segments"][0]
        self.assertEqual(
            [v["value"] for v in device["values"]], ["ios", "web", "other"]
        )
        self.assertEqual(
            sum(int(a["count"]) for v in device["values"] for a in v["arms"]),
            REQUESTS,
        )
        for arm in report["arms"]:
            self.assertEqual(int(arm["finished"]), counted[arm["name"]][0])
            self.assertEqual(len(arm["latency"]), 3)

        self.check_text()
        self.check_csv(counted)
        self.check_page()

        self.started.stop()
        self.started = self.router(self.config)
        again = self.await_report(complete)
        for told in (report, again):
            for moment in ("as_of",):
                told.pop(moment)
            for arm in told["arms"]:
                arm.pop("probability")
        self.assertEqual(again, report)

    def check_text(self):
        done = self.ask("report", "ranker")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for words in ("next: PROMOTE candidate", "split: sound",
                      "click (reward, 0 or 1, more is better)",
                      "segment device"):
            self.assertIn(words, done.stdout)

    def check_csv(self, counted):
        done = self.ask("report", "ranker", "--csv")
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        clicks = {r["arm"]: r for r in rows if r["metric"] == "click"}
        for arm, (decisions, rewards) in counted.items():
            self.assertEqual(int(clicks[arm]["count"]), decisions)
            self.assertAlmostEqual(
                float(clicks[arm]["mean"]), rewards / decisions
            )
        self.assertEqual(clicks["control"]["lift"], "")
        self.assertGreater(float(clicks["candidate"]["lift"]), 0)

    def check_page(self):
        file = os.path.join(self.directory, "report.html")
        done = self.ask("report", "ranker", "--html", file)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        with open(file, encoding="utf-8") as written:
            page = Page(written.read())
        self.assertEqual(page.open, [])
        # It needs nothing else.
        self.assertEqual(page.links, [])
        self.assertNotIn("script", page.tags)
        self.assertGreaterEqual(page.tags.count("svg"), 5)
        self.assertIn("PROMOTE candidate", page.words)

    def test_an_unknown_experiment_exits_3(self):
        done = self.ask("report", "nobody")
        self.assertEqual(done.returncode, 3)
        self.assertIn("nobody", done.stderr)

    def test_formats_exclude_each_other(self):
        done = self.ask("report", "ranker", "--csv", "--json")
        self.assertEqual(done.returncode, 2)

    def test_a_page_that_cannot_be_written_is_said(self):
        done = self.ask("report", "ranker", "--html", "/nowhere/page.html")
        self.assertEqual(done.returncode, 2)
        self.assertIn("/nowhere/page.html", done.stderr)


class Power(unittest.TestCase):
    def plan(self, *arguments):
        done = subprocess.run(
            [BANDITCTL, "power", *arguments],
            capture_output=True, text=True, timeout=60, check=False,
        )
        return done

    def test_it_plans_a_rate(self):
        # statsmodels' two-sample size with the pooled variance: 3840.85 an arm.
        done = self.plan("--baseline", "0.1", "--mde", "0.02", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual(told["units_one_look"], 7682)
        self.assertGreater(told["units_every_look"], told["units_one_look"])

    def test_it_tells_days(self):
        done = self.plan("--baseline", "0.1", "--mde", "0.1", "--relative",
                         "--per-day", "1000")
        self.assertIn("days at 1000 a day", done.stdout)

    def test_what_makes_no_sense_exits_2(self):
        for arguments in (("--baseline", "0.9", "--mde", "0.2"),
                          ("--baseline", "0.1", "--mde", "0"),
                          ("--baseline", "0.1", "--mde", "0.1", "--arms", "1")):
            with self.subTest(arguments):
                done = self.plan(*arguments)
                self.assertEqual(done.returncode, 2)
                self.assertTrue(done.stderr)


if __name__ == "__main__":
    unittest.main()
