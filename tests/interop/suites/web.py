# SPDX-License-Identifier: Apache-2.0
"""Node's clients: gRPC-Web and Connect over HTTP/2, and grpc-js.

The router knows neither gRPC-Web nor Connect: their bytes pass, to a server
that speaks them.
"""

import oip_server
from lab import HERE, ROOT

QUICK = False
NEEDS = ["node_modules"]
SECONDS = 180
PROTO = "inference/grpc_predict_v2.proto"
CONFIG = """
state: 'memory:'
backends:
  model: {{address: '127.0.0.1:{port}'}}
experiments:
  - name: web
    match: {{service: inference.GRPCInferenceService}}
    arms: [{{name: a, backend: model}}, {{name: b, backend: model}}]
    policy: {{name: fixed_split}}
"""


def run(lab, sheet):
    env = {"NODE_PATH": str(lab.toolbox.node_modules())}
    descriptors = lab.folder("descriptors") / "set"
    lab.run(lab.debian("protoc"), "-I", ROOT / "protos", "--include_imports",
            f"--descriptor_set_out={descriptors}", ROOT / "protos" / PROTO)

    def calls(package, script, port, *arguments):
        router = lab.router(CONFIG.format(port=port))
        peer = f"{package} {lab.toolbox.npm_version(package)}"
        command = [lab.toolbox.node(), HERE / "clients" / "web" / script]
        lab.cases(sheet, peer, "plain",
                  [*command, *arguments, router.listen], env)

    server = lab.serve(
        "connect", [lab.toolbox.node(), HERE / "clients/web/server.cjs",
                    descriptors], env=env)
    port = server.wait_for_line("ready port=")
    calls("@connectrpc/connect-node", "connect_calls.cjs", port, descriptors)

    python = oip_server.OipServer(oip_server.messages(lab), "python")
    lab.later(python.stop)
    port = python.address.split(":")[1]
    calls("@grpc/grpc-js", "grpc_js_calls.cjs", port, ROOT / "protos")
