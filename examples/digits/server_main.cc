// SPDX-License-Identifier: Apache-2.0
// digits_server: one model variant as an Open Inference Protocol server.
#include <csignal>
#include <cstdio>
#include <string>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/time/time.h"
#include "examples/digits/classifier.h"
#include "examples/digits/dataset.h"
#include "examples/digits/model_service.h"
#include "examples/digits/variants.h"
#include "fmt/format.h"
#include "grpcpp/grpcpp.h"

namespace bandit::digits {
namespace {

constexpr absl::Duration kSlow = absl::Milliseconds(300);

struct Flags {
  std::string variant;
  std::string listen = "127.0.0.1:0";
  std::string data;
  double accelerator_ms = -1;
};

int Run(const Flags& flags, const sigset_t& stop) {
  const Variant& variant = *FindVariant(flags.variant);
  const absl::StatusOr<Samples> samples = LoadDigits(flags.data);
  if (!samples.ok()) {
    fmt::print(stderr, "digits_server: {}\n", samples.status().ToString());
    return 1;
  }
  const Split split = SplitDigits(*samples);
  std::unique_ptr<Classifier> classifier = TrainVariant(variant, split.train);
  const double scanner = Accuracy(*classifier, split.held_out);
  const double camera =
      Accuracy(*classifier, HeldOutPhotographs(split.held_out));

  ModelService service(variant, std::move(classifier),
                       flags.accelerator_ms < 0
                           ? variant.accelerator
                           : absl::Milliseconds(flags.accelerator_ms));
  grpc::ServerBuilder builder;
  // Another server on the same port would take half of its requests.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  int port = 0;
  builder.AddListeningPort(flags.listen, grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    fmt::print(stderr, "digits_server: cannot listen on {}\n", flags.listen);
    return 1;
  }
  fmt::print(
      "digits_server ready variant={} port={} accuracy_scanner={:.3f} "
      "accuracy_camera={:.3f}\n",
      variant.name, port, scanner, camera);
  std::fflush(stdout);

  for (int signal = 0; sigwait(&stop, &signal) == 0;) {
    if (signal != SIGUSR1) break;
    // What a bad release does; for the demo.
    service.SetAccelerator(kSlow);
  }
  server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
  return 0;
}

}  // namespace
}  // namespace bandit::digits

int main(int argc, char** argv) {
  using bandit::digits::AllVariants;

  // Blocked before gRPC makes its threads, so that only sigwait takes them.
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);

  std::vector<std::string> names;
  std::string help = "The variant to serve:";
  for (const auto& variant : AllVariants()) {
    names.emplace_back(variant.name);
    help += fmt::format(" {} ({});", variant.name, variant.summary);
  }
  help.back() = '.';

  bandit::digits::Flags flags;
  CLI::App app("Serves a model of handwritten digits over gRPC.",
               "digits_server");
  app.add_option("--variant", flags.variant, help)
      ->required()
      ->check(CLI::IsMember(names));
  app.add_option("--data", flags.data, "digits.csv.gz")->required();
  app.add_option("--listen", flags.listen,
                 "Address; port 0 takes a free one. Default 127.0.0.1:0");
  app.add_option("--accelerator-ms", flags.accelerator_ms,
                 "Simulated accelerator time instead of the variant's")
      ->check(CLI::Range(0.0, 60000.0));
  CLI11_PARSE(app, argc, argv);
  return bandit::digits::Run(flags, stop);
}
