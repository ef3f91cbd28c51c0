// SPDX-License-Identifier: Apache-2.0
// Cases, printed as lines of JSON, and the services of the protos.
"use strict";
const fs = require("node:fs");
const { createFileRegistry, fromBinary } = require("@bufbuild/protobuf");
const { FileDescriptorSetSchema } = require("@bufbuild/protobuf/wkt");

// Runs `body`, which may return a note; what it throws fails this case alone.
async function tryCase(name, body) {
  let result;
  try {
    result = { passed: true, note: (await body()) ?? "" };
  } catch (error) {
    result = { passed: false, note: `${error.name}: ${error.message}` };
  }
  console.log(JSON.stringify({ case: name, ...result }));
}

function same(found, expected) {
  const [a, b] = [found, expected].map((value) => JSON.stringify(value));
  if (a !== b) throw new Error(`${a}, expected ${b}`);
}

// The service, from a file that protoc wrote with --descriptor_set_out.
function service(file, name) {
  const set = fromBinary(FileDescriptorSetSchema, fs.readFileSync(file));
  return createFileRegistry(set).getService(name);
}

module.exports = { tryCase, same, service };
