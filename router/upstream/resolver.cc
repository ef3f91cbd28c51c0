// SPDX-License-Identifier: Apache-2.0
#include "router/upstream/resolver.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "asio/ip/tcp.hpp"

namespace bandit::upstream {

using asio::ip::tcp;

Resolver SystemResolver(asio::io_context& io) {
  return [&io](const Address& name, Resolved done) {
    auto resolver = std::make_shared<tcp::resolver>(io);
    resolver->async_resolve(
        name.host, std::to_string(name.port),
        [resolver, port = name.port, done = std::move(done)](
            std::error_code error, const tcp::resolver::results_type& results) {
          if (error) {
            done(absl::UnavailableError("name not resolved: " +
                                        error.message()));
            return;
          }
          std::vector<Address> addresses;
          for (const auto& entry : results) {
            Address address{.host = entry.endpoint().address().to_string(),
                            .port = port};
            if (std::find(addresses.begin(), addresses.end(), address) ==
                addresses.end()) {
              addresses.push_back(std::move(address));
            }
          }
          if (addresses.empty()) {
            done(absl::UnavailableError("the name has no address"));
          } else {
            done(std::move(addresses));
          }
        });
  };
}

}  // namespace bandit::upstream
