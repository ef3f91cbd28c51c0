// SPDX-License-Identifier: Apache-2.0
// The load generator of the proxy benchmark; prints one line of JSON.
#include <sys/prctl.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "tests/bench/proxy/load_generator.h"

int main(int argc, char** argv) {
  bandit::bench::LoadOptions options;
  CLI::App app("gRPC-shaped load over HTTP/2, answers checked");
  app.add_option("--port", options.port, "Port on 127.0.0.1")->required();
  app.add_option("--connections", options.connections);
  app.add_option("--streams", options.streams,
                 "Requests under way on each connection (closed loop)");
  app.add_option("--bytes", options.bytes, "Length of a message");
  app.add_option("--rate", options.rate,
                 "Requests a second in all; 0: closed loop");
  app.add_option("--warmup", options.warmup_seconds, "Seconds");
  app.add_option("--seconds", options.seconds, "Seconds that count");
  app.add_option("--delay-ms", options.delay_ms,
                 "The backend waits so long with each answer");
  app.add_option("--deadline-ms", options.deadline_ms,
                 "Sent with each request as grpc-timeout; 0: none");
  app.add_option("--grace", options.grace_seconds,
                 "Seconds for the last answers after the last request");
  app.add_option("--seed", options.seed);
  CLI11_PARSE(app, argc, argv);

  prctl(PR_SET_TIMERSLACK, 1);  // Due times to the microsecond.
  asio::io_context context(1);
  bandit::bench::LoadGenerator generator(context, options);
  if (!generator.Run()) return 1;
  std::puts(generator.result()
                .Json(generator.measured(), generator.measured_seconds())
                .c_str());
  return 0;
}
