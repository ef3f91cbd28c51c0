# SPDX-License-Identifier: Apache-2.0
"""Any gRPC call passes through the router as if it were not there."""

import os
import socket
import threading
import unittest

import grpc

from harness import SERVICE, RouterTest, decide, field


def config(*servers, more=""):
    lines = ["state: 'memory:'", "backends:"]
    for server in servers:
        lines.append(f"  {server.name}: {{address: '{server.address}'}}")
    lines.append(f"default_backend: {servers[0].name}")
    return "\n".join(lines) + "\n" + more


class PassThrough(RouterTest):
    def setUp(self):
        self.server = self.model()
        self.proxy = self.router(config(self.server))
        self.client = self.channel(self.proxy)

    def test_metadata_and_trailers_pass_in_both_directions(self):
        call = self.client.unary_unary(SERVICE + "Echo")
        sent = (("x-text", "a b"), ("x-raw-bin", b"\x00\x01\xfe"))
        answer, state = call.with_call(b"hi", metadata=sent, timeout=30)
        self.assertEqual(answer, b"hi")
        first = dict(state.initial_metadata())
        self.assertEqual(first["x-first-bin"], b"\x00\xff\x80")
        last = dict(state.trailing_metadata())
        self.assertEqual(last, {"x-last": "text", "x-last-bin": b"\x01\x02"})
        _, received, _ = self.server.requests[0]
        for item in sent:
            self.assertIn(item, [tuple(entry) for entry in received])
        # No experiment took the call: nothing is added.
        self.assertNotIn("x-bandit-decision", first)

    def test_messages_from_nothing_to_64_mib(self):
        call = self.client.unary_unary(SERVICE + "Echo")
        for size in (0, 1, 300, 16384, 65535, 1 << 20, 64 << 20):
            message = os.urandom(1024) * (size // 1024) + b"e" * (size % 1024)
            self.assertEqual(call(message, timeout=120), message)

    def test_compressed_messages_pass_untouched(self):
        client = self.channel(self.proxy, compression=grpc.Compression.Gzip)
        self.assertEqual(
            client.unary_unary(SERVICE + "Echo")(b"z" * 100000, timeout=30),
            b"z" * 100000,
        )

    def test_client_streaming(self):
        call = self.client.stream_unary(SERVICE + "ClientStream")
        parts = iter([b"c" * 10000] * 500)
        self.assertEqual(call(parts, timeout=60), b"5000000")

    def test_server_streaming(self):
        call = self.client.unary_stream(SERVICE + "ServerStream")
        sizes = [len(part) for part in call(b"700 9000", timeout=60)]
        self.assertEqual(sizes, [9000] * 700)

    def test_bidirectional_streaming_is_interactive(self):
        to_send = [b"one"]
        more = threading.Semaphore(1)

        def requests():
            while True:
                more.acquire()
                if not to_send:
                    return
                yield to_send.pop()

        call = self.client.stream_stream(SERVICE + "Bidi")
        answers = call(requests(), timeout=60)
        for word in (b"one", b"two", b"three"):
            self.assertEqual(next(answers), word)
            if word != b"three":
                to_send.append({b"one": b"two", b"two": b"three"}[word])
            more.release()
        self.assertEqual(list(answers), [])

    def test_a_trailers_only_error_keeps_status_message_and_trailers(self):
        with self.assertRaises(grpc.RpcError) as raised:
            self.client.unary_unary(SERVICE + "Fail")(b"", timeout=30)
        error = raised.exception
        self.assertEqual(error.code(), grpc.StatusCode.FAILED_PRECONDITION)
        self.assertEqual(error.details(), "caf\u00e9 100 %")
        self.assertIn(("x-last", "text"), list(error.trailing_metadata()))

    def test_a_cancelled_call_is_cancelled_at_the_backend(self):
        call = self.client.unary_unary(SERVICE + "Block").future(b"")
        self.assertTrue(self.server.started.wait(30))
        call.cancel()
        self.assertTrue(self.server.cancelled.wait(30))

    def test_a_lost_client_is_cancelled_at_the_backend(self):
        client = self.proxy.channel()
        call = client.unary_unary(SERVICE + "Block").future(b"")
        self.assertTrue(self.server.started.wait(30))
        client.close()
        self.assertTrue(self.server.cancelled.wait(30))
        self.assertTrue(call.done())

    def test_a_deadline_ends_the_call(self):
        with self.assertRaises(grpc.RpcError) as raised:
            self.client.unary_unary(SERVICE + "Block")(b"", timeout=2)
        self.assertEqual(
            raised.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED
        )
        self.assertTrue(self.server.cancelled.wait(30))

    def test_a_slow_reader_holds_the_sender_back(self):
        """The client's stream is not read: the backend cannot run ahead."""
        produced = []

        def stream(request, context):
            for i in range(2000):
                produced.append(i)
                yield b"p" * 65536

        self.server.ServerStream = stream
        answers = self.client.unary_stream(SERVICE + "ServerStream")(
            b"", timeout=120
        )
        next(answers)
        # Whatever can be taken has been when another call got its answer
        # several times over.
        for _ in range(50):
            self.client.unary_unary(SERVICE + "Echo")(b"", timeout=30)
        # Windows of the client, the router on both sides and the sockets:
        # far less than the 125 MiB that the backend has to send.
        self.assertLess(len(produced) * 65536, 32 << 20)
        self.assertEqual(sum(1 for _ in answers), 1999)

    def test_concurrent_calls_on_one_connection(self):
        call = self.client.unary_unary(SERVICE + "Echo")
        messages = [b"m%d" % i * (i + 1) for i in range(300)]
        futures = [call.future(message, timeout=60) for message in messages]
        self.assertEqual([f.result() for f in futures], messages)


class Errors(RouterTest):
    def fails(self, channel, method=SERVICE + "Echo", **arguments):
        with self.assertRaises(grpc.RpcError) as raised:
            channel.unary_unary(method)(b"", timeout=30, **arguments)
        return raised.exception

    def test_a_dead_backend_is_unavailable_and_named(self):
        server = self.model("ranker-b")
        more = """
experiments:
  - name: ranker
    match: {service: inference.GRPCInferenceService}
    arms: [{name: candidate, backend: ranker-b}]
    policy: {name: fixed_split}
    metrics: [{name: click, kind: binary}]
"""
        proxy = self.router(config(server, more=more))
        client = self.channel(proxy)
        decide(client)
        server.stop()
        error = self.fails(client)
        self.assertEqual(error.code(), grpc.StatusCode.UNAVAILABLE)
        self.assertRegex(
            error.details(),
            "experiment ranker, arm candidate, backend ranker-b: .+",
        )
        # It is found again when it is back.
        again = self.model("ranker-b", server.address)
        for _ in range(200):
            try:
                decide(client)
                break
            except grpc.RpcError:
                threading.Event().wait(0.05)  # Its back-off, at most 5 s.
        self.assertTrue(again.requests)

    def test_a_backend_that_is_not_there_at_start_is_named(self):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            address = "127.0.0.1:%d" % unused.getsockname()[1]

            class Absent:
                name = "absent"

            Absent.address = address
            proxy = self.router(config(Absent))
            error = self.fails(self.channel(proxy))
        self.assertEqual(error.code(), grpc.StatusCode.UNAVAILABLE)
        self.assertIn("backend absent: " + address, error.details())

    def test_what_nothing_matches_is_unimplemented_without_a_default(self):
        server = self.model()
        text = config(server).replace("default_backend: model\n", "")
        text += """
experiments:
  - name: e
    match: {service: some.Other}
    arms: [{name: a, backend: model}]
    policy: {name: fixed_split}
    metrics: [{name: click, kind: binary}]
"""
        error = self.fails(self.channel(self.router(text)))
        self.assertEqual(error.code(), grpc.StatusCode.UNIMPLEMENTED)
        self.assertIn(SERVICE + "Echo", error.details())

    def test_bytes_that_are_not_http2_harm_nobody_else(self):
        server = self.model()
        proxy = self.router(config(server, more="workers: 1\n"))
        client = self.channel(proxy)
        decide(client)
        host, port = proxy.listen.split(":")
        for junk in (
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            os.urandom(2000),
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 500,
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00" * 500,
            b"",
        ):
            with socket.create_connection((host, int(port)), 10) as raw:
                raw.sendall(junk)
                raw.shutdown(socket.SHUT_WR)
                raw.settimeout(30)
                while raw.recv(4096):
                    pass
        decide(client)

    def test_too_many_header_bytes_are_refused_on_that_stream_only(self):
        server = self.model()
        more = "limits: {max_header_list: 8KiB}\n"
        proxy = self.router(config(server, more=more))
        client = self.channel(proxy)
        large = (("x-large", "v" * 12000),)
        self.assertEqual(
            self.fails(client, metadata=large).code(),
            grpc.StatusCode.RESOURCE_EXHAUSTED,
        )
        decide(client)


class Routing(RouterTest):
    def setUp(self):
        self.a = self.model("a")
        self.b = self.model("b")

    def served_by(self, channel, metadata=(), message=b"", method="ModelInfer"):
        return decide(channel, metadata, message, method)[0]["x-served-by"]

    def experiment(self, match, arm="{name: b, backend: b}"):
        return f"""
experiments:
  - name: e
    match: {match}
    arms: [{arm}]
    policy: {{name: fixed_split}}
    metrics: [{{name: click, kind: binary}}]
"""

    def client(self, match, **arguments):
        text = config(self.a, self.b, more=self.experiment(match, **arguments))
        return self.channel(self.router(text))

    def test_by_method(self):
        client = self.client(
            "{service: inference.GRPCInferenceService, method: ModelInfer}"
        )
        self.assertEqual(self.served_by(client), "b")
        self.assertEqual(self.served_by(client, method="Other"), "a")

    def test_by_metadata(self):
        client = self.client(
            "{service: inference.GRPCInferenceService,"
            " metadata: {x-tier: gold}}"
        )
        gold = (("x-tier", "gold"),)
        self.assertEqual(self.served_by(client, gold), "b")
        self.assertEqual(self.served_by(client), "a")

    def test_by_model_name_wherever_it_stands(self):
        client = self.client(
            "{service: inference.GRPCInferenceService, model: ranker}"
        )
        name = field(1, "ranker")
        tensor = field(7, b"t" * 300000)
        self.assertEqual(self.served_by(client, message=name + tensor), "b")
        self.assertEqual(self.served_by(client, message=tensor + name), "b")
        self.assertEqual(self.served_by(client, message=field(1, "x")), "a")
        # The message arrived whole, though it was held back.
        self.assertEqual(self.b.requests[1][2], tensor + name)

    def test_a_body_that_is_no_protobuf_goes_to_the_default(self):
        client = self.client(
            "{service: inference.GRPCInferenceService, model: ranker}"
        )
        for body in (b"", b"\xff" * 300, b"\x0a\xff\xff\xff\xff\x0f", b"\x0b"):
            self.assertEqual(self.served_by(client, message=body), "a")
            self.assertEqual(self.a.requests[-1][2], body)

    def test_a_compressed_message_is_read_too(self):
        match = "{service: inference.GRPCInferenceService, model: ranker}"
        text = config(self.a, self.b, more=self.experiment(match))
        client = self.channel(
            self.router(text), compression=grpc.Compression.Gzip
        )
        message = field(7, b"t" * 5000) + field(1, "ranker")
        self.assertEqual(self.served_by(client, message=message), "b")

    def test_a_model_override_reaches_the_backend(self):
        text = config(
            self.a,
            self.b,
            more=self.experiment(
                "{service: inference.GRPCInferenceService}",
                arm="{name: b, backend: b,"
                " model: {name: candidate, version: '2'}}",
            ),
        )
        proxy = self.router(text)
        message = field(1, "ranker") + field(7, b"t" * 200000)
        for compression in (None, grpc.Compression.Gzip):
            client = self.channel(proxy, compression=compression)
            self.served_by(client, message=message)
            received = self.b.requests[-1][2]
            self.assertEqual(received[: len(message)], message)
            self.assertEqual(
                received[len(message) :], field(1, "candidate") + field(2, "2")
            )


if __name__ == "__main__":
    unittest.main()
