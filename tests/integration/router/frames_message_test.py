# SPDX-License-Identifier: Apache-2.0
"""What passes, whatever its shape on the wire: framing, metadata, trailers,
and HTTP/2 that is not gRPC."""

import unittest

import http2_peer as h2
from http2_peer import EdgeTest

OURS = ("x-bandit-decision", "x-bandit-arm", "x-bandit-experiment")


class Framing(EdgeTest):
    def test_interim_responses_pass_each_in_its_turn(self):
        self.start()
        stream, served = self.call()
        self.b.headers(served, [(":status", "100")])
        self.b.headers(served, [(":status", "103"), ("link", "</a>")])
        self.b.headers(served, [(":status", "103"), ("link", "</b>")])
        self.b.answer(served)
        response = self.c.finish(stream)
        self.assertEqual(
            response.interim,
            [
                [(":status", "100")],
                [(":status", "103"), ("link", "</a>")],
                [(":status", "103"), ("link", "</b>")],
            ],
        )
        self.assertEqual(response.body, b"answer")
        self.assertEqual(response.get("grpc-status"), "0")
        self.assert_counted(OK=1)

    def test_trailers_only(self):
        self.start()
        stream, served = self.call()
        self.b.respond(
            served, [("grpc-status", "5"), ("grpc-message", "gone")], end=True
        )
        response = self.c.finish(stream)
        self.assertEqual(response.frames, ["HeadersFrame"])
        self.assertEqual(response.get("grpc-message"), "gone")
        self.assertTrue(response.get("x-bandit-decision"))
        self.assert_counted(NOT_FOUND=1)

    def test_trailers_after_an_empty_body(self):
        self.start()
        for empty in (0, 3):
            with self.subTest(empty=empty):
                stream, served = self.call()
                self.b.respond(served)
                for _ in range(empty):
                    self.b.data(served)
                self.b.trailers(served, "5")
                response = self.c.finish(stream)
                self.assertEqual(response.body, b"")
                self.assertEqual(response.trailers, [("grpc-status", "5")])
        self.assert_counted(NOT_FOUND=2)

    def test_trailers_without_a_field(self):
        self.start()
        stream, served = self.call(grpc=False)
        self.b.respond(served, grpc=False)
        self.b.data(served, b"all")
        self.b.headers(served, [], end=True)
        response = self.c.finish(stream)
        self.assertEqual(response.body, b"all")
        self.assertFalse(response.trailers)
        self.assert_counted(HTTP_200=1)

    def test_empty_data_frames_between(self):
        self.start()
        stream = self.c.request()
        served = self.b.next_request()
        for part in (b"", b"one", b"", b"", b"two", b""):
            self.c.data(stream, part)
        self.c.data(stream, end=True)
        self.assertEqual(self.b.finish(served).body, b"onetwo")
        self.b.respond(served)
        for part in (b"", b"three", b"", b"four", b""):
            self.b.data(served, part)
        self.b.trailers(served)
        self.assertEqual(self.c.finish(stream).body, b"threefour")

    def test_padding_stays_behind(self):
        self.start()
        stream = self.c.request(pad_length=200)
        self.c.data(stream, b"one", pad=255)
        self.c.data(stream, b"", pad=10)
        self.c.data(stream, b"two", end=True, pad=0)
        served = self.b.next_request()
        self.assertEqual(self.b.finish(served).body, b"onetwo")
        self.b.headers(
            served,
            [(":status", "200"), ("content-type", "application/grpc")],
            pad_length=100,
        )
        self.b.data(served, b"three", pad=77)
        self.b.headers(served, [("grpc-status", "0")], True, pad_length=3)
        response = self.c.finish(stream)
        self.assertEqual(response.body, b"three")
        self.assertEqual(response.get("grpc-status"), "0")

    def test_sections_in_continuation_frames(self):
        self.start()
        many = [("x-%d" % i, "v" * 40) for i in range(50)]
        stream = self.c.request(more=many, end=True, pieces=7)
        served = self.b.next_request()
        self.assertEqual(self.b.on(served).fields[-50:], many)
        fields = [(":status", "200"), ("content-type", "application/grpc")]
        self.b.headers(served, fields + many, pieces=5)
        self.b.headers(
            served, [("grpc-status", "0"), *many], end=True, pieces=6
        )
        response = self.c.finish(stream)
        self.assertEqual([f for f in response.fields if f in many], many)
        self.assertEqual(response.trailers, [("grpc-status", "0"), *many])

    def test_a_section_in_single_bytes(self):
        """As the slowest network would bring it."""
        self.start()
        frames = self.c.headers_frames(
            1,
            [
                (":method", "POST"),
                (":scheme", "http"),
                (":path", "/edge.Service/Call"),
                (":authority", "edge"),
                ("content-type", "application/grpc"),
            ],
            end=True,
        )
        for byte in b"".join(frame.serialize() for frame in frames):
            self.c.raw(bytes([byte]))
        self.b.answer(self.b.next_request())
        self.assertEqual(self.c.finish(1).body, b"answer")


class HeaderLists(EdgeTest):
    """Large sections, up to the limit and past it, in both directions."""

    # Octets and 32 a field are counted; the rest of the section is small.
    FITS = [("x-large-%d" % i, "v" * 8000) for i in range(8)]

    def test_just_below_the_default_limit_pass(self):
        self.start()
        stream, served = self.call(more=self.FITS)
        self.assertEqual(self.b.on(served).fields[-8:], self.FITS)
        self.b.respond(served, self.FITS)
        self.b.trailers(served, more=self.FITS)
        response = self.c.finish(stream)
        self.assertEqual(
            [f for f in response.fields if f in self.FITS], self.FITS
        )
        self.assertEqual(response.trailers[1:], self.FITS)
        self.assertTrue(response.get("x-bandit-decision"))

    def test_as_large_as_a_raised_limit_allows_pass(self):
        self.start(more="limits: {max_header_list: 160KiB}")
        # In at most nine frames, which is all that nghttp2 takes.
        large = [("x-large-%d" % i, "v" * 8000) for i in range(16)]
        stream, served = self.call(more=large, pieces=9)
        self.assertEqual(self.b.on(served).fields[-16:], large)
        fields = [(":status", "200"), ("content-type", "application/grpc")]
        self.b.headers(served, fields + large, pieces=9)
        self.b.trailers(served)
        response = self.c.finish(stream)
        self.assertEqual([f for f in response.fields if f in large], large)

    def test_of_a_response_above_it_is_internal(self):
        self.start(more="limits: {max_header_list: 8KiB}")
        stream, served = self.call()
        self.b.respond(served, [("x-large", "v" * 9000)])
        self.b.data(served, b"for nobody")
        self.b.trailers(served)
        response = self.c.finish(stream)
        self.assertEqual(response.frames, ["HeadersFrame"])
        self.assertEqual(response.get("grpc-status"), "13")
        self.assertIn(
            "limits.max_header_list = 8192", response.get("grpc-message")
        )
        self.works()
        self.assert_counted(OK=1, INTERNAL=1)

    def test_of_trailers_above_it_is_internal_behind_the_body(self):
        """Cut short they would lack a status, or a detail of it."""
        self.start(more="limits: {max_header_list: 8KiB}")
        stream, served = self.call()
        self.b.respond(served)
        self.b.data(served, b"body")
        self.b.trailers(served, "5", [("x-large", "v" * 9000)])
        response = self.c.finish(stream)
        self.assertEqual(response.body, b"body")
        self.assertEqual(response.get("grpc-status"), "13")
        self.assertIn("trailers", response.get("grpc-message"))
        self.works()
        self.assert_counted(OK=1, INTERNAL=1)


class Metadata(EdgeTest):
    SENT = [
        ("x-twice", "b"),
        ("x-text", "  inner  kept"),
        ("x-twice", "a"),
        ("x-raw-bin", "AP+A"),
        ("x-raw-bin", "AQ,Ag=="),
        ("x-empty", ""),
        ("x-twice", "b"),
        ("x-latin", "caf\u00e9"),
        ("cookie", "a=1"),
        ("cookie", "b=2"),
        ("grpc-encoding", "identity"),
        ("traceparent", "00-1-2-01"),
    ]

    def test_repeated_keys_keep_values_and_order_in_both_directions(self):
        self.start()
        sent = [(k, v.strip()) for k, v in self.SENT]
        encoded = [(k, v.encode("latin-1")) for k, v in sent]
        stream, served = self.call(more=encoded)
        received = self.b.on(served).fields
        self.assertEqual(received[-len(sent) :], sent)
        self.b.respond(served, encoded)
        self.b.trailers(served, more=encoded)
        response = self.c.finish(stream)
        passed = [f for f in response.fields[2:] if f[0] not in OURS]
        self.assertEqual(passed, sent)
        self.assertEqual(response.trailers[1:], sent)

    def test_te_trailers_and_authority_pass(self):
        self.start()
        _, served = self.call()
        request = self.b.on(served)
        self.assertEqual(request.get("te"), "trailers")
        self.assertEqual(request.get(":authority"), "edge")
        self.assertEqual(request.get(":scheme"), "http")

    def test_what_no_experiment_took_is_passed_without_addition(self):
        self.start()
        stream, served = self.call(path="/other.Service/Call")
        self.b.answer(served)
        response = self.c.finish(stream)
        self.assertEqual(
            response.fields,
            [(":status", "200"), ("content-type", "application/grpc")],
        )
        self.assert_counted(experiment="", OK=1)

    def test_host_instead_of_authority_passes(self):
        self.start()
        self.c.headers(
            1,
            [
                (":method", "POST"),
                (":scheme", "http"),
                (":path", "/edge.Service/Call"),
                ("host", "edge"),
            ],
            end=True,
        )
        served = self.b.next_request()
        self.assertEqual(self.b.on(served).get("host"), "edge")
        self.b.answer(served)
        self.assertEqual(self.c.finish(1).body, b"answer")


class MissingStatus(EdgeTest):
    """A gRPC response that ends without trailers. It passes as it came: the
    client's library has its own word for it (UNKNOWN, or INTERNAL in Go), and
    Envoy adds none either. It is counted as UNKNOWN."""

    def test_behind_a_body(self):
        self.start()
        stream, served = self.call()
        self.b.respond(served)
        self.b.data(served, b"body", end=True)
        response = self.c.finish(stream)
        self.assertEqual(response.body, b"body")
        self.assertTrue(response.ended)
        self.assertIsNone(response.trailers)
        self.assert_counted(UNKNOWN=1)

    def test_with_the_headers(self):
        self.start()
        stream, served = self.call()
        self.b.respond(served, end=True)
        response = self.c.finish(stream)
        self.assertEqual(response.frames, ["HeadersFrame"])
        self.assertIsNone(response.get("grpc-status"))
        self.assert_counted(UNKNOWN=1)

    def test_trailers_without_a_status(self):
        self.start()
        stream, served = self.call()
        self.b.respond(served)
        self.b.headers(served, [("x-a", "1")], end=True)
        self.assertEqual(self.c.finish(stream).trailers, [("x-a", "1")])
        self.assert_counted(UNKNOWN=1)

    def test_a_proxys_page_is_counted_by_its_http_status(self):
        self.start()
        stream, served = self.call()
        self.b.headers(served, [(":status", "503"), ("content-type", "text")])
        self.b.data(served, b"down", end=True)
        self.assertEqual(self.c.finish(stream).get(":status"), "503")
        self.assert_counted(HTTP_503=1)


class PlainHttp(EdgeTest):
    def test_get_and_post_pass(self):
        self.start()
        for method, body in (("GET", b""), ("POST", b"form"), ("PUT", b"x")):
            with self.subTest(method):
                stream = self.c.request("/a?q=1", grpc=False, method=method)
                self.c.data(stream, body, end=True)
                served = self.b.next_request()
                request = self.b.finish(served)
                self.assertEqual(request.get(":method"), method)
                self.assertEqual(request.get(":path"), "/a?q=1")
                self.assertEqual(request.body, body)
                self.b.respond(
                    served, [("content-length", "4")], grpc=False
                )
                self.b.data(served, b"page", end=True)
                response = self.c.finish(stream)
                self.assertEqual(response.body, b"page")
                self.assertEqual(response.get("content-length"), "4")
        self.assert_counted(experiment="", HTTP_200=3)

    def test_head_has_a_length_and_no_body(self):
        self.start()
        stream, served = self.call(path="/a", grpc=False, method="HEAD")
        self.b.respond(
            served, [("content-length", "400")], end=True, grpc=False
        )
        response = self.c.finish(stream)
        self.assertEqual(response.frames, ["HeadersFrame"])
        self.assertEqual(response.get("content-length"), "400")
        self.assert_counted(experiment="", HTTP_200=1)

    def test_an_error_of_the_routers_own_to_head_has_no_body(self):
        self.start()
        stream, served = self.call(path="/a", grpc=False, method="HEAD")
        self.b.reset(served, h2.REFUSED_STREAM)
        response = self.c.finish(stream)
        self.assertEqual(response.frames, ["HeadersFrame"])
        self.assertEqual(response.get(":status"), "503")
        self.assert_counted(experiment="", HTTP_503=1)

    def test_statuses_without_a_body(self):
        self.start()
        for status in ("204", "304"):
            with self.subTest(status):
                stream, served = self.call(
                    path="/a", grpc=False, method="GET"
                )
                self.b.respond(served, status=status, end=True, grpc=False)
                response = self.c.finish(stream)
                self.assertEqual(response.frames, ["HeadersFrame"])
                self.assertEqual(response.get(":status"), status)
        self.assert_counted(experiment="", HTTP_204=1, HTTP_304=1)

    def test_trailers_of_a_request_and_response(self):
        self.start()
        stream = self.c.request("/a", grpc=False)
        self.c.data(stream, b"body")
        self.c.headers(stream, [("x-sum", "1")], end=True)
        served = self.b.next_request()
        self.assertEqual(self.b.finish(served).trailers, [("x-sum", "1")])
        self.b.respond(served, grpc=False)
        self.b.data(served, b"page")
        self.b.headers(served, [("x-sum", "2")], end=True)
        self.assertEqual(self.c.finish(stream).trailers, [("x-sum", "2")])


if __name__ == "__main__":
    unittest.main()
