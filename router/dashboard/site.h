// SPDX-License-Identifier: Apache-2.0
// What the admin port answers beside metrics and probes: the page and its API.
#ifndef BANDIT_ROUTER_DASHBOARD_SITE_H_
#define BANDIT_ROUTER_DASHBOARD_SITE_H_

#include <map>
#include <string>
#include <vector>

#include "router/control/admin_http.h"
#include "router/dashboard/api.h"

namespace bandit::dashboard {

// Thread-safety: any thread may call.
class Site {
 public:
  struct Options {
    Api::Options api;
    // Names that the page may be called under, beside those of IsTrustedHost.
    std::vector<std::string> hosts;
  };

  explicit Site(Options options);

  control::HttpAnswer Answer(const control::HttpRequest& request);

 private:
  struct File {
    std::string type;
    std::string_view bytes;
    std::string etag;
  };

  control::HttpAnswer Find(const control::HttpRequest& request);

  const std::vector<std::string> hosts_;
  std::map<std::string, File> files_;  // By path.
  Api api_;
};

}  // namespace bandit::dashboard

#endif  // BANDIT_ROUTER_DASHBOARD_SITE_H_
