# SPDX-License-Identifier: Apache-2.0
"""A collector of traces that speaks OTLP. Its messages are read by hand."""

import struct
import threading
from concurrent import futures

import grpc

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def fields(message):
    """A protobuf message as {number: [values]}."""
    found, at = {}, 0

    def varint():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        number, kind = divmod(varint(), 8)
        if kind == 0:
            value = varint()
        elif kind == 1:
            (value,) = struct.unpack_from("<Q", message, at)
            at += 8
        elif kind == 5:
            (value,) = struct.unpack_from("<I", message, at)
            at += 4
        else:
            size = varint()
            value = message[at:at + size]
            at += size
        found.setdefault(number, []).append(value)
    return found


def attributes(pairs):
    """KeyValue messages as a dict."""
    result = {}
    for pair in map(fields, pairs):
        ((kind, (value,)),) = fields(pair[2][0]).items()
        if kind == 1:
            value = value.decode()
        if kind == 4:
            value = struct.unpack("<d", struct.pack("<Q", value))[0]
        result[pair[1][0].decode()] = value
    return result


class Span:
    def __init__(self, message, resource):
        span = fields(message)
        self.resource = resource
        self.trace = span[1][0].hex()
        self.id = span[2][0].hex()
        self.parent = span.get(4, [b""])[0].hex()
        self.name = span[5][0].decode()
        self.start, self.end = span[7][0], span[8][0]
        self.attributes = attributes(span[9])
        status = fields(span[15][0]) if 15 in span else {}
        self.failed = status.get(3, [0])[0] == 2


class Collector(grpc.GenericRpcHandler):
    """Takes spans, or answers as `script` says, one status for each call."""

    def __init__(self, address="127.0.0.1:0"):
        self.spans = []
        self.script = []
        self.calls = 0
        self.hang = threading.Event()
        self.hang.set()
        self.changed = threading.Condition()
        self.server = grpc.server(futures.ThreadPoolExecutor(4))
        self.server.add_generic_rpc_handlers((self,))
        port = self.server.add_insecure_port(address)
        self.address = f"127.0.0.1:{port}"
        self.server.start()

    def service(self, details):
        if details.method != EXPORT:
            return None
        return grpc.unary_unary_rpc_method_handler(self.export)

    def export(self, request, context):
        with self.changed:
            self.calls += 1
            self.changed.notify_all()
            code = self.script.pop(0) if self.script else None
        self.hang.wait(60)
        if code is not None:
            context.abort(code, "scripted")
        with self.changed:
            for resource in map(fields, fields(request).get(1, [])):
                about = attributes(fields(resource[1][0])[1])
                for scope in map(fields, resource[2]):
                    self.spans += [Span(s, about) for s in scope.get(2, [])]
            self.changed.notify_all()
        return b""

    def await_(self, question):
        with self.changed:
            assert self.changed.wait_for(question, timeout=60)

    def await_spans(self, count):
        self.await_(lambda: len(self.spans) >= count)
        return self.spans

    def stop(self):
        self.hang.set()
        self.server.stop(0).wait()
