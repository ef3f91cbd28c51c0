// SPDX-License-Identifier: Apache-2.0
#include "bandit/client/client.h"

#include <grpcpp/create_channel.h>

#include <cstring>
#include <utility>
#include <vector>

namespace bandit::client {
namespace {

void SetDefault(const char* key, int value, grpc::ChannelArguments* arguments) {
  const grpc_channel_args all = arguments->c_channel_args();
  for (size_t i = 0; i < all.num_args; ++i) {
    if (std::strcmp(all.args[i].key, key) == 0) return;
  }
  arguments->SetInt(key, value);
}

}  // namespace

std::shared_ptr<grpc::Channel> MakeChannel(
    const std::string& target,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials,
    const grpc::ChannelArguments& arguments) {
  grpc::ChannelArguments all = arguments;
  SetDefault(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100, &all);
  SetDefault(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000, &all);
  SetDefault(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5000, &all);
  std::vector<
      std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>>
      interceptors;
  interceptors.push_back(MakeInterceptorFactory());
  return grpc::experimental::CreateCustomChannelWithInterceptors(
      target, credentials, all, std::move(interceptors));
}

Client::Client(const std::string& target,
               const std::shared_ptr<grpc::ChannelCredentials>& credentials,
               ClientOptions options)
    : channel_(MakeChannel(target, credentials, options.channel)),
      rewards_(options.rewards_target.empty()
                   ? channel_
                   : MakeChannel(options.rewards_target, credentials,
                                 options.channel),
               std::move(options.rewards)) {}

}  // namespace bandit::client
