# SPDX-License-Identifier: Apache-2.0
"""W3C Trace Context and OTLP spans of the real router."""

import unittest

import grpc

from harness import SERVICE, decide
from observe_case import ObserveTest
from otlp_collector import Collector

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
SAMPLED = f"00-{TRACE}-{SPAN}-01"
NOT_SAMPLED = f"00-{TRACE}-{SPAN}-00"

class Tracing(ObserveTest):
    def collector(self, address="127.0.0.1:0"):
        collector = Collector(address)
        self.addCleanup(collector.stop)
        return collector

    def start_tracing(self, collector, sample=0):
        return self.start(
            f"tracing: {{collector: '{collector.address}', sample: {sample}, "
            "service_name: router-under-test}"
        )

    def test_off_it_passes_the_callers_trace_untouched(self):
        self.start("")
        for value in (SAMPLED, NOT_SAMPLED, "nonsense"):
            sent = (("traceparent", value), ("tracestate", "a=b"))
            decide(self.client, metadata=sent)
            self.assertEqual(self.received()["traceparent"], value)
            self.assertEqual(self.received()["tracestate"], "a=b")

    def test_a_span_between_the_callers_and_the_backends(self):
        collector = self.collector()
        self.start_tracing(collector)
        sent = (("traceparent", SAMPLED), ("tracestate", "rojo=1,congo=2"))
        first, _ = decide(self.client, metadata=sent)
        (span,) = collector.await_spans(1)
        self.assertEqual(span.trace, TRACE)
        self.assertEqual(span.parent, SPAN)
        self.assertEqual(
            self.received()["traceparent"], f"00-{TRACE}-{span.id}-01"
        )
        self.assertEqual(self.received()["tracestate"], "rojo=1,congo=2")
        self.assertEqual(span.name, SERVICE[1:] + "Echo")
        self.assertFalse(span.failed)
        self.assertLess(span.start, span.end)
        self.assertLess(span.end - span.start, 60e9)
        self.assertEqual(span.resource["service.name"], "router-under-test")
        about = span.attributes
        self.assertEqual(about["rpc.system"], "grpc")
        self.assertEqual(about["rpc.service"], SERVICE.strip("/"))
        self.assertEqual(about["rpc.method"], "Echo")
        self.assertEqual(about["rpc.grpc.status_code"], 0)
        self.assertEqual(about["bandit.experiment"], "ranker")
        self.assertEqual(about["bandit.arm"], first["x-bandit-arm"])
        self.assertEqual(
            about["bandit.propensity"],
            {"control": 0.75, "candidate": 0.25}[first["x-bandit-arm"]],
        )
        self.assertRegex(about["bandit.decision_id"], "^[0-9a-f]{16}$")
        self.assertEqual(about["bandit.backend"], "m")
        self.assertEqual(about["bandit.endpoint"], self.server.address)
        self.eventually(
            lambda: self.metric("bandit_spans_total", "exported") == 1
        )

    def test_failures_and_other_calls_have_their_status(self):
        collector = self.collector()
        self.start_tracing(collector, sample=1)
        with self.assertRaises(grpc.RpcError):
            decide(self.client, method="Fail")
        self.client.unary_unary("/other.Service/Echo")(b"", timeout=30)
        failed, other = collector.await_spans(2)
        # FAILED_PRECONDITION is the caller's doing.
        self.assertEqual(failed.attributes["rpc.grpc.status_code"], 9)
        self.assertFalse(failed.failed)
        self.assertEqual(other.name, "other.Service/Echo")
        self.assertNotIn("bandit.experiment", other.attributes)
        # Each is the root of a trace of its own.
        self.assertEqual((failed.parent, other.parent), ("", ""))
        self.assertNotEqual(failed.trace, other.trace)
        self.server.stop()
        with self.assertRaises(grpc.RpcError):
            decide(self.client)
        *_, gone = collector.await_spans(3)
        self.assertEqual(gone.attributes["rpc.grpc.status_code"], 14)
        self.assertTrue(gone.failed)

    def test_what_nobody_sampled_passes_untouched(self):
        collector = self.collector()
        self.start_tracing(collector, sample=0)
        decide(self.client, metadata=(("traceparent", NOT_SAMPLED),))
        self.assertEqual(self.received()["traceparent"], NOT_SAMPLED)
        decide(self.client)
        self.assertNotIn("traceparent", self.received())
        self.assertEqual(self.proxy.stop(), 0)
        self.assertEqual(collector.spans, [])

    def test_what_waits_at_the_end_is_sent(self):
        collector = self.collector()
        self.start_tracing(collector, sample=1)
        for _ in range(20):
            decide(self.client)
        self.assertEqual(self.proxy.stop(), 0)
        self.assertEqual(len(collector.spans), 20)

    def test_a_collector_that_fails_is_tried_again(self):
        collector = self.collector()
        collector.script = [
            grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED
        ]
        self.start_tracing(collector, sample=1)
        decide(self.client)
        self.assertEqual(len(collector.await_spans(1)), 1)
        self.assertEqual(collector.calls, 3)
        self.assertEqual(self.metric("bandit_spans_total", "failed"), 0)

    def test_a_collector_that_is_down_then_comes(self):
        collector = self.collector()
        address = collector.address
        collector.stop()
        self.start(f"tracing: {{collector: '{address}', sample: 1}}")
        for _ in range(200):
            decide(self.client)
        self.eventually(
            lambda: "the collector does not take spans" in self.proxy.logged()
        )
        back = self.collector(address)
        back.await_spans(1)
        decide(self.client)

    def test_a_collector_that_hangs_holds_up_neither_calls_nor_the_end(self):
        collector = self.collector()
        collector.hang.clear()
        self.start_tracing(collector, sample=1)
        decide(self.client)
        collector.await_(lambda: collector.calls == 1)
        # More than the queue holds.
        call = self.client.unary_unary(SERVICE + "Echo")
        for _ in range(12):
            pending = [call.future(b"", timeout=60) for _ in range(500)]
            for future in pending:
                self.assertEqual(future.result(), b"")
        self.eventually(
            lambda: self.metric("bandit_spans_total", "dropped") > 0
        )
        self.assertEqual(self.proxy.stop(), 0)


if __name__ == "__main__":
    unittest.main()
