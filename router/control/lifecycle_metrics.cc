// SPDX-License-Identifier: Apache-2.0
#include "router/control/lifecycle_metrics.h"

#include <utility>

#include "router/control/metric_family.h"

namespace bandit::control {

using prometheus::MetricType;

void LifecycleMetrics::OnReload(bool loaded) {
  if (!loaded) {
    ++failed_;
    return;
  }
  ++loaded_;
  loaded_ms_ = absl::ToUnixMillis(clock_->Now());
}

std::vector<prometheus::MetricFamily> LifecycleMetrics::Collect() const {
  const tls::Credentials::Totals tls = credentials_->totals();
  Family reloads("bandit_config_reloads_total", MetricType::Counter,
                 "Times that the config was loaded again, or could not be");
  reloads.Add({{"result", "ok"}}, static_cast<double>(loaded_));
  reloads.Add({{"result", "failed"}}, static_cast<double>(failed_));
  Family loaded("bandit_config_last_reload_success_timestamp_seconds",
                MetricType::Gauge,
                "When the config in use was loaded, Unix time");
  loaded.Add({}, static_cast<double>(loaded_ms_) * 1e-3);
  Family certificates("bandit_tls_reloads_total", MetricType::Counter,
                      "Changes of TLS files that were taken over, or were "
                      "broken");
  certificates.Add({{"result", "ok"}}, static_cast<double>(tls.reloaded));
  certificates.Add({{"result", "failed"}}, static_cast<double>(tls.failed));
  Family expiry("bandit_tls_certificate_expiry_seconds", MetricType::Gauge,
                "How long the certificate in use is still valid");
  const absl::Time now = clock_->Now();
  for (const auto& [name, ends] : tls.expiry) {
    expiry.Add({{"name", name}}, absl::ToDoubleSeconds(ends - now));
  }
  std::vector<prometheus::MetricFamily> families;
  for (Family* family : {&reloads, &loaded, &certificates, &expiry}) {
    families.push_back(std::move(*family).Take());
  }
  return families;
}

}  // namespace bandit::control
