# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 peers that follow a script, frame by frame.

A `Peer` is one end of a connection, as client or as server. It says nothing of
its own accord but the answers to SETTINGS and PING, so the test decides when
each frame goes. Frames are coded by hyperframe and header fields by hpack: no
part of the router's HTTP/2 judges itself.

Nothing here sleeps. A peer that waits, waits for a frame; that something does
*not* come is known after `sync`, a PING that comes back behind it.
"""

import socket
import threading
import urllib.request
from dataclasses import dataclass, field

from hpack import Decoder, Encoder
from hyperframe import frame as h2f

from harness import RouterTest

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
TIMEOUT = 60

NO_ERROR = 0x0
PROTOCOL_ERROR = 0x1
INTERNAL_ERROR = 0x2
FLOW_CONTROL_ERROR = 0x3
STREAM_CLOSED = 0x5
FRAME_SIZE_ERROR = 0x6
REFUSED_STREAM = 0x7
CANCEL = 0x8
COMPRESSION_ERROR = 0x9
ENHANCE_YOUR_CALM = 0xB

HEADER_TABLE_SIZE = 0x1
MAX_CONCURRENT_STREAMS = 0x3
INITIAL_WINDOW_SIZE = 0x4


@dataclass
class Message:
    """What came on a stream: a request or a response, whole or cut off."""

    fields: list = None
    interim: list = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    trailers: list = None
    ended: bool = False
    reset: int = None  # The code of the RST_STREAM that came.
    frames: list = field(default_factory=list)  # Their types, in order.

    def get(self, name):
        """The field's only value; None if it is not there."""
        for fields in (self.fields, self.trailers):
            values = [v for k, v in fields or () if k == name]
            assert len(values) <= 1, (name, values)
            if values:
                return values[0]
        return None


class Lost(AssertionError):
    """The other side ended the connection."""


class Peer:
    """One end of a connection; single-threaded."""

    def __init__(self, sock, client, settings=None):
        self.sock = sock
        self.sock.settimeout(TIMEOUT)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.client = client
        self.encoder = Encoder()
        self.decoder = Decoder()
        self.decoder.max_header_list_size = 1 << 24
        self.buffer = bytearray()
        self.messages = {}  # By stream.
        self.requests = []  # Streams that the other side opened, in order.
        self.goaway = None
        self.lost = False
        self.settings = {}  # The other side's.
        # What the other side lets us send: WINDOW_UPDATEs summed by stream.
        self.credit = {0: 0}
        self.acknowledged = 0
        self.pongs = []
        self.pings = 0  # That the other side sent.
        self.section = None  # HEADERS whose CONTINUATIONs are still to come.
        self.next_id = 1
        if client:
            self.raw(PREFACE)
        else:
            while len(self.buffer) < len(PREFACE):
                self.fill()
            assert self.buffer.startswith(PREFACE), bytes(self.buffer)
            del self.buffer[: len(PREFACE)]
        self.send(h2f.SettingsFrame(0, settings=settings or {}))

    # --- sending

    def raw(self, data):
        self.sock.sendall(data)

    def send(self, *frames):
        self.raw(b"".join(frame.serialize() for frame in frames))

    def reply(self, frame):
        """To a peer that may have hung up behind what it asked."""
        try:
            self.send(frame)
        except OSError:
            pass

    def headers_frames(self, stream, fields, end=False, pieces=1, **options):
        """A header section, cut in `pieces` frames or more if it must be."""
        block = self.encoder.encode(fields, huffman=False)
        pieces = max(pieces, -(-len(block) // 16000))
        step = max(-(-len(block) // pieces), 1)
        parts = [block[i : i + step] for i in range(0, len(block), step)]
        parts = parts or [b""]
        first = h2f.HeadersFrame(stream, parts[0], **options)
        if options.get("pad_length"):
            first.flags.add("PADDED")
        if end:
            first.flags.add("END_STREAM")
        frames = [first]
        frames += [h2f.ContinuationFrame(stream, p) for p in parts[1:]]
        frames[-1].flags.add("END_HEADERS")
        return frames

    def headers(self, stream, fields, end=False, **options):
        self.send(*self.headers_frames(stream, fields, end, **options))

    def data_frame(self, stream, data=b"", end=False, pad=None):
        frame = h2f.DataFrame(stream, data, pad_length=pad or 0)
        if pad is not None:
            frame.flags.add("PADDED")
        if end:
            frame.flags.add("END_STREAM")
        return frame

    def data(self, stream, data=b"", end=False, pad=None):
        self.send(self.data_frame(stream, data, end, pad))

    def reset(self, stream, code):
        self.send(h2f.RstStreamFrame(stream, code))

    def say_goaway(self, last_stream, code=NO_ERROR):
        self.send(h2f.GoAwayFrame(0, last_stream, code))

    def window(self, stream, increment):
        self.send(h2f.WindowUpdateFrame(stream, increment))

    def set(self, settings):
        """SETTINGS, and waits until they hold at the other side."""
        due = self.acknowledged + 1
        self.send(h2f.SettingsFrame(0, settings=settings))
        self.until(lambda: self.acknowledged >= due)

    def close(self):
        self.sock.close()

    # --- a client's requests, a server's responses

    def request(self, path="/edge.Service/Call", more=(), end=False,
                grpc=True, method="POST", **options):
        """Opens a stream; its id."""
        stream, self.next_id = self.next_id, self.next_id + 2
        fields = [
            (":method", method),
            (":scheme", "http"),
            (":path", path),
            (":authority", "edge"),
        ]
        if grpc:
            fields += [("te", "trailers"), ("content-type", "application/grpc")]
        self.headers(stream, fields + list(more), end, **options)
        return stream

    def respond(self, stream, more=(), end=False, status="200", grpc=True):
        fields = [(":status", status)]
        if grpc:
            fields.append(("content-type", "application/grpc"))
        self.headers(stream, fields + list(more), end)

    def trailers(self, stream, status="0", more=()):
        self.headers(stream, [("grpc-status", status), *more], end=True)

    def answer(self, stream, body=b"answer"):
        """A whole response with the status OK."""
        self.respond(stream)
        self.data(stream, body)
        self.trailers(stream)

    # --- receiving

    def fill(self):
        try:
            data = self.sock.recv(1 << 18)
        except ConnectionResetError:
            data = b""
        if not data:
            self.lost = True
            raise Lost("the connection was ended")
        self.buffer += data

    def read_frame(self):
        while len(self.buffer) < 9:
            self.fill()
        frame, length = h2f.Frame.parse_frame_header(self.buffer[:9])
        while len(self.buffer) < 9 + length:
            self.fill()
        frame.parse_body(memoryview(bytes(self.buffer[9 : 9 + length])))
        del self.buffer[: 9 + length]
        self.take(frame)
        return frame

    def take(self, frame):
        if isinstance(frame, h2f.SettingsFrame):
            if "ACK" in frame.flags:
                self.acknowledged += 1
            else:
                self.settings.update(frame.settings)
                self.reply(h2f.SettingsFrame(0, flags=["ACK"]))
        elif isinstance(frame, h2f.PingFrame):
            if "ACK" in frame.flags:
                self.pongs.append(frame.opaque_data)
            else:
                self.pings += 1
                self.reply(h2f.PingFrame(0, frame.opaque_data, flags=["ACK"]))
        elif isinstance(frame, h2f.WindowUpdateFrame):
            credit = self.credit.get(frame.stream_id, 0)
            self.credit[frame.stream_id] = credit + frame.window_increment
        elif isinstance(frame, h2f.GoAwayFrame):
            self.goaway = frame
        elif frame.stream_id:
            self.take_message(frame)

    def take_message(self, frame):
        message = self.messages.setdefault(frame.stream_id, Message())
        message.frames.append(type(frame).__name__)
        if isinstance(frame, h2f.RstStreamFrame):
            message.reset = frame.error_code
            return
        if isinstance(frame, h2f.DataFrame):
            message.body += frame.data
        elif isinstance(frame, h2f.HeadersFrame):
            self.section = (frame, bytes(frame.data))
        elif isinstance(frame, h2f.ContinuationFrame):
            first, data = self.section
            self.section = (first, data + bytes(frame.data))
        if "END_HEADERS" in frame.flags:
            (first, data), self.section = self.section, None
            self.take_section(frame.stream_id, message, data)
            message.ended = "END_STREAM" in first.flags
        elif "END_STREAM" in frame.flags and not self.section:
            message.ended = True

    def take_section(self, stream, message, data):
        raw = self.decoder.decode(data, raw=True)
        fields = [(k.decode(), v.decode("latin-1")) for k, v in raw]
        status = dict(fields).get(":status", "")
        if status.startswith("1"):
            message.interim.append(fields)
        elif message.fields is None:
            message.fields = fields
            if not self.client:
                self.requests.append(stream)
        else:
            message.trailers = fields

    def until(self, true):
        """Reads frames until it is; what came stays noted."""
        while not true():
            self.read_frame()

    def on(self, stream):
        return self.messages.setdefault(stream, Message())

    def until_headers(self, stream):
        message = self.on(stream)
        self.until(lambda: message.fields is not None or message.reset)
        return message

    def until_body(self, stream, size):
        message = self.on(stream)
        self.until(
            lambda: len(message.body) >= size or message.reset is not None
        )
        return message

    def finish(self, stream):
        """Until the other side has ended the stream or reset it."""
        message = self.on(stream)
        self.until(lambda: message.ended or message.reset is not None)
        return message

    def until_reset(self, stream):
        """The code of the RST_STREAM."""
        message = self.on(stream)
        self.until(lambda: message.reset is not None)
        return message.reset

    def until_lost(self):
        """Until the other side has closed; its GOAWAY's code, or None."""
        try:
            while True:
                self.read_frame()
        except Lost:
            return None if self.goaway is None else self.goaway.error_code

    def next_request(self):
        """The next stream that the other side opened: its id."""
        taken = getattr(self, "taken", 0)
        self.until(lambda: len(self.requests) > taken)
        self.taken = taken + 1
        return self.requests[taken]

    def sync(self):
        """All that the other side had to say before now has been read."""
        mark = b"%08d" % len(self.pongs)
        self.send(h2f.PingFrame(0, mark))
        self.until(lambda: mark in self.pongs)


class EdgeTest(RouterTest):
    """A router with one worker between peers that the test plays."""

    # Requests for /edge.Service belong to `edge`, those whose model is
    # `ranker` to `held`; others go to the default backend.
    CONFIG = """
workers: 1
state: 'memory:'
backends:
  model: {{address: '{address}', max_connections: 64}}
default_backend: model
learner: {{tick: 10ms}}
{more}
experiments:
  - name: edge
    match: {{service: edge.Service}}
    arms: [{{name: one, backend: model}}]
    policy: {{name: fixed_split}}
    metrics: [{{name: click, kind: binary}}]
  - name: held
    match: {{service: inference.GRPCInferenceService, model: ranker}}
    arms: [{{name: one, backend: model}}]
    policy: {{name: fixed_split}}
    metrics: [{{name: click, kind: binary}}]
"""
    HELD = "/inference.GRPCInferenceService/ModelInfer"

    def start(self, more="", settings=None):
        """The router, a client `c` and the backend's first connection `b`."""
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.listener.settimeout(TIMEOUT)
        self.addCleanup(self.listener.close)
        address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.proxy = self.router(
            self.CONFIG.format(address=address, more=more)
        )
        self.b = self.accept(settings)
        self.c = self.connect()

    def accept(self, settings=None):
        """The backend's side of the next connection that the router opens."""
        sock, _ = self.listener.accept()
        peer = Peer(sock, client=False, settings=settings)
        self.addCleanup(peer.close)
        return peer

    def connect(self, settings=None):
        host, port = self.proxy.listen.split(":")
        sock = socket.create_connection((host, int(port)), TIMEOUT)
        peer = Peer(sock, client=True, settings=settings)
        self.addCleanup(peer.close)
        return peer

    def sync(self, client=None):
        """The router has passed on what the client had sent, and the backend
        has read it: the router's loop serves both in turn."""
        (client or self.c).sync()
        self.b.sync()

    def call(self, **arguments):
        """A request that is whole; its streams at client and backend."""
        stream = self.c.request(end=True, **arguments)
        return stream, self.b.next_request()

    def works(self, client=None, backend=None):
        """A further call passes as if nothing had been."""
        client, backend = client or self.c, backend or self.b
        stream = client.request(end=True)
        backend.answer(backend.next_request())
        message = client.finish(stream)
        self.assertEqual(message.body, b"answer")
        self.assertEqual(message.get("grpc-status"), "0")

    def metrics(self, name, **labels):
        """The sum of the samples whose labels include these."""
        url = f"http://{self.proxy.admin}/metrics"
        with urllib.request.urlopen(url) as page:
            lines = page.read().decode().splitlines()
        return sum(
            float(line.rsplit(" ", 1)[1])
            for line in lines
            if line.startswith(name + "{")
            and all(f'{k}="{v}"' in line for k, v in labels.items())
        )

    def assert_metric(self, name, value, **labels):
        """It comes with the learner's tick, and goes no further."""
        for _ in range(3000):
            if self.metrics(name, **labels) >= value:
                break
            threading.Event().wait(0.01)
        self.assertEqual(self.metrics(name, **labels), value)

    def assert_counted(self, experiment="edge", **codes):
        """`bandit_requests_total` has these and no others, nothing is in
        flight."""
        total = sum(codes.values())
        name = "bandit_requests_total"
        self.assert_metric(name, total, experiment=experiment)
        found = {
            code: self.metrics(name, experiment=experiment, code=code)
            for code in codes
        }
        self.assertEqual(found, codes)
        self.assertEqual(
            self.metrics("bandit_requests_in_flight", experiment=experiment), 0
        )
