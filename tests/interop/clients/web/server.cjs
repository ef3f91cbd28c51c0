// SPDX-License-Identifier: Apache-2.0
// connect-node's server: gRPC, gRPC-Web and Connect over cleartext HTTP/2, by
// what the request says. `server.cjs DESCRIPTORS`; prints its port.
"use strict";
const http2 = require("node:http2");
const { Code, ConnectError } = require("@connectrpc/connect");
const { connectNodeAdapter } = require("@connectrpc/connect-node");
const { service } = require("./calls.cjs");

const inference = service(process.argv[2], "inference.GRPCInferenceService");

function infer(request, protocol) {
  if (request.modelName === "absent") {
    throw new ConnectError("no model absent", Code.NotFound);
  }
  return { modelName: protocol, id: request.id,
           rawOutputContents: request.rawInputContents };
}

const handler = connectNodeAdapter({
  routes: (router) => router.service(inference, {
    modelInfer: (request, context) => {
      context.responseTrailer.set("x-last", "text");
      return infer(request, context.protocolName);
    },
    async *modelStreamInfer(requests, context) {
      for await (const request of requests) {
        const count = Number(
          request.parameters.times?.parameterChoice.value ?? 1);
        for (let i = 0; i < count; i++) {
          yield { inferResponse: infer(request, context.protocolName) };
        }
      }
    },
  }),
});
const server = http2.createServer(handler);
server.listen(0, "127.0.0.1", () => {
  console.log(`ready port=${server.address().port}`);
});
