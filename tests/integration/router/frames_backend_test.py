# SPDX-License-Identifier: Apache-2.0
"""What a backend may do to a call, and what the client sees of it.

| the backend | the client | counted |
|---|---|---|
| resets before its headers | the status of the code, trailers-only | the same |
| resets later | a reset with the same code | that status |
| is cut off | UNAVAILABLE, behind what came | UNAVAILABLE |
| says GOAWAY | its calls finish, those not taken UNAVAILABLE | as answered |
| ... while a request waits | it goes to another connection | as answered |
| answers early, resets | the whole answer, then NO_ERROR | as answered |
| breaks HTTP/2 on a stream | INTERNAL, or a reset | INTERNAL |
| breaks HTTP/2 altogether | UNAVAILABLE | UNAVAILABLE |
| limits its streams | requests wait or go elsewhere | as answered |
"""

import unittest

from hyperframe import frame as h2f

import http2_peer as h2
from http2_peer import EdgeTest

STATUSES = {
    h2.REFUSED_STREAM: ("14", "UNAVAILABLE"),
    h2.CANCEL: ("1", "CANCELLED"),
    h2.ENHANCE_YOUR_CALM: ("8", "RESOURCE_EXHAUSTED"),
    h2.INTERNAL_ERROR: ("13", "INTERNAL"),
    h2.NO_ERROR: ("13", "INTERNAL"),
    h2.PROTOCOL_ERROR: ("13", "INTERNAL"),
}


class Resets(EdgeTest):
    def test_before_headers_the_code_becomes_a_status(self):
        self.start()
        counted = {}
        for code, (status, name) in STATUSES.items():
            with self.subTest(code=code):
                stream, served = self.call()
                self.b.reset(served, code)
                message = self.c.finish(stream)
                self.assertEqual(message.frames, ["HeadersFrame"])
                self.assertEqual(message.get("grpc-status"), status)
                self.assertRegex(
                    message.get("grpc-message"),
                    "experiment edge, arm one, backend model: .*reset",
                )
                self.assertTrue(message.get("x-bandit-decision"))
                counted[name] = counted.get(name, 0) + 1
        self.works()
        self.assert_counted(OK=1, **counted)

    def test_before_headers_with_a_request_under_way_the_rest_is_stopped(self):
        self.start()
        stream = self.c.request()
        self.c.data(stream, b"part")
        served = self.b.next_request()
        self.b.reset(served, h2.REFUSED_STREAM)
        message = self.c.finish(stream)
        self.assertEqual(message.get("grpc-status"), "14")
        self.assertEqual(self.c.until_reset(stream), h2.NO_ERROR)
        self.works()

    def test_at_the_deadline_it_is_the_deadlines_end(self):
        """A backend that minds the deadline is quicker than the router, whose
        timers tick every 10 ms."""
        self.start()
        for _ in range(20):
            stream, served = self.call(more=[("grpc-timeout", "1u")])
            self.b.reset(served, h2.CANCEL)
            message = self.c.finish(stream)
            self.assertEqual(message.get("grpc-status"), "4")
            self.assertIn("grpc-timeout 1u", message.get("grpc-message"))
        self.assert_counted(DEADLINE_EXCEEDED=20)

    def test_after_headers_the_code_passes(self):
        self.start()
        for code in STATUSES:
            with self.subTest(code=code):
                stream, served = self.call()
                self.b.respond(served)
                self.c.until_headers(stream)
                self.b.reset(served, code)
                message = self.c.finish(stream)
                self.assertEqual(message.get(":status"), "200")
                self.assertEqual(message.reset, code)
                self.assertFalse(message.ended)
        self.works()
        self.assert_counted(
            OK=1, UNAVAILABLE=1, CANCELLED=1, RESOURCE_EXHAUSTED=1, INTERNAL=3
        )

    def test_after_a_part_of_the_body_the_code_passes(self):
        self.start()
        stream, served = self.call()
        self.b.respond(served)
        self.b.data(served, b"a part")
        self.c.until_body(stream, 6)
        self.b.reset(served, h2.INTERNAL_ERROR)
        message = self.c.finish(stream)
        self.assertEqual(message.body, b"a part")
        self.assertEqual(message.reset, h2.INTERNAL_ERROR)
        self.works()
        self.assert_counted(OK=1, INTERNAL=1)

    def test_of_a_call_that_is_not_grpc_is_an_http_status(self):
        self.start()
        stream, served = self.call(grpc=False)
        self.b.reset(served, h2.REFUSED_STREAM)
        message = self.c.finish(stream)
        self.assertEqual(message.get(":status"), "503")
        self.assertIn(b"backend model", message.body)
        self.assert_counted(HTTP_503=1)


class EarlyAnswers(EdgeTest):
    """The backend answers before it has read the request, as a server does
    that refuses an upload."""

    def test_the_client_gets_the_whole_answer_then_no_error(self):
        self.start()
        stream = self.c.request()
        served = self.b.next_request()
        self.c.data(stream, b"r" * 1000)
        self.b.until_body(served, 1000)
        body = b"a" * 16000
        self.b.respond(served)
        self.b.data(served, body)
        self.b.trailers(served, "9")
        self.b.reset(served, h2.NO_ERROR)
        message = self.c.finish(stream)
        self.assertEqual(message.body, body)
        self.assertEqual(message.get("grpc-status"), "9")
        self.assertEqual(self.c.until_reset(stream), h2.NO_ERROR)
        self.works()
        self.assert_counted(OK=1, FAILED_PRECONDITION=1)

    def test_while_the_client_cannot_take_it_and_goes_on_sending(self):
        self.start()
        self.c.set({h2.INITIAL_WINDOW_SIZE: 10})
        stream = self.c.request()
        served = self.b.next_request()
        self.b.respond(served)
        self.b.data(served, b"0123456789 and more")
        self.b.trailers(served)
        self.b.reset(served, h2.NO_ERROR)
        self.c.until_body(stream, 10)
        self.b.sync()
        # The backend's stream is gone; whatever comes is for nobody.
        self.c.data(stream, b"r" * 16000)
        self.c.data(stream, b"r" * 16000)
        self.c.headers(stream, [("x-request-trailer", "1")], end=True)
        self.c.sync()
        self.c.window(stream, 100)
        message = self.c.finish(stream)
        self.assertEqual(message.body, b"0123456789 and more")
        self.assertEqual(message.get("grpc-status"), "0")
        self.c.set({h2.INITIAL_WINDOW_SIZE: 65535})
        self.works()
        self.assert_counted(OK=2)

    def test_trailers_only_with_the_stream_left_open(self):
        """The backend does not reset; the client's end ends it."""
        self.start()
        stream = self.c.request()
        served = self.b.next_request()
        self.b.respond(served, [("grpc-status", "12")], end=True)
        message = self.c.finish(stream)
        self.assertEqual(message.frames, ["HeadersFrame"])
        self.c.data(stream, b"rest")
        self.b.until_body(served, 4)
        self.c.data(stream, end=True)
        self.assertTrue(self.b.finish(served).ended)
        self.works()
        self.assert_counted(OK=1, UNIMPLEMENTED=1)

    def test_a_backend_that_has_answered_and_reads_no_more_is_let_go(self):
        """The rest of the request would wait for its window for ever."""
        self.start(settings={h2.INITIAL_WINDOW_SIZE: 10})
        stream = self.c.request()
        served = self.b.next_request()
        self.c.data(stream, b"r" * 1000, end=True)
        self.b.until_body(served, 10)
        self.b.answer(served)
        self.assertEqual(self.c.finish(stream).get("grpc-status"), "0")
        self.assertEqual(self.b.until_reset(served), h2.CANCEL)
        self.works()

    def test_a_deadline_after_the_answer_ends_both_streams(self):
        self.start()
        stream = self.c.request(more=[("grpc-timeout", "200m")])
        served = self.b.next_request()
        self.b.respond(served, [("grpc-status", "12")], end=True)
        self.assertEqual(self.c.finish(stream).get("grpc-status"), "12")
        self.assertEqual(self.b.until_reset(served), h2.CANCEL)
        self.assertEqual(self.c.until_reset(stream), h2.NO_ERROR)
        self.assert_counted(UNIMPLEMENTED=1)


class Cuts(EdgeTest):
    """The backend's connection is gone, without a word."""

    def unavailable(self, stream):
        message = self.c.finish(stream)
        self.assertEqual(message.get("grpc-status"), "14")
        self.assertIn("backend model: ", message.get("grpc-message"))
        return message

    def test_before_headers(self):
        self.start()
        stream, _ = self.call()
        self.b.close()
        message = self.unavailable(stream)
        self.assertEqual(message.frames, ["HeadersFrame"])
        stream = self.c.request(end=True)
        self.b = self.accept()
        self.b.answer(self.b.next_request())
        self.assertEqual(self.c.finish(stream).body, b"answer")
        self.assert_counted(OK=1, UNAVAILABLE=1)

    def test_after_headers_and_a_part_of_the_body(self):
        self.start()
        stream, served = self.call()
        self.b.respond(served)
        self.b.data(served, b"part")
        self.b.close()
        message = self.unavailable(stream)
        self.assertEqual(message.body, b"part")
        self.assertEqual(
            message.frames, ["HeadersFrame", "DataFrame", "HeadersFrame"]
        )
        self.assert_counted(UNAVAILABLE=1)

    def test_in_mid_frame_what_came_is_passed(self):
        self.start()
        stream, served = self.call()
        self.b.respond(served)
        frame = self.b.data_frame(served, b"part of a frame").serialize()
        self.b.raw(frame[:13])
        self.b.close()
        self.assertEqual(self.unavailable(stream).body, b"part")
        self.assert_counted(UNAVAILABLE=1)

    def test_in_the_middle_of_the_header_section(self):
        self.start()
        stream, served = self.call()
        frames = self.b.headers_frames(
            served, [(":status", "200"), ("x-a", "b" * 100)], pieces=2
        )
        self.b.raw(frames[0].serialize() + frames[1].serialize()[:20])
        self.b.close()
        message = self.unavailable(stream)
        self.assertIsNone(message.get("x-a"))
        self.assert_counted(UNAVAILABLE=1)

    def test_a_call_that_is_not_grpc_is_reset_once_it_has_begun(self):
        self.start()
        stream, served = self.call(grpc=False)
        self.b.respond(served, grpc=False)
        self.b.data(served, b"part")
        self.c.until_body(stream, 4)
        self.b.close()
        self.assertEqual(self.c.until_reset(stream), h2.INTERNAL_ERROR)

    def test_a_client_that_still_sends_is_stopped(self):
        self.start()
        stream = self.c.request()
        self.c.data(stream, b"part")
        self.b.next_request()
        self.b.close()
        self.unavailable(stream)
        self.assertEqual(self.c.until_reset(stream), h2.NO_ERROR)


class GoAway(EdgeTest):
    def test_a_call_that_was_taken_finishes(self):
        self.start()
        stream, served = self.call()
        self.b.respond(served)
        self.b.say_goaway(served)
        self.b.sync()
        other = self.c.request(end=True)
        second = self.accept()
        second.answer(second.next_request())
        self.assertEqual(self.c.finish(other).body, b"answer")
        self.b.data(served, b"late")
        self.b.trailers(served)
        message = self.c.finish(stream)
        self.assertEqual(message.body, b"late")
        self.assertEqual(message.get("grpc-status"), "0")
        # Its last call is over: the router hangs up.
        self.b.until_lost()
        self.works(backend=second)
        self.assert_counted(OK=3)

    def test_a_call_that_was_not_taken_is_unavailable(self):
        self.start()
        first, served = self.call()
        second, _ = self.call()
        self.b.say_goaway(served, h2.NO_ERROR)
        message = self.c.finish(second)
        self.assertEqual(message.get("grpc-status"), "14")
        self.assertIn("backend model: ", message.get("grpc-message"))
        self.b.answer(served)
        self.assertEqual(self.c.finish(first).get("grpc-status"), "0")
        self.b.until_lost()
        self.assert_counted(OK=1, UNAVAILABLE=1)

    def test_a_request_that_waits_goes_to_another_connection(self):
        """It was never sent: nothing is repeated."""
        self.start()
        # Both are in the connection before it says that it takes one.
        first, served = self.call()
        self.b.set({h2.MAX_CONCURRENT_STREAMS: 1})
        more = [self.accept_with_one_stream() for _ in range(31)]
        waiting = self.c.request()
        self.c.data(waiting, b"waits", end=True)
        self.sync()
        # All are as full: it waits in the first.
        self.assertEqual(len(self.b.requests), 1)
        self.b.say_goaway(served)
        moved = self.accept()
        again = moved.next_request()
        self.assertEqual(moved.finish(again).body, b"waits")
        moved.answer(again)
        self.assertEqual(self.c.finish(waiting).body, b"answer")
        self.b.answer(served)
        self.assertEqual(self.c.finish(first).body, b"answer")
        for stream, peer, other in more:
            peer.answer(other)
            self.assertEqual(self.c.finish(stream).body, b"answer")
        self.assert_counted(OK=33)

    def accept_with_one_stream(self):
        """A connection that has one, which is all it takes."""
        stream = self.c.request(end=True)
        peer = self.accept({h2.MAX_CONCURRENT_STREAMS: 1})
        served = peer.next_request()
        peer.sync()
        return stream, peer, served

    def test_connections_that_drain_do_not_use_up_the_pool(self):
        """Long streams on more connections than the pool may have."""
        self.start()
        peer = self.b
        under_way = []
        for _ in range(33):
            stream = self.c.request()
            served = peer.next_request()
            peer.respond(served)
            self.c.until_headers(stream)
            under_way.append((stream, peer, served))
            peer.say_goaway(served)
            peer.sync()
            following = self.c.request(end=True)
            peer = self.accept()
            peer.answer(peer.next_request())
            self.assertEqual(self.c.finish(following).body, b"answer")
        for stream, peer, served in under_way:
            self.c.data(stream, end=True)
            peer.finish(served)
            peer.trailers(served)
            self.assertEqual(self.c.finish(stream).get("grpc-status"), "0")
            peer.until_lost()

    def test_goaway_twice_as_grpc_servers_say_it(self):
        """First with the highest number, then with the last they took."""
        self.start()
        stream, served = self.call()
        self.b.say_goaway((1 << 31) - 1)
        self.b.sync()
        self.b.say_goaway(served)
        self.b.answer(served)
        self.assertEqual(self.c.finish(stream).body, b"answer")
        self.b.until_lost()


class Limits(EdgeTest):
    ONE = {h2.MAX_CONCURRENT_STREAMS: 1}

    def test_one_stream_at_a_time_and_five_requests(self):
        """Each has a connection of its own."""
        self.start(settings=self.ONE)
        peers = [self.b]
        calls = []
        for _ in range(5):
            peers[-1].sync()
            stream = self.c.request(end=True)
            if calls:
                peers.append(self.accept(self.ONE))
            calls.append((stream, peers[-1], peers[-1].next_request()))
        for stream, peer, served in calls:
            peer.answer(served)
            self.assertEqual(self.c.finish(stream).body, b"answer")
        self.assert_counted(OK=5)

    def test_requests_sent_before_the_limit_was_known_wait_their_turn(self):
        """The burst comes while the connection is being made."""
        self.start()
        self.b.say_goaway(0)
        self.b.until_lost()
        streams = [self.c.request(end=True) for _ in range(5)]
        self.c.sync()
        self.b = self.accept(self.ONE)
        for i in range(5):
            served = self.b.next_request()
            self.b.sync()
            self.assertEqual(len(self.b.requests), i + 1)
            self.b.answer(served)
        for stream in streams:
            self.assertEqual(self.c.finish(stream).body, b"answer")
        self.assert_counted(OK=5)

    def test_lowered_in_mid_connection_the_pool_grows(self):
        self.start()
        first, served = self.call()
        self.b.set(self.ONE)
        second = self.c.request(end=True)
        other = self.accept()
        other.answer(other.next_request())
        self.assertEqual(self.c.finish(second).body, b"answer")
        self.b.answer(served)
        self.assertEqual(self.c.finish(first).body, b"answer")

    def test_none_at_first_then_raised(self):
        self.start()
        self.b.say_goaway(0)
        self.b.until_lost()
        stream = self.c.request(end=True)
        self.b = self.accept({h2.MAX_CONCURRENT_STREAMS: 0})
        self.b.sync()
        self.assertEqual(self.b.requests, [])
        self.b.set({h2.MAX_CONCURRENT_STREAMS: 5})
        self.b.answer(self.b.next_request())
        self.assertEqual(self.c.finish(stream).body, b"answer")
        self.assert_counted(OK=1)

    def test_a_waiting_request_keeps_its_deadline_and_is_not_sent_after(self):
        self.start()
        self.b.say_goaway(0)
        self.b.until_lost()
        # Two in the connection before it says that it takes one.
        first = self.c.request(end=True)
        late = self.c.request(end=True, more=[("grpc-timeout", "200m")])
        self.c.sync()
        self.b = self.accept(self.ONE)
        served = self.b.next_request()
        self.assertEqual(self.c.finish(late).get("grpc-status"), "4")
        self.b.answer(served)
        self.assertEqual(self.c.finish(first).body, b"answer")
        self.works()
        self.assertEqual(len(self.b.requests), 2)
        self.assert_counted(OK=2, DEADLINE_EXCEEDED=1)

    def test_a_waiting_request_that_is_cancelled_is_gone_at_once(self):
        self.start()
        self.b.say_goaway(0)
        self.b.until_lost()
        first = self.c.request(end=True)
        given_up = self.c.request(end=True)
        self.c.sync()
        self.b = self.accept(self.ONE)
        served = self.b.next_request()
        self.c.reset(given_up, h2.CANCEL)
        self.sync()
        # It takes no room in the pool: once the call is over the next one
        # goes here rather than to a new connection.
        self.b.answer(served)
        self.assertEqual(self.c.finish(first).body, b"answer")
        self.b.sync()
        self.works()
        self.assert_counted(OK=2, CANCELLED=1)


class Malformed(EdgeTest):
    """HTTP/2 that is none."""

    def test_on_a_stream_before_its_response_is_internal(self):
        self.start()
        cases = {
            "an upper-case name": [(":status", "200"), ("X-Upper", "1")],
            "no status": [("content-type", "application/grpc")],
            "a status that is no number": [(":status", "2x0")],
            "connection": [(":status", "200"), ("connection", "close")],
            "a pseudo-header last": [("x-a", "1"), (":status", "200")],
        }
        good, good_served = self.call()
        for name, fields in cases.items():
            with self.subTest(name):
                stream, served = self.call()
                self.b.headers(served, fields)
                message = self.c.finish(stream)
                self.assertEqual(message.get("grpc-status"), "13")
                self.assertIn("PROTOCOL_ERROR", message.get("grpc-message"))
                self.assertEqual(
                    self.b.until_reset(served), h2.PROTOCOL_ERROR
                )
        self.b.answer(good_served)
        self.assertEqual(self.c.finish(good).get("grpc-status"), "0")
        self.assert_counted(OK=1, INTERNAL=len(cases))

    def test_a_wrong_content_length_resets_the_call_alone(self):
        self.start()
        good, good_served = self.call()
        stream, served = self.call()
        self.b.respond(served, [("content-length", "3")])
        self.b.data(served, b"more than three")
        self.assertEqual(self.b.until_reset(served), h2.PROTOCOL_ERROR)
        self.assertEqual(self.c.until_reset(stream), h2.PROTOCOL_ERROR)
        self.b.answer(good_served)
        self.assertEqual(self.c.finish(good).get("grpc-status"), "0")
        self.assert_counted(OK=1, INTERNAL=1)

    def test_of_the_connection_makes_its_calls_unavailable(self):
        cases = {
            "data on stream 0": (
                b"\x00\x00\x01\x00\x00\x00\x00\x00\x00x", h2.PROTOCOL_ERROR
            ),
            "a frame that is too long": (
                b"\x01\x00\x00\x00\x00\x00\x00\x00\x01", h2.FRAME_SIZE_ERROR
            ),
            "settings of five bytes": (
                b"\x00\x00\x05\x04\x00\x00\x00\x00\x00abcde",
                h2.FRAME_SIZE_ERROR,
            ),
            "fields that are no HPACK": (
                b"\x00\x00\x02\x01\x05\x00\x00\x00\x01\xff\xff",
                h2.COMPRESSION_ERROR,
            ),
            "a push": (
                b"\x00\x00\x04\x05\x04\x00\x00\x00\x01\x00\x00\x00\x02",
                h2.PROTOCOL_ERROR,
            ),
            "a window of 2^31": (
                b"\x00\x00\x04\x08\x00\x00\x00\x00\x00\x7f\xff\xff\xff",
                h2.FLOW_CONTROL_ERROR,
            ),
        }
        self.start()
        for name, (junk, code) in cases.items():
            with self.subTest(name):
                streams = [self.call()[0] for _ in range(3)]
                self.b.raw(junk)
                for stream in streams:
                    message = self.c.finish(stream)
                    self.assertEqual(message.get("grpc-status"), "14")
                    self.assertRegex(
                        message.get("grpc-message"),
                        "backend model: .*HTTP/2",
                    )
                self.assertEqual(self.b.until_lost(), code)
                stream = self.c.request(end=True)
                self.b = self.accept()
                self.b.answer(self.b.next_request())
                self.assertEqual(self.c.finish(stream).body, b"answer")
        self.assert_counted(OK=len(cases), UNAVAILABLE=3 * len(cases))

    def test_a_server_of_http_1_is_unavailable(self):
        self.start()
        self.b.say_goaway(0)
        self.b.until_lost()
        stream = self.c.request(end=True)
        # What was not sent yet is given to another connection, once.
        for _ in range(2):
            sock, _ = self.listener.accept()
            with sock:
                sock.settimeout(h2.TIMEOUT)
                sock.recv(24)
                sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                sock.recv(1 << 16)
        message = self.c.finish(stream)
        self.assertEqual(message.get("grpc-status"), "14")
        self.assertRegex(message.get("grpc-message"), "model: .*HTTP/2")

    def test_frames_of_unknown_types_are_passed_over(self):
        self.start()
        stream, served = self.call()
        self.b.raw(b"\x00\x00\x03\xee\x00\x00\x00\x00\x01abc")
        self.b.send(h2f.PriorityFrame(served, depends_on=0, stream_weight=3))
        self.b.answer(served)
        self.assertEqual(self.c.finish(stream).body, b"answer")


if __name__ == "__main__":
    unittest.main()
