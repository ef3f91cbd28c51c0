# SPDX-License-Identifier: Apache-2.0
"""What a client may not do, for the sake of the others.

| the client | the end | counted as |
|---|---|---|
| says nothing, or its preface or headers slowly | GOAWAY | header_timeout |
| takes nothing of what waits for it | GOAWAY if it reads | stall_timeout |
| does not answer a PING while it has a request | GOAWAY | keepalive_timeout |
| has no request for long | GOAWAY, NO_ERROR | idle_timeout |
| floods | GOAWAY, ENHANCE_YOUR_CALM | flood |
| comes when there are enough | closed at once | max_connections |
| speaks HTTP/1 | 505 | not_http2 |
| breaks HTTP/2 | GOAWAY with the code | protocol_error |

Limits of time are short here and nothing asserts that they were not passed
late: what is awaited is the end, and that others were served meanwhile.
"""

import gzip
import re
import socket
import unittest

from hyperframe import frame as h2f

import http2_peer as h2
from harness import field
from http2_peer import EdgeTest, Lost


def message(payload, compressed=0):
    return bytes([compressed]) + len(payload).to_bytes(4, "big") + payload


class LimitsTest(EdgeTest):
    def assert_closed(self, **reasons):
        """`bandit_connections_closed_total` comes to have these."""
        for reason, count in reasons.items():
            self.assert_metric(
                "bandit_connections_closed_total", count, reason=reason
            )

    def raw(self):
        host, port = self.proxy.listen.split(":")
        sock = socket.create_connection((host, int(port)), h2.TIMEOUT)
        self.addCleanup(sock.close)
        return sock

    def answered(self, sock):
        """All that comes until the router closes."""
        got = b""
        try:
            while data := sock.recv(1 << 16):
                got += data
        except ConnectionResetError:
            pass
        return got


class Time(LimitsTest):
    def test_a_client_that_says_nothing(self):
        self.start(more="limits: {header_timeout: 200ms}")
        self.c.sync()
        self.answered(self.raw())
        self.assert_closed(header_timeout=1)
        self.works()

    def test_headers_that_do_not_end(self):
        self.start(more="limits: {header_timeout: 200ms}")
        bad = self.connect()
        bad.sync()
        bad.send(h2f.HeadersFrame(1, b"\x82"))
        self.assertEqual(bad.until_lost(), h2.NO_ERROR)
        self.assert_closed(header_timeout=1)
        self.works()

    def test_an_idle_client_is_told_to_go(self):
        self.start(more="limits: {idle_timeout: 200ms}")
        self.assertEqual(self.c.until_lost(), h2.NO_ERROR)
        self.assert_closed(idle_timeout=1)
        # A request holds the connection.
        self.c = self.connect()
        stream, served = self.call()
        for _ in range(5):
            self.c.sync()
        self.b.answer(served)
        self.assertEqual(self.c.finish(stream).body, b"answer")
        self.assertEqual(self.c.until_lost(), h2.NO_ERROR)

    def test_a_client_that_opens_no_window(self):
        self.start(more="limits: {stall_timeout: 200ms}")
        bad = self.connect(settings={h2.INITIAL_WINDOW_SIZE: 0})
        bad.sync()
        bad.request(end=True)
        served = self.b.next_request()
        self.b.respond(served)
        self.b.data(served, b"never taken")
        self.assertEqual(bad.until_lost(), h2.NO_ERROR)
        self.assertEqual(self.b.until_reset(served), h2.CANCEL)
        self.assert_closed(stall_timeout=1)
        self.works()

    def test_a_client_that_reads_nothing(self):
        self.start(
            more="limits: {stall_timeout: 200ms, stream_window: 1MiB}"
        )
        bad = self.connect(settings={h2.INITIAL_WINDOW_SIZE: 2**31 - 1})
        bad.window(0, 2**31 - 1 - 65535)
        bad.request(end=True)
        served = self.b.next_request()
        self.b.respond(served)
        with self.assertRaises(Lost):
            # Until the router cuts the call: it resets the stream.
            message = self.b.on(served)
            while message.reset is None:
                self.flood_backend(served, message)
            raise Lost
        self.assertEqual(message.reset, h2.CANCEL)
        self.assert_closed(stall_timeout=1)
        self.works()

    def flood_backend(self, served, message):
        """Sends what the router's windows allow, then waits for more."""
        sent = getattr(self, "sent", 0)
        window = 65535 + self.b.credit.get(0, 0)
        stream = self.b.settings.get(h2.INITIAL_WINDOW_SIZE, 65535)
        stream += self.b.credit.get(served, 0)
        room = min(16000, window - sent, stream - sent)
        if room > 0:
            self.b.data(served, b"x" * room)
            self.sent = sent + room
        else:
            self.b.read_frame()

    def test_a_client_that_answers_no_ping(self):
        self.start(
            more="limits: {keepalive: 100ms, keepalive_timeout: 200ms}"
        )
        bad = self.connect()
        bad.sync()
        bad.reply = lambda frame: None
        bad.request()
        served = self.b.next_request()
        self.assertEqual(bad.until_lost(), h2.NO_ERROR)
        self.assertEqual(self.b.until_reset(served), h2.CANCEL)
        self.assert_closed(keepalive_timeout=1)
        # One that answers is left alone, however long its call takes.
        stream = self.c.request(end=True)
        served = self.b.next_request()
        self.c.pings = 0
        reply = self.c.reply

        def count(frame):
            self.c.pings += isinstance(frame, h2f.PingFrame)
            reply(frame)

        self.c.reply = count
        self.c.until(lambda: self.c.pings >= 3)
        self.b.answer(served)
        self.assertEqual(self.c.finish(stream).body, b"answer")


class Floods(LimitsTest):
    def flood(self, frame, before=None, read=False):
        """The code of the GOAWAY, or None if it was lost in the flood."""
        self.start()
        bad = self.connect()
        bad.sync()
        if before:
            before(bad)
        many = frame.serialize() * 1000
        try:
            for _ in range(200):
                bad.raw(many)
                if read:
                    bad.sock.setblocking(False)
                    try:
                        bad.fill()
                    except BlockingIOError:
                        pass
                    bad.sock.settimeout(h2.TIMEOUT)
                    bad.buffer.clear()
        except (OSError, Lost):
            pass
        bad.sock.close()
        self.assert_closed(flood=1)
        self.works()
        lines = self.proxy.logged().count("(flood)")
        self.assertEqual(lines, 1, "one line in the log")

    def open(self, bad):
        bad.request()
        self.b.next_request()

    def test_of_pings(self):
        self.flood(h2f.PingFrame(0, b"12345678"), read=True)

    def test_of_pings_whose_answers_are_not_read(self):
        self.flood(h2f.PingFrame(0, b"12345678"))

    def test_of_settings(self):
        self.flood(h2f.SettingsFrame(0), read=True)

    def test_of_settings_whose_answers_are_not_read(self):
        self.flood(h2f.SettingsFrame(0))

    def test_of_empty_data(self):
        self.flood(h2f.DataFrame(1), before=self.open)

    def test_of_priorities(self):
        self.flood(h2f.PriorityFrame(5, depends_on=3))

    def test_of_empty_continuations(self):
        self.flood(
            h2f.ContinuationFrame(1, b""),
            before=lambda bad: bad.send(h2f.HeadersFrame(1, b"\x82")),
        )

    def test_of_resets(self):
        """CVE-2023-44487, counted."""
        self.start()
        bad = self.connect()
        bad.sync()
        try:
            for _ in range(50_000):
                stream = bad.request(self.HELD)
                bad.reset(stream, h2.CANCEL)
        except OSError:
            pass
        self.assert_closed(flood=1)
        self.works()

    def test_of_empty_headers(self):
        """Sections without a field (CVE-2019-9518): malformed, each reset."""
        self.start()
        bad = self.connect()
        bad.sync()
        try:
            for stream in range(1, 40_000, 2):
                bad.send(
                    h2f.HeadersFrame(
                        stream, b"", flags=["END_HEADERS", "END_STREAM"]
                    )
                )
        except OSError:
            pass
        # If a single read brings a thousand, they are too many at a time.
        name = "bandit_connections_closed_total"
        for _ in range(3000):
            cut = [
                self.metrics(name, reason=reason)
                for reason in ("flood", "protocol_error")
            ]
            if sum(cut):
                break
            h2.threading.Event().wait(0.01)
        self.assertEqual(sum(cut), 1)
        self.sync()
        self.assertEqual(self.b.requests, [])
        self.works()


class Connections(LimitsTest):
    def test_more_than_allowed_of_all_workers_together(self):
        self.CONFIG = self.CONFIG.replace("workers: 1", "workers: 3")
        self.start(more="limits: {max_connections: 4}")
        # Each worker has its own connection to the backend.
        held = [self.c, *(self.connect() for _ in range(3))]
        for peer in held:
            peer.sync()
        self.answered(self.raw())
        self.assert_closed(max_connections=1)
        for peer in held:
            peer.sync()
        self.assertIn(
            "limits.max_connections = 4 are open", self.proxy.logged()
        )
        # One that ends makes room.
        held[1].close()
        self.assert_closed(peer=1)
        self.connect().sync()

    def test_http1_is_told_so_in_its_own_words(self):
        self.start()
        sock = self.raw()
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = self.answered(sock)
        self.assertTrue(answer.startswith(b"HTTP/1.1 505 "), answer)
        self.assertIn(b"HTTP/2 with prior knowledge", answer)
        self.assert_closed(not_http2=1)

    def test_tls_on_a_cleartext_port_is_named_in_the_log(self):
        self.start()
        sock = self.raw()
        sock.sendall(b"\x16\x03\x01\x00\x05hello" * 10)
        self.answered(sock)
        self.assert_closed(not_http2=1)
        self.assertIn("speaks TLS", self.proxy.logged())

    def test_a_frame_on_a_stream_that_its_client_reset(self):
        self.start()
        bad = self.connect()
        stream = bad.request()
        self.b.next_request()
        bad.reset(stream, h2.CANCEL)
        bad.data(stream, b"late")
        self.assertEqual(bad.until_lost(), h2.STREAM_CLOSED)
        self.assert_closed(protocol_error=1)
        self.works()


class Bombs(LimitsTest):
    CONFIG = """
workers: 1
state: 'memory:'
backends:
  model: {{address: '{address}'}}
learner: {{tick: 10ms}}
limits: {{max_held_message: 1MiB}}
{more}
experiments:
  - name: edge
    match: {{service: inference.GRPCInferenceService}}
    arms: [{{name: one, backend: model, model: {{name: other}}}}]
    policy: {{name: fixed_split}}
"""

    def peak_kib(self):
        with open(f"/proc/{self.proxy.process.pid}/status") as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read())[1])

    def test_a_small_message_that_inflates_to_a_huge_one(self):
        """The override needs the message inflated; not all of it is."""
        self.start()
        bomb = gzip.compress(field(1, "m") + field(7, bytes(200 << 20)), 9)
        # It fits the windows that the router gives.
        self.assertLess(len(bomb), 256 << 10)
        gzipped = [("grpc-encoding", "gzip")]
        small = gzip.compress(field(1, "m"))
        stream = self.c.request(self.HELD, more=gzipped)
        self.c.data(stream, message(small, 1), end=True)
        self.b.answer(self.b.next_request())
        self.c.finish(stream)
        before = self.peak_kib()
        stream = self.c.request(self.HELD, more=gzipped)
        served = self.b.next_request()
        data = message(bomb, 1)
        for i in range(0, len(data), 16000):
            self.c.data(stream, data[i : i + 16000])
        self.c.data(stream, end=True)
        answer = self.c.finish(stream)
        self.assertEqual(answer.get("grpc-status"), "8")
        self.assertIn("inflates to more", answer.get("grpc-message"))
        self.assertEqual(self.b.until_reset(served), h2.CANCEL)
        self.assertEqual(self.b.on(served).body, b"")
        self.assertLess(self.peak_kib() - before, 32 << 10)


if __name__ == "__main__":
    unittest.main()
