# SPDX-License-Identifier: Apache-2.0
"""TensorFlow Serving's PredictionService, spoken by grpcio on both sides.

Messages are made by protobuf from the wire-compatible proto in protos/; the
server answers by the model that it was asked for.
"""

from concurrent import futures

import grpc

from lab import holds, same

QUICK = True
SECONDS = 60
PREDICT = "/tensorflow.serving.PredictionService/Predict"
CONFIG = """
state: 'memory:'
backends:
  tf: {{address: '{address}'}}
default_backend: tf
experiments:
  - name: versions
    match: {{service: tensorflow.serving.PredictionService, model: ranker}}
    arms:
      - {{name: old, backend: tf, model: {{version: "3"}}}}
      - {{name: new, backend: tf, model: {{name: ranker-x, version: "4"}}}}
    unit: {{metadata: x-user-id}}
    policy: {{name: fixed_split}}
    metrics: [{{name: click, kind: binary}}]
"""


class PredictionServer(grpc.GenericRpcHandler):
    """Doubles its input `x`; says which model that was."""

    def __init__(self, proto):
        self.proto = proto
        self.server = grpc.server(futures.ThreadPoolExecutor(8))
        self.server.add_generic_rpc_handlers((self,))
        port = self.server.add_insecure_port("127.0.0.1:0")
        self.address = f"127.0.0.1:{port}"
        self.server.start()

    def service(self, details):
        if details.method != PREDICT:
            return None
        return grpc.unary_unary_rpc_method_handler(
            self.predict,
            request_deserializer=self.proto.PredictRequest.FromString,
            response_serializer=self.proto.PredictResponse.SerializeToString,
        )

    def predict(self, request, context):
        if "x" not in request.inputs:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no input x")
        answer = self.proto.PredictResponse(model_spec=request.model_spec)
        answer.outputs["y"].dtype = 1
        answer.outputs["y"].float_val.extend(
            2 * value for value in request.inputs["x"].float_val
        )
        return answer


def run(lab, sheet):
    peer = "grpcio " + grpc.__version__
    proto = lab.messages("tensorflow_serving/predict.proto")
    server = PredictionServer(proto)
    lab.later(lambda: server.server.stop(0).wait())
    router = lab.router(CONFIG.format(address=server.address))
    for compression in (None, grpc.Compression.Gzip):
        named = ", gzip" if compression else ""
        with router.channel(compression=compression) as channel:
            cases(sheet, peer, proto, channel, named)


def cases(sheet, peer, proto, channel, named):
    call = channel.unary_unary(
        PREDICT,
        request_serializer=proto.PredictRequest.SerializeToString,
        response_deserializer=proto.PredictResponse.FromString,
    )

    def predict(request, user="u"):
        metadata = (("x-user-id", user),)
        answer, state = call.with_call(request, metadata=metadata, timeout=30)
        first = dict(state.initial_metadata())
        return answer, first.get("x-bandit-arm")

    with sheet.case(peer, f"Predict, another model passes{named}"):
        answer, arm = predict(request(proto, "other", version=9))
        same(arm, None)
        same((answer.model_spec.name, answer.model_spec.version.value),
             ("other", 9))
        same(list(answer.outputs["y"].float_val), [2.0, 4.0, 6.0])

    with sheet.case(peer, f"Predict, both arms' versions{named}") as case:
        arms = {"old": ("ranker", 3), "new": ("ranker-x", 4)}
        seen = {}
        for i in range(64):
            answer, arm = predict(request(proto, "ranker"), f"u{i}")
            spec = answer.model_spec
            same((spec.name, spec.version.value), arms[arm])
            same(spec.signature_name, "serving_default")
            same(list(answer.outputs["y"].float_val), [2.0, 4.0, 6.0])
            seen[arm] = seen.get(arm, 0) + 1
        same(set(seen), set(arms))
        case.note = f"64 requests: {seen['old']} and {seen['new']}"

    with sheet.case(peer, f"the caller's version and label are overridden{named}"):
        for more in ({"version": 1}, {"label": "stable"}):
            answer, arm = predict(request(proto, "ranker", **more))
            same(answer.model_spec.version.value, {"old": 3, "new": 4}[arm])
            same(answer.model_spec.version_label, "")

    with sheet.case(peer, f"Predict, 4 MB before the model's name{named}"):
        head = request(proto, "", inputs=1_000_000)
        head.ClearField("model_spec")
        tail = proto.PredictRequest()
        tail.model_spec.name = "ranker"
        raw = channel.unary_unary(
            PREDICT,
            response_deserializer=proto.PredictResponse.FromString,
        )
        answer = raw(
            head.SerializeToString() + tail.SerializeToString(), timeout=30
        )
        holds(answer.model_spec.version.value in (3, 4), answer.model_spec)
        same(len(answer.outputs["y"].float_val), 1_000_000)

    with sheet.case(peer, f"an error of the server's passes{named}"):
        try:
            predict(proto.PredictRequest())
        except grpc.RpcError as error:
            same(error.code(), grpc.StatusCode.INVALID_ARGUMENT)
            same(error.details(), "no input x")
        else:
            holds(False, "no error came")


def request(proto, name, version=None, label=None, inputs=3):
    message = proto.PredictRequest()
    spec = message.model_spec
    spec.name = name
    spec.signature_name = "serving_default"
    if version is not None:
        spec.version.value = version
    if label is not None:
        spec.version_label = label
    message.inputs["x"].dtype = 1
    message.inputs["x"].float_val.extend(range(1, inputs + 1))
    return message
