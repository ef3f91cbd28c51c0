# SPDX-License-Identifier: Apache-2.0
"""Backends with several endpoints, and what the router makes of them.

| a backend | the router |
|---|---|
| one of two addresses dies, comes back | goes round it, finds it again |
| a name with two addresses | both get requests |
| a Unix socket | as any other |
| its health check fails | leaves it out, and takes it back |
| one endpoint answers UNAVAILABLE | leaves it out for a while |
| the peer ends connections by age | no request fails |
| takes one stream a connection | makes more connections |
| max_requests are under way | UNAVAILABLE at once |
| answers no PING | gives its connection up |
| is configured as before a reload | keeps its connections |
"""

import os
import signal
import socket
import tempfile
import threading
import unittest
import urllib.request

import grpc

from harness import SERVICE, ModelServer, RouterTest, decide
from http2_peer import EdgeTest

ENOUGH = 3000  # Looks at the metrics, a hundredth of a second apart.


def config(addresses, more="", top=""):
    listed = ", ".join(f"'{address}'" for address in addresses)
    return f"""
workers: 1
state: 'memory:'
learner: {{tick: 10ms}}
backends:
  models: {{address: [{listed}]{more}}}
default_backend: models
{top}
experiments: []
"""


class Model(ModelServer):
    """Says how it is, and who asked."""

    def __init__(self, *arguments, **options):
        self.serving = True
        self.services = []
        self.peers = set()
        self.unavailable = False
        self.waiting = threading.Semaphore(0)
        super().__init__(*arguments, **options)

    def Check(self, request, context):
        self.services.append(request)
        return b"\x08\x01" if self.serving else b"\x08\x02"

    def Serve(self, request, context):
        self.peers.add(context.peer())
        if self.unavailable:
            context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        return self.Echo(request, context)

    def Wait(self, request, context):
        self.peers.add(context.peer())
        self.waiting.release()
        self.release.wait(60)
        return request


class BackendsTest(RouterTest):
    def model(self, name="model", address="127.0.0.1:0", **options):
        server = Model(name, address, **options)
        self.addCleanup(server.stop)
        return server

    def start(self, addresses, more="", top="", **arguments):
        self.proxy = self.router(config(addresses, more, top), **arguments)
        self.client = self.channel(self.proxy)

    def metric(self, name, **labels):
        with urllib.request.urlopen(f"http://{self.proxy.admin}/metrics") as p:
            lines = p.read().decode().splitlines()
        labels = {"backend": "models", **labels}
        return sum(
            float(line.rsplit(" ", 1)[1])
            for line in lines
            if line.startswith(name + "{")
            and all(f'{k}="{v}"' in line for k, v in labels.items())
        )

    def await_metric(self, name, value, **labels):
        for _ in range(ENOUGH):
            if self.metric(name, **labels) == value:
                return
            threading.Event().wait(0.01)
        self.fail(f"{name}{labels} is {self.metric(name, **labels)}")

    def await_endpoints(self, **states):
        for state, count in states.items():
            self.await_metric("bandit_backend_endpoints", count, state=state)

    def served_by(self, count=1):
        """Who answered each of so many requests."""
        return {
            decide(self.client, method="Serve")[0]["x-served-by"]
            for _ in range(count)
        }


class Addresses(BackendsTest):
    def test_one_of_two_dies_and_comes_back(self):
        a, b = self.model("a"), self.model("b")
        self.start([a.address, b.address])
        self.await_endpoints(ready=2)
        self.assertEqual(self.served_by(50), {"a", "b"})
        a.stop()
        self.await_endpoints(ready=1, backoff=1)
        self.assertEqual(self.served_by(50), {"b"})
        self.model("again", a.address)
        self.await_endpoints(ready=2)
        self.assertEqual(self.served_by(50), {"b", "again"})

    def test_round_robin_goes_in_turn(self):
        models = [self.model(name) for name in "abc"]
        self.start(
            [m.address for m in models], ", load_balancing: round_robin"
        )
        self.await_endpoints(ready=3)
        for _ in range(5):
            self.assertEqual(self.served_by(3), {"a", "b", "c"})

    def test_a_name_stands_for_all_its_addresses(self):
        four = self.model("four")
        port = four.address.rsplit(":", 1)[1]
        found = {
            entry[4][0] for entry in socket.getaddrinfo("localhost", port)
        }
        six = "::1" in found
        if six:
            self.model("six", f"[::1]:{port}")
        self.start([f"dns:///localhost:{port}"])
        self.await_endpoints(ready=2 if six else 1)
        self.assertEqual(self.served_by(50), {"four", "six"} if six else {"four"})

    def test_a_name_whose_other_address_is_dead(self):
        four = self.model("four")
        self.start([four.address.replace("127.0.0.1", "dns:///localhost")])
        self.await_endpoints(ready=1)
        self.assertEqual(self.served_by(20), {"four"})

    def test_a_unix_socket(self):
        path = os.path.join(tempfile.mkdtemp(), "model.sock")
        self.model("socket", f"unix:{path}")
        self.start([f"unix:{path}"])
        self.assertEqual(self.served_by(5), {"socket"})


class Health(BackendsTest):
    CHECK = (
        ", health_check: {service: ranker, interval: 20ms, timeout: 10s,"
        " unhealthy_after: 2}"
    )

    def test_what_does_not_serve_is_left_out_until_it_does(self):
        a, b = self.model("a"), self.model("b")
        self.start([a.address, b.address], self.CHECK)
        self.await_endpoints(ready=2)
        a.serving = False
        self.await_endpoints(ready=1, unhealthy=1)
        self.assertEqual(self.served_by(50), {"b"})
        self.assertEqual(set(a.services), {b"\x0a\x06ranker"})
        self.assertIn("health check: NOT_SERVING", self.proxy.logged())
        a.serving = True
        self.await_endpoints(ready=2)
        self.assertEqual(self.served_by(50), {"a", "b"})
        failed = self.metric(
            "bandit_backend_health_checks_total", result="failed"
        )
        self.assertGreaterEqual(failed, 2)

    def test_when_none_serves_requests_are_tried_all_the_same(self):
        a = self.model("a")
        a.serving = False
        self.start([a.address], self.CHECK)
        self.await_endpoints(unhealthy=1)
        self.assertEqual(self.served_by(5), {"a"})


class Outliers(BackendsTest):
    def test_an_endpoint_that_is_unavailable_is_left_out(self):
        a, b = self.model("a"), self.model("b")
        self.start(
            [a.address, b.address],
            ", load_balancing: round_robin, outliers: {consecutive_failures: 3,"
            " base_ejection: 300ms}",
        )
        self.await_endpoints(ready=2)
        a.unavailable = True
        failed = 0
        for _ in range(6):
            try:
                self.assertEqual(self.served_by(), {"b"})
            except grpc.RpcError as error:
                self.assertEqual(error.code(), grpc.StatusCode.UNAVAILABLE)
                failed += 1
        self.assertEqual(failed, 3)
        self.await_metric("bandit_backend_ejections_total", 1)
        a.unavailable = False
        # It comes back by itself.
        self.await_endpoints(ready=2)
        self.assertEqual(self.served_by(10), {"a", "b"})


class Connections(BackendsTest):
    def test_no_request_fails_when_connections_end_by_age(self):
        """gRPC's server says GOAWAY every 50 ms or so, under load."""
        a = self.model(
            "a", options=[("grpc.max_connection_age_ms", 50)]
        )
        self.start([a.address])
        failures = []
        done = threading.Event()

        def load():
            client = self.proxy.channel()
            while not done.is_set():
                try:
                    decide(client, method="Serve")
                except grpc.RpcError as error:
                    failures.append(error)
                    return
            client.close()

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(ENOUGH):
            if len(a.peers) >= 10 or failures:
                break
            threading.Event().wait(0.01)
        done.set()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertGreaterEqual(len(a.peers), 10)

    def test_a_peer_that_takes_one_stream_gets_more_connections(self):
        a = self.model("a", options=[("grpc.max_concurrent_streams", 1)])
        self.start([a.address], ", max_connections: 3")
        self.await_endpoints(ready=1)
        wait = self.client.unary_unary(SERVICE + "Wait")
        calls = []
        for _ in range(3):
            calls.append(wait.future(b"x", timeout=60))
            self.assertTrue(a.waiting.acquire(timeout=60))
        self.assertEqual(len(a.peers), 3)
        self.await_metric("bandit_backend_connections", 3)
        # A fourth one waits for its turn.
        calls.append(wait.future(b"y", timeout=60))
        a.release.set()
        for call in calls:
            self.assertIn(call.result(), (b"x", b"y"))
        self.assertEqual(len(a.peers), 3)

    def test_the_circuit_opens_at_max_requests(self):
        a = self.model("a")
        self.start([a.address], ", max_requests: 2")
        wait = self.client.unary_unary(SERVICE + "Wait")
        calls = []
        for _ in range(2):
            calls.append(wait.future(b"x", timeout=60))
            self.assertTrue(a.waiting.acquire(timeout=60))
        with self.assertRaises(grpc.RpcError) as raised:
            self.served_by()
        self.assertEqual(
            raised.exception.code(), grpc.StatusCode.UNAVAILABLE
        )
        self.assertIn(
            "backend models: max_requests = 2 are under way",
            raised.exception.details(),
        )
        self.await_metric("bandit_backend_circuit_open_total", 1)
        a.release.set()
        for call in calls:
            self.assertEqual(call.result(), b"x")
        self.assertEqual(self.served_by(), {"a"})


class Silence(EdgeTest):
    CONFIG = EdgeTest.CONFIG.replace(
        "max_connections: 64",
        "max_connections: 64, keepalive: 50ms, keepalive_timeout: 100ms",
    )

    def test_a_peer_that_answers_no_ping_is_given_up(self):
        self.start()
        stream, served = self.call()
        # The backend is silent from here on: nobody reads its side.
        message = self.c.finish(stream)
        self.assertEqual(message.get("grpc-status"), "14")
        self.assertIn("no answer to a PING", message.get("grpc-message"))
        self.b = self.accept()
        self.works()

    def test_a_peer_that_answers_pings_may_take_its_time(self):
        self.start()
        stream, served = self.call()
        self.b.until(lambda: self.b.pings >= 3)
        self.b.answer(served)
        self.assertEqual(self.c.finish(stream).body, b"answer")


class Reload(EdgeTest):
    def test_a_backend_configured_as_before_keeps_its_connection(self):
        self.start()
        self.works()
        with open(self.proxy.config, encoding="utf-8") as file:
            text = file.read()
        first = "listen: 127.0.0.1:0\ncontrol: 127.0.0.1:0\nadmin: 127.0.0.1:0\n"
        self.assertTrue(text.startswith(first))
        stream, served = self.call()
        for name in ("two", "three"):
            text = text.replace("- name: edge", f"- name: {name}", 1)
            self.proxy.write(text[len(first):])
            self.proxy.signal(signal.SIGHUP)
            self.assert_metric("bandit_experiment_epoch", 1, experiment=name)
            # By the backend's only connection.
            self.works()
            text = text.replace(f"- name: {name}", "- name: edge", 1)
        self.b.answer(served)
        self.assertEqual(self.c.finish(stream).body, b"answer")
        self.assert_metric("bandit_backend_connections", 1, backend="model")
        self.listener.setblocking(False)
        with self.assertRaises(BlockingIOError):
            self.listener.accept()


if __name__ == "__main__":
    unittest.main()
