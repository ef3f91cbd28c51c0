# SPDX-License-Identifier: Apache-2.0
"""The real router and a model server, for tests with Debian's grpcio.

Messages are bytes: the router parses none, so neither does the test, but for
the control services, whose few messages are written by hand below.
"""

import os
import signal
import struct
import subprocess
import tempfile
import threading
import unittest
from concurrent import futures

import grpc

BINARY = os.environ["BANDIT_ROUTER"]
UNLIMITED = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
]
SERVICE = "/inference.GRPCInferenceService/"


class ModelServer(grpc.GenericRpcHandler):
    """Answers any method of any service; what it does is in its name."""

    def __init__(self, name="model", address="127.0.0.1:0", options=(),
                 credentials=None):
        self.name = name
        self.requests = []  # (method, metadata, message) of unary calls.
        self.cancelled = threading.Event()
        self.started = threading.Event()
        self.release = threading.Event()
        self.server = grpc.server(
            futures.ThreadPoolExecutor(32), options=UNLIMITED + list(options)
        )
        self.server.add_generic_rpc_handlers((self,))
        port = (
            self.server.add_secure_port(address, credentials)
            if credentials
            else self.server.add_insecure_port(address)
        )
        self.address = address if port in (0, 1) else f"127.0.0.1:{port}"
        self.server.start()

    def stop(self):
        self.release.set()
        self.server.stop(0).wait()

    def service(self, details):
        method = details.method.rsplit("/", 1)[1]
        kinds = {
            "ClientStream": grpc.stream_unary_rpc_method_handler,
            "ServerStream": grpc.unary_stream_rpc_method_handler,
            "Bidi": grpc.stream_stream_rpc_method_handler,
        }
        kind = kinds.get(method, grpc.unary_unary_rpc_method_handler)
        handler = getattr(self, method, self.Echo)

        def serve(request, context):
            if kind is grpc.unary_unary_rpc_method_handler:
                self.requests.append(
                    (details.method, context.invocation_metadata(), request)
                )
            return handler(request, context)

        return kind(serve)

    def Echo(self, request, context):
        context.send_initial_metadata(
            (("x-served-by", self.name), ("x-first-bin", b"\x00\xff\x80"))
        )
        context.set_trailing_metadata(
            (("x-last", "text"), ("x-last-bin", b"\x01\x02"))
        )
        return request

    def Fail(self, request, context):
        context.set_trailing_metadata((("x-last", "text"),))
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "caf\u00e9 100 %")

    def Block(self, request, context):
        context.add_callback(self.cancelled.set)
        self.started.set()
        self.release.wait(60)
        return request

    def ClientStream(self, requests, context):
        return str(sum(len(request) for request in requests)).encode()

    def ServerStream(self, request, context):
        count, size = map(int, request.split())
        for _ in range(count):
            yield b"s" * size

    def Bidi(self, requests, context):
        for request in requests:
            yield request


class Router:
    """bandit-router on ports of its own; `config` has no addresses."""

    def __init__(self, config, directory=None, environment=None):
        self.directory = directory or tempfile.mkdtemp()
        self.config = os.path.join(self.directory, "router.yaml")
        self.write(config)
        self.log = open(os.path.join(self.directory, "router.log"), "ab")
        self.process = subprocess.Popen(
            [BINARY, "--config", self.config],
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        line = self.process.stdout.readline()
        if not line.startswith("bandit-router ready "):
            self.process.wait(30)
            raise RuntimeError(self.logged())
        words = dict(word.split("=", 1) for word in line.split()[2:])
        self.listen = words["listen"]
        self.control = words["control"]
        self.admin = words["admin"]

    def write(self, config):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(
                "listen: 127.0.0.1:0\ncontrol: 127.0.0.1:0\n"
                "admin: 127.0.0.1:0\n" + config
            )

    def logged(self):
        with open(self.log.name, encoding="utf-8") as file:
            return file.read()

    def channel(self, address=None, **arguments):
        return grpc.insecure_channel(
            address or self.listen,
            options=UNLIMITED + [("grpc.use_local_subchannel_pool", 1)],
            **arguments,
        )

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """SIGTERM; the exit code."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.process.stdout.close()
        self.log.close()
        return code

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait(60)
        self.process.stdout.close()
        self.log.close()


class RouterTest(unittest.TestCase):
    """Starts what a test asks for, stops it afterwards."""

    def model(self, name="model", address="127.0.0.1:0"):
        server = ModelServer(name, address)
        self.addCleanup(server.stop)
        return server

    def router(self, config, **arguments):
        router = Router(config, **arguments)

        def end():
            if router.process.poll() is None:
                router.stop()
            if "Sanitizer" in router.logged():
                self.fail(router.logged())

        self.addCleanup(end)
        return router

    def channel(self, router, address=None, **arguments):
        channel = router.channel(address, **arguments)
        self.addCleanup(channel.close)
        return channel


# --- the few control messages, as protobuf has them on the wire


def varint(value):
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def field(number, payload):
    """A length-delimited field."""
    if isinstance(payload, str):
        payload = payload.encode()
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def fields(message):
    """(number, payload) of each field, all of them length-delimited."""

    def number(at):
        value, shift = 0, 0
        while True:
            byte = message[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                return value, at

    at = 0
    while at < len(message):
        key, at = number(at)
        assert key & 7 == 2, message
        size, at = number(at)
        yield key >> 3, message[at:at + size]
        at += size


def reward(decision, value, metric=""):
    body = field(1, decision) + (field(2, metric) if metric else b"")
    return field(1, body + b"\x19" + struct.pack("<d", value))


def outcomes(response):
    """The names in a RecordResponse."""
    names = [
        "UNSPECIFIED", "ACCEPTED", "DUPLICATE", "LATE", "UNKNOWN", "REJECTED"
    ]
    found = []
    for number, payload in fields(response):
        if number == 1:
            found += [names[code] for code in payload]
    return found


def record(channel, *rewards, timeout=30):
    call = channel.unary_unary("/bandit.v1.Feedback/Record")
    return outcomes(call(b"".join(rewards), timeout=timeout))


def decide(channel, metadata=(), message=b"x", method="Echo"):
    """One call; its initial metadata as a dict, and the answer."""
    call = channel.unary_unary(SERVICE + method)
    answer, state = call.with_call(message, metadata=metadata, timeout=30)
    return dict(state.initial_metadata()), answer
