# SPDX-License-Identifier: Apache-2.0
"""What a client may do to its call and to its connection.

| the client | the backend | the client, then | counted |
|---|---|---|---|
| resets, whenever | a reset with CANCEL | nothing | CANCELLED |
| ... while held for the model name | nothing | nothing | CANCELLED |
| is cut off | CANCEL for each call | - | CANCELLED |
| says GOAWAY | nothing | its calls finish, then the end | as answered |
| breaks HTTP/2 on a stream | nothing, or CANCEL | a reset of that stream | |
| breaks HTTP/2 altogether | CANCEL, each | GOAWAY, the end | CANCELLED |
| sends too many header fields | nothing | RESOURCE_EXHAUSTED | the same |
| says an absurd grpc-timeout | it, unchanged | the answer | as answered |
"""

import unittest

from hyperframe import frame as h2f

import http2_peer as h2
from harness import field
from http2_peer import EdgeTest


def message(payload):
    return b"\0" + len(payload).to_bytes(4, "big") + payload


class HalfCloses(EdgeTest):
    """Each way in which a request may end reaches the backend as it is."""

    def test_with_the_headers(self):
        self.start()
        stream, served = self.call()
        self.assertEqual(self.b.finish(served).frames, ["HeadersFrame"])
        self.b.answer(served)
        self.assertEqual(self.c.finish(stream).body, b"answer")

    def test_with_the_last_data(self):
        self.start()
        stream = self.c.request()
        self.c.data(stream, b"all", end=True)
        served = self.b.next_request()
        self.assertEqual(self.b.finish(served).body, b"all")
        self.b.answer(served)
        self.assertEqual(self.c.finish(stream).body, b"answer")

    def test_with_empty_data_long_after(self):
        self.start()
        stream = self.c.request()
        self.c.data(stream, b"all")
        served = self.b.next_request()
        request = self.b.until_body(served, 3)
        self.sync()
        self.assertFalse(request.ended)
        self.c.data(stream, end=True)
        self.assertEqual(self.b.finish(served).body, b"all")
        self.b.answer(served)
        self.assertEqual(self.c.finish(stream).body, b"answer")

    def test_with_trailers(self):
        self.start()
        for body in (b"", b"all"):
            with self.subTest(body=body):
                stream = self.c.request()
                if body:
                    self.c.data(stream, body)
                self.c.headers(stream, [("x-last", "1")], end=True)
                served = self.b.next_request()
                request = self.b.finish(served)
                self.assertEqual(request.body, body)
                self.assertEqual(request.trailers, [("x-last", "1")])
                self.b.answer(served)
                self.assertEqual(self.c.finish(stream).body, b"answer")

    def test_after_the_whole_response(self):
        self.start()
        stream = self.c.request()
        served = self.b.next_request()
        self.b.answer(served)
        self.assertEqual(self.c.finish(stream).body, b"answer")
        self.c.data(stream, b"late")
        self.b.until_body(served, 4)
        self.c.data(stream, end=True)
        self.assertTrue(self.b.finish(served).ended)
        self.works()
        self.assert_counted(OK=2)

    def test_after_the_response_of_a_call_that_is_not_grpc(self):
        """An upload goes on behind an early answer."""
        self.start()
        stream = self.c.request(grpc=False)
        served = self.b.next_request()
        self.b.respond(served, end=True, grpc=False)
        self.c.finish(stream)
        self.c.data(stream, b"late", end=True)
        self.assertEqual(self.b.finish(served).body, b"late")
        self.assert_counted(HTTP_200=1)


class Cancellations(EdgeTest):
    def test_while_held_for_the_model_name(self):
        self.start()
        stream = self.c.request(self.HELD)
        self.c.data(stream, message(field(1, "ranker"))[:4])
        self.c.reset(stream, h2.CANCEL)
        self.sync()
        self.assertEqual(self.b.requests, [])
        self.assert_counted(experiment="", CANCELLED=1)

    def test_a_deadline_while_held_for_the_model_name(self):
        self.start()
        stream = self.c.request(self.HELD, more=[("grpc-timeout", "100m")])
        self.assertEqual(self.c.finish(stream).get("grpc-status"), "4")
        self.assertEqual(self.c.until_reset(stream), h2.NO_ERROR)
        self.sync()
        self.assertEqual(self.b.requests, [])
        self.assert_counted(experiment="", DEADLINE_EXCEEDED=1)

    def test_after_the_model_name_was_found(self):
        self.start()
        stream = self.c.request(self.HELD)
        body = message(field(1, "ranker") + field(7, b"t" * 50))
        self.c.data(stream, body[:20])
        served = self.b.next_request()
        self.b.until_body(served, 20)
        self.c.reset(stream, h2.CANCEL)
        self.assertEqual(self.b.until_reset(served), h2.CANCEL)
        self.assert_counted(experiment="held", CANCELLED=1)

    def test_while_forwarding_whatever_the_code(self):
        self.start()
        codes = (h2.CANCEL, h2.INTERNAL_ERROR, h2.REFUSED_STREAM, h2.NO_ERROR)
        for code in codes:
            stream = self.c.request()
            self.c.data(stream, b"part")
            served = self.b.next_request()
            self.b.until_body(served, 4)
            self.c.reset(stream, code)
            self.assertEqual(self.b.until_reset(served), h2.CANCEL)
        self.works()
        self.assert_counted(OK=1, CANCELLED=len(codes))

    def test_once_the_request_is_whole(self):
        self.start()
        stream, served = self.call()
        self.c.reset(stream, h2.CANCEL)
        self.assertEqual(self.b.until_reset(served), h2.CANCEL)
        # What crosses the reset is for nobody.
        self.b.answer(served)
        self.works()
        self.assert_counted(OK=1, CANCELLED=1)

    def test_after_the_response_headers(self):
        self.start()
        stream, served = self.call()
        self.b.respond(served)
        self.b.data(served, b"part")
        self.c.until_body(stream, 4)
        self.c.reset(stream, h2.CANCEL)
        self.assertEqual(self.b.until_reset(served), h2.CANCEL)
        self.works()
        self.assert_counted(OK=1, CANCELLED=1)

    def test_a_lost_client_cancels_all_of_its_calls(self):
        self.start()
        other = self.connect()
        served = []
        for _ in range(3):
            other.request()
            served.append(self.b.next_request())
        self.b.respond(served[0])
        self.b.sync()
        other.close()
        for stream in served:
            self.assertEqual(self.b.until_reset(stream), h2.CANCEL)
        self.works()
        self.assert_counted(OK=1, CANCELLED=3)

    def test_goaway_lets_its_calls_finish_then_the_connection_ends(self):
        self.start()
        stream, served = self.call()
        self.c.say_goaway(0)
        self.c.sync()
        self.b.answer(served)
        self.assertEqual(self.c.finish(stream).body, b"answer")
        self.c.until_lost()
        self.works(client=self.connect())
        self.assert_counted(OK=2)


class Streams(EdgeTest):
    """Errors of one stream leave the others of its connection alone."""

    def setUp(self):
        self.start(more="limits: {max_header_list: 8KiB}")
        self.good, self.good_served = self.call()

    def others_go_on(self):
        self.b.answer(self.good_served)
        self.assertEqual(self.c.finish(self.good).body, b"answer")
        self.works()

    def test_a_malformed_request_is_reset(self):
        bare = [(":method", "POST"), (":scheme", "http")]
        base = [*bare, (":authority", "edge")]
        cases = {
            "neither authority nor host": bare + [(":path", "/a/b")],
            "no path": base,
            "an empty path": base + [(":path", "")],
            "a path twice": base + [(":path", "/a/b"), (":path", "/a/b")],
            "an unknown pseudo-header":
                base + [(":path", "/a/b"), (":odd", "1")],
            "a status": base + [(":path", "/a/b"), (":status", "200")],
            "an upper-case name": base + [(":path", "/a/b"), ("X-Up", "1")],
            "connection": base + [(":path", "/a/b"), ("connection", "close")],
            "transfer-encoding":
                base + [(":path", "/a/b"), ("transfer-encoding", "chunked")],
            "te that is not trailers":
                base + [(":path", "/a/b"), ("te", "gzip")],
            "a pseudo-header last": base + [("x-a", "1"), (":path", "/a/b")],
        }
        for name, fields in cases.items():
            with self.subTest(name):
                stream, self.c.next_id = self.c.next_id, self.c.next_id + 2
                self.c.headers(stream, fields, end=True)
                self.assertEqual(
                    self.c.until_reset(stream), h2.PROTOCOL_ERROR
                )
        self.sync()
        self.assertEqual(len(self.b.requests), 1)
        self.others_go_on()
        self.assert_counted(OK=2)

    def test_a_body_longer_than_its_content_length_is_reset(self):
        stream = self.c.request(more=[("content-length", "3")])
        served = self.b.next_request()
        self.c.data(stream, b"more than three")
        self.assertEqual(self.c.until_reset(stream), h2.PROTOCOL_ERROR)
        self.assertEqual(self.b.until_reset(served), h2.CANCEL)
        self.others_go_on()

    def test_a_body_shorter_than_its_content_length_is_reset(self):
        stream = self.c.request(more=[("content-length", "3")])
        served = self.b.next_request()
        self.c.data(stream, b"1", end=True)
        self.assertEqual(self.c.until_reset(stream), h2.PROTOCOL_ERROR)
        self.assertEqual(self.b.until_reset(served), h2.CANCEL)
        self.others_go_on()

    def test_a_window_that_overflows_is_reset(self):
        stream = self.c.request()
        served = self.b.next_request()
        self.c.window(stream, (1 << 31) - 1)
        self.assertEqual(self.c.until_reset(stream), h2.FLOW_CONTROL_ERROR)
        self.assertEqual(self.b.until_reset(served), h2.CANCEL)
        self.others_go_on()

    def test_frames_on_a_closed_stream_are_passed_over(self):
        """They may have crossed the router's own reset."""
        stream = self.c.request()
        served = self.b.next_request()
        self.b.reset(served, h2.CANCEL)
        self.c.until_reset(stream)
        self.c.data(stream, b"late")
        self.c.headers(stream, [("x-late", "1")], end=True)
        self.c.reset(stream, h2.CANCEL)
        self.c.window(stream, 10)
        self.others_go_on()
        self.assertIsNone(self.c.goaway)

    def test_too_many_header_fields(self):
        stream = self.c.request(more=[("x-large", "v" * 9000)], end=True)
        answer = self.c.finish(stream)
        self.assertEqual(answer.get("grpc-status"), "8")
        self.assertIn(
            "limits.max_header_list = 8192", answer.get("grpc-message")
        )
        self.others_go_on()
        self.assert_counted(experiment="", RESOURCE_EXHAUSTED=1)

    def test_too_many_trailers(self):
        stream = self.c.request()
        served = self.b.next_request()
        self.c.headers(stream, [("x-large", "v" * 9000)], end=True)
        answer = self.c.finish(stream)
        self.assertEqual(answer.get("grpc-status"), "8")
        self.assertIn("trailers", answer.get("grpc-message"))
        self.assertEqual(self.b.until_reset(served), h2.CANCEL)
        self.others_go_on()
        self.assert_counted(OK=2, RESOURCE_EXHAUSTED=1)


class Connections(EdgeTest):
    """A connection that is beyond repair ends, and no other with it."""

    def test_malformed_frames(self):
        self.start()
        cases = {
            "data on stream 0": (
                b"\x00\x00\x01\x00\x00\x00\x00\x00\x00x", h2.PROTOCOL_ERROR
            ),
            "data on an idle stream": (
                b"\x00\x00\x01\x00\x00\x00\x00\x00\x63x", h2.PROTOCOL_ERROR
            ),
            "headers on an even stream": (
                b"\x00\x00\x01\x01\x05\x00\x00\x00\x02\x82",
                h2.PROTOCOL_ERROR,
            ),
            "a frame that is too long": (
                b"\x01\x00\x00\x00\x00\x00\x00\x00\x01", h2.FRAME_SIZE_ERROR
            ),
            "a ping of seven bytes": (
                b"\x00\x00\x07\x06\x00\x00\x00\x00\x00abcdefg",
                h2.FRAME_SIZE_ERROR,
            ),
            "more padding than payload": (
                b"\x00\x00\x02\x00\x08\x00\x00\x00\x01\x05x",
                h2.PROTOCOL_ERROR,
            ),
            "fields that are no HPACK": (
                b"\x00\x00\x02\x01\x05\x00\x00\x00\x63\xff\xff",
                h2.COMPRESSION_ERROR,
            ),
            "a continuation of nothing": (
                b"\x00\x00\x01\x09\x04\x00\x00\x00\x01\x82",
                h2.PROTOCOL_ERROR,
            ),
            "data amid a header section": (
                b"\x00\x00\x01\x01\x00\x00\x00\x00\x63\x82"
                b"\x00\x00\x01\x00\x00\x00\x00\x00\x01x",
                h2.PROTOCOL_ERROR,
            ),
            "settings of a window of 2^31": (
                b"\x00\x00\x06\x04\x00\x00\x00\x00\x00"
                b"\x00\x04\x80\x00\x00\x00",
                h2.FLOW_CONTROL_ERROR,
            ),
            "no window by an update of 0": (
                b"\x00\x00\x04\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00",
                h2.PROTOCOL_ERROR,
            ),
        }
        for name, (junk, code) in cases.items():
            with self.subTest(name):
                bad = self.connect()
                bad.request()
                served = self.b.next_request()
                bad.raw(junk)
                self.assertEqual(bad.until_lost(), code)
                self.assertEqual(self.b.until_reset(served), h2.CANCEL)
        self.works()
        self.assert_counted(OK=1, CANCELLED=len(cases))

    def test_more_streams_than_were_allowed(self):
        """nghttp2 is strict: what was acknowledged holds."""
        self.start(more="limits: {max_concurrent_streams: 10}")
        bad = self.connect()
        bad.sync()
        self.assertEqual(bad.settings[h2.MAX_CONCURRENT_STREAMS], 10)
        for _ in range(10):
            bad.request()
            self.b.next_request()
        bad.request()
        self.assertEqual(bad.until_lost(), h2.PROTOCOL_ERROR)
        self.works()
        self.assert_counted(OK=1, CANCELLED=10)

    def test_a_header_section_without_end_is_cut_off(self):
        """CONTINUATION without bound (CVE-2024-28182)."""
        self.start()
        bad = self.connect()
        try:
            bad.send(h2f.HeadersFrame(1, b"\x82"))
            for _ in range(1000):
                bad.send(h2f.ContinuationFrame(1, b"\x82" * 1000))
        except OSError:
            pass
        bad.until_lost()
        self.works()

    def test_a_flood_of_resets_is_cut_off(self):
        """Requests that are reset at once (CVE-2023-44487)."""
        self.start()
        bad = self.connect()
        bad.sync()
        try:
            for _ in range(100_000):
                bad.send(*self.given_up(bad))
        except OSError:
            pass
        bad.until_lost()
        self.works()

    def test_many_cancellations_are_no_flood(self):
        """A client that hedges its requests cancels hundreds a second."""
        self.start()
        for _ in range(4000):
            self.c.send(*self.given_up(self.c))
        self.works()

    def given_up(self, client):
        """A request that no experiment and no backend gets, and its reset."""
        stream, client.next_id = client.next_id, client.next_id + 2
        fields = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", self.HELD),
            (":authority", "edge"),
        ]
        return [
            *client.headers_frames(stream, fields),
            h2f.RstStreamFrame(stream, h2.CANCEL),
        ]

    def test_a_connection_cut_in_mid_frame(self):
        self.start()
        bad = self.connect()
        stream = bad.request()
        served = self.b.next_request()
        bad.raw(bad.data_frame(stream, b"a whole frame").serialize()[:15])
        self.b.until_body(served, 6)
        bad.close()
        self.assertEqual(self.b.until_reset(served), h2.CANCEL)
        self.assertEqual(self.b.on(served).body, b"a whol")
        self.works()


class Timeouts(EdgeTest):
    def test_absurd_values_are_the_backends_to_refuse(self):
        self.start()
        values = ("99999999H", "-1S", "abc", "", "S", "1", "+1S", "1.5S",
                  "123456789S", "1 S", "1s")
        for value in values:
            with self.subTest(value=value):
                stream, served = self.call(more=[("grpc-timeout", value)])
                self.assertEqual(self.b.on(served).get("grpc-timeout"), value)
                self.b.answer(served)
                self.assertEqual(self.c.finish(stream).body, b"answer")
        self.assert_counted(OK=len(values))

    def test_nothing_is_a_deadline_that_has_passed(self):
        self.start()
        for value in ("0n", "0S", "1n"):
            with self.subTest(value=value):
                stream, served = self.call(more=[("grpc-timeout", value)])
                answer = self.c.finish(stream)
                self.assertEqual(answer.get("grpc-status"), "4")
                self.assertIn(value, answer.get("grpc-message"))
                self.assertEqual(self.b.until_reset(served), h2.CANCEL)
        self.assert_counted(DEADLINE_EXCEEDED=3)

    def test_after_headers_the_status_comes_behind_the_body(self):
        self.start()
        stream, served = self.call(more=[("grpc-timeout", "300m")])
        self.b.respond(served)
        self.b.data(served, b"part")
        answer = self.c.finish(stream)
        self.assertEqual(answer.body, b"part")
        self.assertEqual(answer.get("grpc-status"), "4")
        self.assertEqual(self.b.until_reset(served), h2.CANCEL)
        self.assert_counted(DEADLINE_EXCEEDED=1)

    def test_of_a_call_that_is_not_grpc_is_504(self):
        self.start()
        stream, served = self.call(
            grpc=False, more=[("grpc-timeout", "100m")]
        )
        self.assertEqual(self.c.finish(stream).get(":status"), "504")
        self.assertEqual(self.b.until_reset(served), h2.CANCEL)
        self.assert_counted(HTTP_504=1)


if __name__ == "__main__":
    unittest.main()
