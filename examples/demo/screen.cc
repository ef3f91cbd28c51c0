// SPDX-License-Identifier: Apache-2.0
#include "examples/demo/screen.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "fmt/format.h"

namespace bandit::demo {
namespace {

constexpr absl::Duration kRecent = absl::Seconds(5);

std::string Bar(double done, int width) {
  const int filled =
      std::clamp(static_cast<int>(std::lround(done * width)), 0, width);
  return std::string(filled, '#') + std::string(width - filled, '.');
}

std::string DeviceShares(const View& view, const RunFacts& run,
                         const Tally& tally, Device device) {
  const std::vector<double> shares =
      tally.Shares(view.elapsed - kRecent, absl::InfiniteDuration(), device);
  std::string line = fmt::format("on {:<9}", DeviceName(device));
  for (size_t arm = 0; arm < tally.arms(); ++arm) {
    line += fmt::format("  {} {:.0f} %", run.arms[arm].name, 100 * shares[arm]);
  }
  return line + "\n";
}

}  // namespace

std::string RenderTable(const View& view, const RunFacts& run,
                        const Tally& tally) {
  std::string text =
      fmt::format("{:<16} [{}] {:>3.0f} of {:.0f} s\n", run.policy,
                  Bar(absl::FDivDuration(view.elapsed, view.total), 40),
                  absl::ToDoubleSeconds(std::min(view.elapsed, view.total)),
                  absl::ToDoubleSeconds(view.total));
  text +=
      fmt::format("{:<12}{:>8}{:>13}{:>12}{:>10}{:>10}{:>10}\n", "arm", "share",
                  "probability", "% correct", "rewards", "p50 ms", "p99 ms");
  const std::vector<double> shares =
      tally.Shares(view.elapsed - kRecent, absl::InfiniteDuration());
  for (size_t arm = 0; arm < tally.arms(); ++arm) {
    const Tally::Cell cell = tally.Arm(arm);
    const std::string probability =
        run.router.has_value() &&
                static_cast<int>(arm) < run.router->arms_size()
            ? fmt::format("{:.3f}",
                          run.router->arms(static_cast<int>(arm)).probability())
            : "-";
    text += fmt::format(
        "{:<12}{:>6.0f} %{:>13}{:>12.1f}{:>10}{:>10.1f}{:>10.1f}\n",
        run.arms[arm].name, 100 * shares[arm], probability, 100 * cell.mean(),
        cell.rewards, absl::ToDoubleMilliseconds(tally.Latency(arm, 0.5)),
        absl::ToDoubleMilliseconds(tally.Latency(arm, 0.99)));
  }
  text += fmt::format(
      "{} requests ({} failed, {} in flight), {} rewards accepted, {} to "
      "come\n",
      tally.served(), tally.failed(), view.in_flight,
      tally.outcomes(v1::ACCEPTED), view.rewards_open);
  if (run.contextual) {
    for (const Device device : kDevices) {
      text += DeviceShares(view, run, tally, device);
    }
  }
  return text;
}

void Screen::Draw(std::string_view text) {
  if (!terminal_) {
    fmt::print(out_, "{}\n", text);
    std::fflush(out_);
    return;
  }
  // Up to the first line of the last drawing; each line clears its rest.
  std::string frame = lines_ > 0 ? fmt::format("\x1b[{}A", lines_) : "";
  lines_ = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    frame += fmt::format("\r{}\x1b[K\n", text.substr(0, end));
    ++lines_;
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  fmt::print(out_, "{}", frame);
  std::fflush(out_);
}

}  // namespace bandit::demo
