# SPDX-License-Identifier: Apache-2.0
"""tritonclient against an address: `triton_calls.py ADDRESS [CA]`."""

import asyncio
import queue
import sys
import threading

import numpy
import tritonclient.grpc as triton
import tritonclient.grpc.aio as triton_aio
from tritonclient.utils import InferenceServerException

from calls import case, same

A = numpy.arange(16, dtype=numpy.int32).reshape(1, 16)
B = numpy.full((1, 16), 5, dtype=numpy.int32)
SECONDS = 30


def inputs(library=triton):
    tensors = []
    for name, data in (("INPUT0", A), ("INPUT1", B)):
        tensor = library.InferInput(name, [1, 16], "INT32")
        tensor.set_data_from_numpy(data)
        tensors.append(tensor)
    return tensors


def check(result):
    same(result.as_numpy("OUTPUT0").tolist(), (A + B).tolist())
    same(result.as_numpy("OUTPUT1").tolist(), (A - B).tolist())


def refused(call):
    """What it raises, which it must."""
    try:
        call()
    except InferenceServerException as error:
        return error
    raise AssertionError("nothing was raised")


def unary(client):
    with case("server live and ready"):
        same(client.is_server_live(), True)
        same(client.is_server_ready(), True)
    with case("model ready, and one that is not"):
        same(client.is_model_ready("simple"), True)
        same(client.is_model_ready("absent"), False)
    with case("server metadata") as note:
        note(client.get_server_metadata().name)
    with case("model metadata"):
        found = client.get_model_metadata("simple")
        same([t.name for t in found.inputs], ["INPUT0", "INPUT1"])
    with case("infer"):
        check(client.infer("simple", inputs(), request_id="one"))
    with case("infer, 200 times with request ids in metadata"):
        for i in range(200):
            headers = {"x-request-id": f"triton-{i}", "x-user-id": f"u{i}"}
            check(client.infer("simple", inputs(), headers=headers))
    for algorithm in ("gzip", "deflate"):
        with case(f"infer, compressed with {algorithm}"):
            check(client.infer(
                "simple", inputs(), compression_algorithm=algorithm
            ))
    with case("infer, selected outputs"):
        wanted = [triton.InferRequestedOutput("OUTPUT1")]
        result = client.infer("simple", inputs(), outputs=wanted)
        same(result.as_numpy("OUTPUT0"), None)
        same(result.as_numpy("OUTPUT1").tolist(), (A - B).tolist())
    with case("infer, the model's version is given"):
        result = client.infer("simple", inputs(), model_version="1")
        same(result.get_response().model_name in ("simple", "simple-b"), True)
    with case("an unknown model is NOT_FOUND") as note:
        error = refused(lambda: client.infer("absent", inputs()))
        same(error.status(), "StatusCode.NOT_FOUND")
        note(error.message())
    with case("client_timeout is DEADLINE_EXCEEDED"):
        error = refused(
            lambda: client.infer("slow", inputs(), client_timeout=1)
        )
        same(error.status(), "StatusCode.DEADLINE_EXCEEDED")
    with case("a method that the server lacks is UNIMPLEMENTED"):
        error = refused(client.get_inference_statistics)
        same(error.status(), "StatusCode.UNIMPLEMENTED")


def with_callbacks(client):
    with case("async_infer, 100 at once"):
        done = queue.Queue()
        for _ in range(100):
            client.async_infer(
                "simple", inputs(), lambda result, error: done.put(
                    (result, error))
            )
        for _ in range(100):
            result, error = done.get(timeout=SECONDS)
            same(error, None)
            check(result)
    with case("async_infer, cancelled"):
        ended = threading.Event()
        call = client.async_infer(
            "slow", inputs(), lambda result, error: ended.set()
        )
        call.cancel()
        same(ended.wait(SECONDS), True)


def streaming(client):
    answers = queue.Queue()

    def start():
        client.start_stream(lambda result, error: answers.put((result, error)))

    with case("stream, 100 requests in order"):
        start()
        for i in range(100):
            client.async_stream_infer("simple", inputs(), request_id=f"s{i}")
        for i in range(100):
            result, error = answers.get(timeout=SECONDS)
            same(error, None)
            same(result.get_response().id, f"s{i}")
            check(result)
        client.stop_stream()
    with case("stream, decoupled: 50 answers to one request"):
        start()
        client.async_stream_infer(
            "repeat", inputs(), parameters={"times": 50}
        )
        for _ in range(50):
            result, error = answers.get(timeout=SECONDS)
            same(error, None)
            check(result)
        client.stop_stream()
    with case("stream, an error does not end it"):
        start()
        client.async_stream_infer("absent", inputs())
        _, error = answers.get(timeout=SECONDS)
        same("absent" in error.message(), True)
        client.async_stream_infer("simple", inputs())
        result, error = answers.get(timeout=SECONDS)
        same(error, None)
        client.stop_stream()
    with case("stream, cancelled"):
        start()
        client.async_stream_infer("simple", inputs())
        same(answers.get(timeout=SECONDS)[1], None)
        client.stop_stream(cancel_requests=True)


async def asynchronous(address, tls):
    async with triton_aio.InferenceServerClient(address, **tls) as client:
        with case("asyncio: infer, 100 at once"):
            results = await asyncio.gather(*(
                client.infer("simple", inputs(triton_aio)) for _ in range(100)
            ))
            for result in results:
                check(result)
        with case("asyncio: stream, 100 requests"):

            async def requests():
                for i in range(100):
                    yield {
                        "model_name": "simple",
                        "inputs": inputs(triton_aio),
                        "request_id": f"a{i}",
                    }

            count = 0
            async for result, error in client.stream_infer(requests()):
                same(error, None)
                check(result)
                count += 1
            same(count, 100)


def main():
    address, *more = sys.argv[1:]
    tls = {"ssl": True, "root_certificates": more[0]} if more else {}
    with triton.InferenceServerClient(address, **tls) as client:
        unary(client)
        with_callbacks(client)
        streaming(client)
    asyncio.run(asynchronous(address, tls))


if __name__ == "__main__":
    main()
