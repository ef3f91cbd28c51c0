# SPDX-License-Identifier: Apache-2.0
"""The benchmark's own tests: what measures the router must itself be right."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

import proxies
import report

BUILD = pathlib.Path(os.environ["BANDIT_BUILD"])
HERE = pathlib.Path(__file__).resolve().parent


class WithBackend(unittest.TestCase):
    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.work = pathlib.Path(work.name)

    def backend(self, *arguments):
        server = proxies.start_backend(BUILD, self.work, *arguments)
        self.addCleanup(server.stop)
        return server

    def load(self, port, *arguments):
        return subprocess.run(
            [BUILD / "proxy_bench/load", "--port", str(port), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
            check=False)


class LoadGeneratorTest(WithBackend):
    def test_good_answers_are_counted_and_none_is_an_error(self):
        for size in ("0", "300", "1048576"):
            with self.subTest(size=size):
                run = self.load(self.backend().port, "--connections", "2",
                                "--streams", "4", "--bytes", size,
                                "--warmup", "0", "--seconds", "0.2")
                result = json.loads(run.stdout)
                self.assertGreater(result["outcomes"]["ok"], 8)
                self.assertEqual(result["errors"], 0)

    def test_each_kind_of_wrong_answer_is_told_from_the_others(self):
        # Every tenth answer is wrong, in each of four ways in turn.
        run = self.load(self.backend("--spoil", "10").port, "--warmup", "0",
                        "--seconds", "0.3")
        result = json.loads(run.stdout)
        outcomes = result["outcomes"]
        each = result["requests"] / 40
        for fault in ("grpc_status", "length", "reset", "http_status"):
            self.assertAlmostEqual(outcomes[fault], each, delta=1, msg=fault)
        self.assertEqual(result["errors"] + outcomes["ok"],
                         result["requests"])

    def test_the_open_loop_does_not_wait_for_answers(self):
        # The kernel accepts for a backend that is stopped; nothing answers.
        # All 100 requests are due, though the first has not come back.
        backend = self.backend()
        os.kill(backend.pid, signal.SIGSTOP)
        try:
            run = self.load(backend.port, "--rate", "500", "--warmup", "0",
                            "--seconds", "0.2")
        finally:
            os.kill(backend.pid, signal.SIGCONT)
        result = json.loads(run.stdout)
        self.assertAlmostEqual(result["outcomes"]["unanswered"], 100, delta=10)

    def test_no_server_is_a_failure(self):
        backend = self.backend()
        backend.stop()
        run = self.load(backend.port)
        self.assertEqual(run.returncode, 1)
        self.assertIn(b"refused", run.stderr)


class RunTest(WithBackend):
    def test_a_run_measures_each_proxy_in_each_cell(self):
        run = subprocess.run(
            [sys.executable, HERE / "run.py", "--build", BUILD, "--quick",
             "--proxies", "direct,relay,grpc", "--shapes", "1x1,2x4",
             "--rates", "500", "--seconds", "0.2", "--rounds", "1",
             "--json", "-"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=100,
            check=False)
        self.assertEqual(run.returncode, 0, run.stderr.decode())
        figures = json.loads(run.stdout)
        seen = {(row["proxy"], row["load"]) for row in figures["rows"]}
        self.assertEqual(seen, {(proxy, load)
                                for proxy in ("direct", "relay", "grpc")
                                for load in ("1x1", "2x4", "500/s")})
        for row in figures["rows"]:
            self.assertEqual(row["errors"], 0, row)
            self.assertGreater(row["requests"], 0, row)
        self.assertGreater(figures["memory"]["grpc"]["streams_1000_mib"],
                           figures["memory"]["grpc"]["idle_mib"])


def row(proxy, round_number, cpu_us):
    return {"round": round_number, "mode": "closed", "bytes": 300,
            "load": "4x8", "proxy": proxy, "cpu_us": cpu_us,
            "per_second": 1e6 / (cpu_us or 1), "errors": 0, "outcomes": {}}


class ReportTest(unittest.TestCase):
    def test_a_ratio_is_taken_within_its_round(self):
        # A machine that slows threefold in the second round slows both.
        cells = report.Cells([row("bandit", 0, 5), row("haproxy", 0, 10),
                              row("bandit", 1, 15), row("haproxy", 1, 30),
                              row("bandit", 2, 5), row("haproxy", 2, 10)])
        cell = ("closed", 300, "4x8")
        self.assertEqual(cells.median(cell, "bandit", lambda r: r["cpu_us"]), 5)
        self.assertEqual(
            cells.paired(cell, "bandit", "haproxy", lambda r: r["cpu_us"],
                         lambda a, b: a / b), 0.5)

    def test_what_was_not_measured_shows_as_a_dash(self):
        text = report.tables({
            "machine": report.machine(), "memory": {},
            "options": {"seconds": 1, "rounds": 1},
            "skipped": {"envoy": "not here"},
            "rows": [row("direct", 0, None), row("relay", 0, 2)]})
        self.assertRegex(text, r"\| direct +\| +- \|")
        self.assertIn("skipped: envoy: not here", text)


if __name__ == "__main__":
    unittest.main()
