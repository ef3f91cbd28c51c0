# SPDX-License-Identifier: Apache-2.0
"""Two real MLServers, each with a scikit-learn model, as the arms.

The second has its model under another name and version, which its arm sets.
"""

import grpc

from lab import HERE, eventually, free_port

QUICK = False
NEEDS = ["venv"]
SECONDS = 400
CONFIG = """
state: 'memory:'
learner: {{tick: 10ms}}
backends:
  good: {{address: '127.0.0.1:{good}'}}
  weak: {{address: '127.0.0.1:{weak}'}}
default_backend: good
experiments:
  - name: digits
    match: {{service: inference.GRPCInferenceService, method: ModelInfer,
             model: digits}}
    arms:
      - {{name: weak, backend: weak, model: {{name: digits-weak, version: "2"}}}}
      - {{name: good, backend: good}}
    policy: {{name: thompson, floor: 0.02}}
    metrics: [{{name: correct, kind: binary}}]
"""


def run(lab, sheet):
    peer = "MLServer " + lab.toolbox.python_version("mlserver")
    models = lab.folder("mlserver") / "models"
    python = lab.toolbox.python()
    lab.run(python, HERE / "clients" / "make_models.py", models, seconds=120)
    ports = {name: start(lab, models / name) for name in ("good", "weak")}
    for port in ports.values():
        wait(port)
    router = lab.router(CONFIG.format(**ports))
    arguments = [sheet, peer, "plain"]
    lab.client(*arguments, "mlserver_triton_calls.py", router.listen)
    lab.client(*arguments, "mlserver_calls.py", router.listen, router.admin)


def start(lab, folder):
    """The gRPC port."""
    grpc_port, http_port = free_port(), free_port()
    lab.serve(
        "mlserver",
        [lab.toolbox.python().parent / "mlserver", "start", folder],
        env={
            "MLSERVER_GRPC_PORT": str(grpc_port),
            "MLSERVER_HTTP_PORT": str(http_port),
        },
    )
    return grpc_port


def wait(port):
    """Until its models are loaded."""

    def ready():
        call = channel.unary_unary("/inference.GRPCInferenceService/ServerReady")
        try:
            return call(b"", timeout=5) == b"\x08\x01"
        except grpc.RpcError:
            return False

    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        eventually(ready, seconds=120, what="MLServer was not ready")
