# SPDX-License-Identifier: Apache-2.0
"""tritonclient against MLServer behind a router.

`mlserver_triton_calls.py ADDRESS`. A program of its own, because tritonclient
and MLServer each bring the protocol's messages.
"""

import sys

import numpy
import tritonclient.grpc as triton

from calls import case, same
from make_models import halves


def main():
    _, images, _, digits = halves()
    with triton.InferenceServerClient(sys.argv[1]) as client:
        with case("tritonclient: ready, metadata"):
            same(client.is_server_ready(), True)
            same(client.is_model_ready("digits"), True)
            same(client.get_model_metadata("digits").name, "digits")
        with case("tritonclient: raw tensors of 50 images, 20 times") as note:
            right = {}
            for _ in range(20):
                tensor = triton.InferInput("predict", [50, 64], "FP64")
                tensor.set_data_from_numpy(images[:50].astype(numpy.float64))
                result = client.infer("digits", [tensor])
                found = result.as_numpy("predict").ravel()
                same(found.shape, (50,))
                model = result.get_response().model_name
                right[model] = int((found == digits[:50]).sum())
            same(right.get("digits", 50) > 40, True)
            same(right.get("digits-weak", 0) < 15, True)
            note(", ".join(f"{m}: {n} of 50 right" for m, n in right.items()))


if __name__ == "__main__":
    main()
