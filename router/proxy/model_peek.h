// SPDX-License-Identifier: Apache-2.0
// Finds the model name in the first bytes of a gRPC request body, while they
// are held back.
#ifndef BANDIT_ROUTER_PROXY_MODEL_PEEK_H_
#define BANDIT_ROUTER_PROXY_MODEL_PEEK_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "router/experiment/model_name.h"

namespace bandit::proxy {

// Thread-safety: none.
class ModelPeek {
 public:
  // `encoding` is the request's grpc-encoding; `max_size` bounds what an
  // inflated message may grow to.
  ModelPeek(experiment::MessageShape shape, std::string_view encoding,
            size_t max_size);

  // Takes the next bytes of the body.
  void Feed(std::string_view bytes);
  // No more will come.
  void End();

  // Whether the answer is there: a name, or that there is none.
  bool done() const { return done_; }
  // nullopt: the body has no model name that could be read.
  const std::optional<std::string>& model() const { return model_; }

 private:
  void ReadPrefix();
  void SkimInflated();
  void TakeAnswer();
  void Finish(std::optional<std::string> model);

  experiment::MessageShape shape_;
  std::string encoding_;
  size_t max_size_;
  std::string prefix_;  // The five bytes before a gRPC message, as they come.
  bool compressed_ = false;
  size_t message_size_ = 0;
  size_t seen_ = 0;  // Message bytes so far.
  std::string compressed_message_;
  std::optional<experiment::ModelNameSkimmer> skimmer_;
  bool done_ = false;
  std::optional<std::string> model_;
};

}  // namespace bandit::proxy

#endif  // BANDIT_ROUTER_PROXY_MODEL_PEEK_H_
