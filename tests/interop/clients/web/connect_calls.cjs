// SPDX-License-Identifier: Apache-2.0
// connect-node's client in each of its protocols:
// `connect_calls.cjs DESCRIPTORS ADDRESS`.
"use strict";
const { Code, createClient } = require("@connectrpc/connect");
const connect = require("@connectrpc/connect-node");
const { tryCase, same, service } = require("./calls.cjs");

const [descriptors, address] = process.argv.slice(2);
const inference = service(descriptors, "inference.GRPCInferenceService");
const protocols = [
  ["gRPC", connect.createGrpcTransport, {}],
  ["gRPC-Web", connect.createGrpcWebTransport, {}],
  ["Connect, binary", connect.createConnectTransport, {}],
  ["Connect, JSON", connect.createConnectTransport, { useBinaryFormat: false }],
];
const names = { "gRPC": "grpc", "gRPC-Web": "grpc-web" };

async function* times(count, request) {
  for (let i = 0; i < count; i++) yield { ...request, id: `s${i}` };
}

async function protocol(name, client) {
  const wire = names[name] ?? "connect";
  const body = Buffer.alloc(300_000, 7);

  await tryCase(`${name}: unary, with decision and trailers`, async () => {
    let header, trailer;
    const answer = await client.modelInfer(
      { modelName: "web", id: "one", rawInputContents: [body] },
      { onHeader: (h) => (header = h), onTrailer: (t) => (trailer = t) });
    same([answer.modelName, answer.id], [wire, "one"]);
    same(Buffer.compare(Buffer.from(answer.rawOutputContents[0]), body), 0);
    same(header.get("x-bandit-experiment"), "web");
    same(Boolean(header.get("x-bandit-decision")), true);
    same(trailer.get("x-last"), "text");
  });
  await tryCase(`${name}: an error of the server's`, async () => {
    try {
      await client.modelInfer({ modelName: "absent" });
    } catch (error) {
      same([error.code, error.rawMessage], [Code.NotFound, "no model absent"]);
      return;
    }
    throw new Error("no error came");
  });
  await tryCase(`${name}: 100 at once`, async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) =>
      client.modelInfer({ modelName: "web", id: `${i}` })));
    same(answers.map((answer) => answer.id),
         Array.from({ length: 100 }, (_, i) => `${i}`));
  });
  await tryCase(`${name}: bidirectional stream`, async () => {
    const ids = [];
    const request = { modelName: "web" };
    for await (const answer of client.modelStreamInfer(times(50, request))) {
      ids.push(answer.inferResponse.id);
    }
    same(ids, Array.from({ length: 50 }, (_, i) => `s${i}`));
  });
  await tryCase(`${name}: the client goes away in a stream`, async () => {
    const end = new AbortController();
    const request = { modelName: "web", parameters: {
      times: { parameterChoice: { case: "int64Param", value: 100_000n } } } };
    try {
      for await (const _ of client.modelStreamInfer(
        times(1, request), { signal: end.signal })) {
        end.abort();
      }
    } catch (error) {
      same(error.code, Code.Canceled);
      return;
    }
    throw new Error("the stream ended by itself");
  });
}

async function main() {
  for (const [name, transport, more] of protocols) {
    // One session for all calls, closed at the end.
    const sessions = new connect.Http2SessionManager(`http://${address}`);
    const client = createClient(inference, transport({
      baseUrl: `http://${address}`, httpVersion: "2",
      sessionManager: sessions, ...more }));
    await protocol(name, client);
    sessions.abort();
  }
}

main();
