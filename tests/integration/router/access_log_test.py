# SPDX-License-Identifier: Apache-2.0
"""The access log of the real router."""

import json
import os
import signal
import subprocess
import tempfile
import unittest

import grpc

from harness import BINARY, SERVICE, decide
from observe_case import ObserveTest

TRACE = "0af7651916cd43dd8448eb211c80319c"
NOT_SAMPLED = f"00-{TRACE}-b7ad6b7169203331-00"


class AccessLog(ObserveTest):
    def setUp(self):
        super().setUp()
        self.directory = tempfile.mkdtemp()
        self.path = os.path.join(self.directory, "access.log")

    def start_logging(self, path=None, sample=1, more=""):
        return self.start(
            f"access_log: {{path: {path or self.path}, sample: {sample}}}\n"
            + more
        )

    def lines(self, path=None):
        with open(path or self.path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def await_lines(self, count, path=None):
        self.eventually(lambda: len(self.lines(path)) >= count)
        return self.lines(path)

    def test_off_by_default(self):
        self.start("")
        decide(self.client)
        self.assertEqual(self.proxy.process.poll(), None)
        self.assertEqual(
            self.metric("bandit_access_log_lines_total", "written"), 0
        )

    def test_a_line_says_what_happened(self):
        self.start_logging()
        metadata = (("traceparent", NOT_SAMPLED), ("authorization", "s3cret"))
        first, _ = decide(self.client, metadata=metadata, message=b"12345")
        (line,) = self.await_lines(1)
        self.assertRegex(line.pop("time"), r"^2\d{3}-\d\d-\d\dT[\d:.]+Z$")
        self.assertGreater(line["duration_ms"], 0)
        self.assertGreaterEqual(line.pop("duration_ms"), line.pop("ttfb_ms"))
        self.assertRegex(line.pop("peer"), r"^127\.0\.0\.1:\d+$")
        self.assertRegex(line.pop("decision"), "^[0-9a-f]{16}$")
        self.assertRegex(line.pop("unit"), "^[0-9a-f]{16}$")
        arm = first["x-bandit-arm"]
        self.assertEqual(line, {
            "code": "OK",
            "method": SERVICE + "Echo",
            "authority": self.proxy.listen,
            "experiment": "ranker",
            "arm": arm,
            "propensity": {"control": 0.75, "candidate": 0.25}[arm],
            "backend": "m",
            "endpoint": self.server.address,
            "retries": 0,
            "bytes_in": 10,
            "bytes_out": 10,
            "trace_id": TRACE,
        })
        with open(self.path, encoding="utf-8") as file:
            self.assertNotIn("s3cret", file.read())

    def test_failures_are_logged_whatever_the_share(self):
        self.start_logging(sample=0)
        for _ in range(10):
            decide(self.client)
        with self.assertRaises(grpc.RpcError):
            decide(self.client, method="Fail")
        (line,) = self.await_lines(1)
        self.assertEqual(line["code"], "FAILED_PRECONDITION")

    def test_a_call_that_was_tried_again_says_so(self):
        answers = [grpc.StatusCode.UNAVAILABLE]

        def flaky(request, context):
            if answers:
                context.abort(answers.pop(), "once")
            return request

        self.server.Echo = flaky
        self.proxy = self.router(
            self.config(f"access_log: {{path: {self.path}}}").replace(
                "    policy:", "    retry: {attempts: 3}\n    policy:"
            )
        )
        decide(self.channel(self.proxy))
        (line,) = self.await_lines(1)
        self.assertEqual((line["code"], line["retries"]), ("OK", 1))

    def test_a_caller_that_cancels_is_logged(self):
        self.start_logging()
        call = self.client.unary_unary(SERVICE + "Block").future(b"")
        self.server.started.wait(60)
        call.cancel()
        (line,) = self.await_lines(1)
        self.assertEqual(line["code"], "CANCELLED")
        self.assertNotIn("ttfb_ms", line)

    def test_every_line_is_there_at_the_end(self):
        self.start_logging()
        call = self.client.unary_unary(SERVICE + "Echo")
        for _ in range(4):
            pending = [call.future(b"", timeout=60) for _ in range(500)]
            for future in pending:
                future.result()
        self.assertEqual(self.proxy.stop(), 0)
        self.assertEqual(len(self.lines()), 2000)

    def test_logrotate_moves_the_file_and_reloads(self):
        self.start_logging()
        decide(self.client)
        self.await_lines(1)
        os.rename(self.path, self.path + ".1")
        self.proxy.signal(signal.SIGHUP)
        self.eventually(lambda: os.path.exists(self.path))
        self.eventually(lambda: "was loaded" in self.proxy.logged())
        decide(self.client)
        self.await_lines(1)
        self.assertEqual(len(self.lines(self.path + ".1")), 1)

    def test_a_log_that_cannot_be_opened_fails_the_reload(self):
        self.start_logging()
        self.proxy.write(self.config("access_log: {path: /no/such/place.log}"))
        self.proxy.signal(signal.SIGHUP)
        self.eventually(lambda: "was not loaded" in self.proxy.logged())
        self.assertIn("access_log.path = /no/such", self.proxy.logged())
        decide(self.client)
        self.await_lines(1)

    def test_a_log_that_cannot_be_opened_at_the_start_is_named(self):
        config = os.path.join(self.directory, "router.yaml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(
                "listen: 127.0.0.1:0\ncontrol: 127.0.0.1:0\nadmin: 127.0.0.1:0"
                + self.config("access_log: {path: /no/such/place.log}")
            )
        done = subprocess.run(
            [BINARY, "--config", config],
            capture_output=True, text=True, timeout=60, check=False,
        )
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("access_log.path = /no/such/place.log", done.stderr)

    def test_a_full_disk_loses_lines_and_no_request(self):
        self.start_logging(path="/dev/full")
        for _ in range(50):
            decide(self.client)
        self.eventually(
            lambda: self.metric("bandit_access_log_lines_total", "failed")
            == 50
        )
        self.assertIn("cannot be written", self.proxy.logged())

    def test_standard_output_carries_it_behind_the_ready_line(self):
        self.start_logging(path="stdout")
        decide(self.client)
        line = json.loads(self.proxy.process.stdout.readline())
        self.assertEqual(line["code"], "OK")

    def test_a_reader_that_sleeps_holds_up_neither_calls_nor_the_end(self):
        self.start_logging(path="stdout")
        call = self.client.unary_unary(SERVICE + "Echo")
        # Far more than the pipe and the memory for lines hold.
        for _ in range(10):
            pending = [call.future(b"", timeout=60) for _ in range(500)]
            for future in pending:
                self.assertEqual(future.result(), b"")
        self.assertEqual(self.proxy.stop(), 0)


if __name__ == "__main__":
    unittest.main()
