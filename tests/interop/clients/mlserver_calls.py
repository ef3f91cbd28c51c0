# SPDX-License-Identifier: Apache-2.0
"""A client of two MLServers behind a router: `mlserver_calls.py ADDRESS ADMIN`.

The client does not know that there are two. It asks for `digits`, compares the
answer with the truth, and sends that as the reward.
"""

import collections
import sys
import time
import urllib.request

import grpc
from mlserver.grpc import dataplane_pb2, dataplane_pb2_grpc

from calls import case, same
from harness import record, reward
from make_models import halves

SECONDS = 30


def request(image):
    return dataplane_pb2.ModelInferRequest(
        model_name="digits",
        inputs=[dataplane_pb2.ModelInferRequest.InferInputTensor(
            name="predict", datatype="FP64", shape=[1, 64],
            contents=dataplane_pb2.InferTensorContents(fp64_contents=image),
        )],
    )


class Classifier:
    def __init__(self, channel):
        self.stub = dataplane_pb2_grpc.GRPCInferenceServiceStub(channel)

    def classify(self, image):
        """(digit, the answer, the response's metadata)."""
        answer, state = self.stub.ModelInfer.with_call(
            request(image), timeout=SECONDS
        )
        digit = answer.outputs[0].contents.int64_contents[0]
        return digit, answer, dict(state.initial_metadata())


def questions(channel):
    stub = dataplane_pb2_grpc.GRPCInferenceServiceStub(channel)
    with case("live, ready, model ready"):
        live = stub.ServerLive(dataplane_pb2.ServerLiveRequest())
        ready = stub.ServerReady(dataplane_pb2.ServerReadyRequest())
        model = stub.ModelReady(dataplane_pb2.ModelReadyRequest(name="digits"))
        same((live.live, ready.ready, model.ready), (True, True, True))
    with case("server metadata") as note:
        found = stub.ServerMetadata(dataplane_pb2.ServerMetadataRequest())
        note(f"{found.name} {found.version}")
    with case("model metadata"):
        found = stub.ModelMetadata(
            dataplane_pb2.ModelMetadataRequest(name="digits"))
        same(found.name, "digits")
    with case("an unknown model") as note:
        try:
            stub.ModelInfer(dataplane_pb2.ModelInferRequest(model_name="no"))
        except grpc.RpcError as error:
            note(error.code().name)
            same(error.code() in (grpc.StatusCode.NOT_FOUND,
                                  grpc.StatusCode.INVALID_ARGUMENT), True)
        else:
            raise AssertionError("no error came")
    with case("repository index"):
        index = getattr(stub, "RepositoryIndex")(
            dataplane_pb2.RepositoryIndexRequest())
        same([model.name for model in index.models], ["digits"])


def decisions(classifier, image):
    with case("the decision is in the response's metadata"):
        _, answer, first = classifier.classify(image)
        served = {"good": ("digits", "1"), "weak": ("digits-weak", "2")}
        same((answer.model_name, answer.model_version),
             served[first["x-bandit-arm"]])
        same(first["x-bandit-experiment"], "digits")
        same(bool(first["x-bandit-decision"]), True)


def learning(channel, admin, classifier, images, digits):
    with case("rewards move the split to the better model") as note:
        arms, right = collections.Counter(), collections.Counter()
        for image, digit in zip(images[:300], digits[:300]):
            found, _, first = classifier.classify(image)
            arm = first["x-bandit-arm"]
            arms[arm] += 1
            right[arm] += int(found == digit)
            same(record(channel, reward(
                first["x-bandit-decision"], float(found == digit)
            )), ["ACCEPTED"])
        until(lambda: probability(admin, "good") > 0.9)
        last = collections.Counter(
            classifier.classify(image)[2]["x-bandit-arm"]
            for image in images[300:400]
        )
        same(last["good"] >= 80, True)
        note("; ".join(
            f"{arm}: {arms[arm]} requests, {right[arm]} right" for arm in arms
        ) + f"; then {last['good']} of 100 to the better one")


def probability(admin, arm):
    with urllib.request.urlopen(f"http://{admin}/metrics") as page:
        for line in page.read().decode().splitlines():
            if line.startswith("bandit_arm_probability{") and arm in line:
                return float(line.rsplit(" ", 1)[1])
    return 0


def until(question):
    deadline = time.monotonic() + SECONDS
    while not question():
        if time.monotonic() > deadline:
            raise AssertionError(f"it did not come about in {SECONDS} s")
        time.sleep(0.02)


def main():
    address, admin = sys.argv[1:]
    _, images, _, digits = halves()
    with grpc.insecure_channel(address) as channel:
        classifier = Classifier(channel)
        questions(channel)
        decisions(classifier, images[0])
        learning(channel, admin, classifier, images, digits)


if __name__ == "__main__":
    main()
