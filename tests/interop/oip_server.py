# SPDX-License-Identifier: Apache-2.0
"""A model server of the Open Inference Protocol, shaped like Triton.

Its model `simple` is the one of Triton's examples: two INT32 tensors of shape
[1, 16], answered by their sum and their difference. Over a stream, `repeat`
answers each request as many times as its parameter `times` says (a decoupled
model). An unknown model is NOT_FOUND.
"""

import struct
import threading
from concurrent import futures

import grpc

SERVICE = "inference.GRPCInferenceService"
COUNT = 16


def messages(lab):
    """The Python classes of our proto."""
    return lab.messages("inference/grpc_predict_v2.proto")


class OipServer(grpc.GenericRpcHandler):
    def __init__(self, proto, name, credentials=None):
        self.proto = proto
        self.name = name
        self.seen = []  # (model name, model version) of each inference.
        self.metadata = []
        self._lock = threading.Lock()
        self.server = grpc.server(futures.ThreadPoolExecutor(32))
        self.server.add_generic_rpc_handlers((self,))
        port = (
            self.server.add_secure_port("127.0.0.1:0", credentials)
            if credentials else self.server.add_insecure_port("127.0.0.1:0")
        )
        self.address = f"127.0.0.1:{port}"
        self.server.start()

    def stop(self):
        self.server.stop(0).wait()

    def service(self, details):
        service, method = details.method[1:].split("/")
        handler = getattr(self, method, None)
        if service != SERVICE or handler is None:
            return None  # UNIMPLEMENTED.
        if method == "ModelStreamInfer":
            return grpc.stream_stream_rpc_method_handler(
                handler,
                request_deserializer=self.proto.ModelInferRequest.FromString,
                response_serializer=lambda answer: answer.SerializeToString(),
            )
        request = getattr(self.proto, f"{method}Request")
        return grpc.unary_unary_rpc_method_handler(
            handler,
            request_deserializer=request.FromString,
            response_serializer=lambda answer: answer.SerializeToString(),
        )

    # --- the protocol; its names

    def ServerLive(self, _request, _context):
        return self.proto.ServerLiveResponse(live=True)

    def ServerReady(self, _request, _context):
        return self.proto.ServerReadyResponse(ready=True)

    def ModelReady(self, request, _context):
        return self.proto.ModelReadyResponse(ready=request.name == "simple")

    def ServerMetadata(self, _request, _context):
        return self.proto.ServerMetadataResponse(
            name=self.name, version="2", extensions=["model_configuration"]
        )

    def ModelMetadata(self, request, context):
        if request.name != "simple":
            context.abort(grpc.StatusCode.NOT_FOUND, f"no model {request.name}")
        tensor = self.proto.ModelMetadataResponse.TensorMetadata
        return self.proto.ModelMetadataResponse(
            name="simple", versions=["1"], platform="python",
            inputs=[
                tensor(name=n, datatype="INT32", shape=[-1, COUNT])
                for n in ("INPUT0", "INPUT1")
            ],
            outputs=[
                tensor(name=n, datatype="INT32", shape=[-1, COUNT])
                for n in ("OUTPUT0", "OUTPUT1")
            ],
        )

    def ModelInfer(self, request, context):
        with self._lock:
            self.seen.append((request.model_name, request.model_version))
            self.metadata.append(dict(context.invocation_metadata()))
        if request.model_name == "slow":
            stopped = threading.Event()
            context.add_callback(stopped.set)
            stopped.wait(60)
        try:
            return self._infer(request)
        except LookupError as error:
            return context.abort(grpc.StatusCode.NOT_FOUND, str(error))

    def ModelStreamInfer(self, requests, _context):
        for request in requests:
            times = request.parameters["times"].int64_param or 1
            for _ in range(times):
                answer = self.proto.ModelStreamInferResponse()
                try:
                    answer.infer_response.CopyFrom(self._infer(request))
                except LookupError as error:
                    answer.error_message = str(error)
                yield answer

    def _infer(self, request):
        if request.model_name not in ("simple", "repeat", "simple-b"):
            raise LookupError(f"no model {request.model_name}")
        a, b = self._inputs(request)
        answer = self.proto.ModelInferResponse(
            model_name=request.model_name, id=request.id,
            model_version=request.model_version or "1",
        )
        answer.parameters["served_by"].string_param = self.name
        results = {
            "OUTPUT0": [x + y for x, y in zip(a, b)],
            "OUTPUT1": [x - y for x, y in zip(a, b)],
        }
        wanted = [output.name for output in request.outputs] or results
        for name in wanted:
            answer.outputs.add(name=name, datatype="INT32", shape=[1, COUNT])
            answer.raw_output_contents.append(
                struct.pack(f"<{COUNT}i", *results[name])
            )
        return answer

    def _inputs(self, request):
        if request.raw_input_contents:
            return [
                struct.unpack(f"<{COUNT}i", raw)
                for raw in request.raw_input_contents
            ]
        return [tensor.contents.int_contents for tensor in request.inputs]
