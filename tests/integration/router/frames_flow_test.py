# SPDX-License-Identifier: Apache-2.0
"""Windows: what one side does not take, the other may not send, and no window
is lost on the way."""

import unittest

from http2_peer import (
    CANCEL, FLOW_CONTROL_ERROR, INITIAL_WINDOW_SIZE, EdgeTest
)

WINDOW = 16 * 1024
SMALL = f"limits: {{stream_window: {WINDOW}}}"
MUCH = 64 << 20


class Pressure(EdgeTest):
    def test_a_backend_without_a_window_stops_the_client(self):
        self.start(more=SMALL, settings={INITIAL_WINDOW_SIZE: 0})
        self.b.sync()
        stream = self.c.request()
        served = self.b.next_request()
        self.c.sync()
        self.assertEqual(self.c.settings[INITIAL_WINDOW_SIZE], WINDOW)
        self.c.data(stream, b"r" * WINDOW)
        self.sync()
        # The router has it all and offers no more.
        self.assertNotIn(stream, self.c.credit)
        self.assertEqual(self.b.on(served).body, b"")
        # Other calls of both connections go on.
        self.works()
        # One more, for the end: nghttp2 sends none without a window.
        self.b.window(served, WINDOW + 1)
        self.b.until_body(served, WINDOW)
        self.c.until(lambda: self.c.credit.get(stream, 0) > 0)
        self.c.sync()
        self.assertLessEqual(self.c.credit[stream], WINDOW)
        self.c.data(stream, end=True)
        self.b.finish(served)
        self.b.answer(served)

    def test_more_than_the_window_is_the_clients_error(self):
        self.start(more=SMALL, settings={INITIAL_WINDOW_SIZE: 0})
        self.b.sync()
        stream = self.c.request()
        served = self.b.next_request()
        self.c.sync()
        self.c.data(stream, b"r" * WINDOW)
        self.c.data(stream, b"r")
        self.assertEqual(
            self.c.until_reset(stream), FLOW_CONTROL_ERROR
        )
        self.assertEqual(self.b.until_reset(served), CANCEL)
        self.works()

    def test_a_slow_reader_stops_the_backends_stream(self):
        self.start(more=SMALL)
        self.c.set({INITIAL_WINDOW_SIZE: 0})
        stream, served = self.call()
        self.b.sync()
        self.b.respond(served)
        self.b.data(served, b"a" * WINDOW)
        self.b.trailers(served)
        self.b.sync()
        self.c.sync()
        self.assertNotIn(served, self.b.credit)
        self.assertEqual(self.c.on(stream).body, b"")
        self.c.window(stream, WINDOW)
        response = self.c.finish(stream)
        self.assertEqual(len(response.body), WINDOW)
        self.assertEqual(response.get("grpc-status"), "0")

    def test_byte_by_byte(self):
        """A client whose window is one byte, opened a byte at a time."""
        self.start()
        self.c.set({INITIAL_WINDOW_SIZE: 1})
        stream, served = self.call()
        body = bytes(range(50))
        self.b.respond(served)
        self.b.data(served, body)
        self.b.trailers(served)
        for size in range(1, len(body)):
            response = self.c.until_body(stream, size)
            self.assertEqual(response.body, body[:size])
            self.c.window(stream, 1)
        self.assertEqual(self.c.finish(stream).body, body)
        self.assertEqual(self.c.on(stream).get("grpc-status"), "0")

    def test_a_window_changed_in_flight(self):
        """Raised, then lowered below what is out: it is negative then."""
        self.start()
        self.c.set({INITIAL_WINDOW_SIZE: 10})
        stream, served = self.call()
        self.b.respond(served)
        self.b.data(served, b"0123456789abcdefghij" + b"x" * 100)
        self.c.until_body(stream, 10)
        self.c.set({INITIAL_WINDOW_SIZE: 15})
        self.c.until_body(stream, 15)
        self.c.set({INITIAL_WINDOW_SIZE: 5})
        self.c.window(stream, 10)
        self.c.sync()
        self.assertEqual(self.c.on(stream).body, b"0123456789abcde")
        self.c.window(stream, 5)
        self.c.until_body(stream, 20)
        self.c.sync()
        self.assertEqual(self.c.on(stream).body, b"0123456789abcdefghij")
        self.c.window(stream, 100)
        self.b.trailers(served)
        self.assertEqual(len(self.c.finish(stream).body), 120)

    def test_trailers_need_no_window(self):
        self.start()
        self.c.set({INITIAL_WINDOW_SIZE: 0})
        stream, served = self.call()
        self.b.respond(served)
        self.b.trailers(served)
        self.assertEqual(self.c.finish(stream).get("grpc-status"), "0")

    def test_padding_uses_up_no_window_for_good(self):
        """Many times the window of padding alone."""
        self.start(more=SMALL)
        self.c.sync()
        stream = self.c.request()
        served = self.b.next_request()
        left = WINDOW
        for _ in range(2 * WINDOW // 256):
            while left < 256 + 1:
                before = self.c.credit.get(stream, 0)
                self.c.until(lambda: self.c.credit.get(stream, 0) > before)
                left += self.c.credit[stream] - before
            self.c.data(stream, b"x", pad=255)
            left -= 257
        self.c.data(stream, end=True)
        self.assertEqual(
            self.b.finish(served).body, b"x" * (2 * WINDOW // 256)
        )
        self.b.answer(served)
        self.assertEqual(self.c.finish(stream).body, b"answer")


class Accounts(EdgeTest):
    """200 streams are reset with data in them, on either side and by either
    end; then 64 MiB pass over the same connections."""

    STREAMS = 200
    SIZE = 60_000

    def send_much(self, sender, stream, receiver, other):
        """64 MiB within the windows that the router opens. The sums are ours:
        a connection's window begins at 65,535, a stream's at its setting."""
        first = sender.settings.get(INITIAL_WINDOW_SIZE, 65535)
        receiver.window(0, 1 << 30)
        receiver.window(other, 1 << 30)
        sent = 0
        while sent < MUCH:
            room = min(
                first + sender.credit.get(stream, 0) - sent,
                65535 + sender.credit[0] - self.spent - sent,
                MUCH - sent,
                16384,
            )
            if room > 0:
                sender.data(stream, bytes(room))
                sent += room
                continue
            receiver.until_body(other, sent)
            credit = dict(sender.credit)
            sender.until(lambda: sender.credit != credit)
        self.assertEqual(len(receiver.until_body(other, MUCH).body), MUCH)

    def spend(self, sender, stream):
        for _ in range(4):
            sender.data(stream, bytes(self.SIZE // 4))
        self.spent += self.SIZE

    def test_of_requests(self):
        self.start(settings={INITIAL_WINDOW_SIZE: 0})
        self.b.sync()
        self.c.sync()
        self.spent = 0
        for i in range(self.STREAMS):
            stream = self.c.request()
            served = self.b.next_request()
            if i % 2:
                self.spend(self.c, stream)
                self.c.reset(stream, CANCEL)
                self.b.until_reset(served)
            else:
                # Half of it comes when the stream is gone.
                self.c.sync()
                self.b.reset(served, CANCEL)
                self.spend(self.c, stream)
                self.c.until_reset(stream)
                self.c.reset(stream, CANCEL)
        stream = self.c.request()
        served = self.b.next_request()
        self.send_much(self.c, stream, self.b, served)
        self.c.data(stream, end=True)
        self.b.finish(served)
        self.b.answer(served)
        self.assertEqual(self.c.finish(stream).body, b"answer")
        self.assert_counted(OK=1, CANCELLED=self.STREAMS)

    def test_of_responses(self):
        self.start()
        self.c.set({INITIAL_WINDOW_SIZE: 0})
        self.b.sync()
        self.spent = 0
        for i in range(self.STREAMS):
            stream, served = self.call()
            self.b.respond(served)
            self.c.until_headers(stream)
            if i % 2:
                self.spend(self.b, served)
                self.b.reset(served, CANCEL)
                self.c.until_reset(stream)
            else:
                self.c.reset(stream, CANCEL)
                self.spend(self.b, served)
                self.b.until_reset(served)
        stream, served = self.call()
        self.b.respond(served)
        self.send_much(self.b, served, self.c, stream)
        self.b.trailers(served)
        self.assertEqual(self.c.finish(stream).get("grpc-status"), "0")
        self.assert_counted(OK=1, CANCELLED=self.STREAMS)


if __name__ == "__main__":
    unittest.main()
