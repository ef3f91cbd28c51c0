// SPDX-License-Identifier: Apache-2.0
// grpc-js, Node's gRPC: `grpc_js_calls.cjs PROTOS ADDRESS`.
"use strict";
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");
const { tryCase, same } = require("./calls.cjs");

const [protos, address] = process.argv.slice(2);
const definition = loader.loadSync("inference/grpc_predict_v2.proto", {
  includeDirs: [protos], keepCase: true });
const { inference } = grpc.loadPackageDefinition(definition);
const compressed = { "grpc.default_compression_algorithm": 2 };

function tensor(name) {
  return { name, datatype: "INT32", shape: [1, 16],
           contents: { int_contents: Array(16).fill(3) } };
}

function request(id, model = "simple") {
  return { model_name: model, id, inputs: [tensor("INPUT0"), tensor("INPUT1")] };
}

// { answer, error, header } of one call.
function infer(client, message, options = {}) {
  return new Promise((resolve) => {
    let header;
    const call = client.ModelInfer(message, options, (error, answer) =>
      resolve({ error, answer, header }));
    call.on("metadata", (metadata) => (header = metadata.getMap()));
    if (options.cancel) call.cancel();
  });
}

async function calls(client, named) {
  await tryCase(`unary, with decision${named}`, async () => {
    const { error, answer, header } = await infer(client, request("one"));
    same(error, null);
    same(answer.id, "one");
    same(Boolean(header["x-bandit-decision"]), true);
  });
  await tryCase(`100 at once${named}`, async () => {
    const ids = Array.from({ length: 100 }, (_, i) => `${i}`);
    const answers = await Promise.all(
      ids.map((id) => infer(client, request(id))));
    same(answers.map(({ answer }) => answer?.id), ids);
  });
  await tryCase(`bidirectional stream${named}`, async () => {
    const stream = client.ModelStreamInfer();
    const ids = [];
    const ended = new Promise((resolve, reject) => {
      stream.on("data", (data) => ids.push(data.infer_response.id));
      stream.on("error", reject);
      stream.on("end", resolve);
    });
    for (let i = 0; i < 50; i++) stream.write(request(`s${i}`));
    stream.end();
    await ended;
    same(ids, Array.from({ length: 50 }, (_, i) => `s${i}`));
  });
  await tryCase(`an error of the server's${named}`, async () => {
    const { error } = await infer(client, request("x", "absent"));
    same([error.code, error.details],
         [grpc.status.NOT_FOUND, "no model absent"]);
  });
  await tryCase(`a deadline${named}`, async () => {
    const { error } = await infer(
      client, request("x", "slow"), { deadline: Date.now() + 500 });
    same(error.code, grpc.status.DEADLINE_EXCEEDED);
  });
  await tryCase(`cancelled${named}`, async () => {
    const { error } = await infer(
      client, request("x", "slow"), { cancel: true });
    same(error.code, grpc.status.CANCELLED);
  });
}

async function main() {
  for (const [named, options] of [["", {}], [", gzip", compressed]]) {
    const client = new inference.GRPCInferenceService(
      address, grpc.credentials.createInsecure(), options);
    await calls(client, named);
    client.close();
  }
}

main();
