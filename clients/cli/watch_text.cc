// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/watch_text.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_split.h"
#include "clients/cli/lifecycle_text.h"
#include "clients/cli/report_format.h"
#include "clients/cli/status_format.h"
#include "fmt/format.h"

namespace bandit::cli {
namespace {

// Events that the screen shows.
constexpr size_t kShownEvents = 8;

using Lines = std::vector<StyledLine>;

std::string Clock(absl::Time time) {
  return absl::FormatTime("%H:%M:%S", time, absl::LocalTimeZone());
}

// Lines that end with \n, in one ink.
void Append(const std::string& text, Ink ink, Lines* lines) {
  for (const auto line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    lines->push_back({{std::string(line), ink}});
  }
}

const v1::ArmMetric* MetricOf(const v1::Report* report,
                              const std::string& arm) {
  if (report == nullptr || report->metrics().empty()) return nullptr;
  for (const v1::ArmMetric& metric : report->metrics(0).arms()) {
    if (metric.arm() == arm) return &metric;
  }
  return nullptr;
}

std::string MeanOf(const v1::ArmStatus& arm, const v1::ArmMetric* metric) {
  if (metric != nullptr && metric->mean().has_value()) {
    return Number(metric->mean().value());
  }
  return arm.reward_count() > 0 ? Number(arm.reward_mean())
                                : std::string(kNothing);
}

Ink InkOf(const v1::ArmStatus& arm) {
  if (arm.state() == "ejected") return Ink::kBad;
  if (arm.state() == "probation") return Ink::kWarn;
  return Ink::kPlain;
}

// The table of an experiment's arms.
class ArmTable {
 public:
  ArmTable(const WatchHistory& history, const v1::ExperimentStatus& experiment,
           const Canvas& canvas)
      : history_(history),
        experiment_(experiment),
        report_(history.report(experiment.name())),
        canvas_(canvas) {}

  void AddTo(Lines* lines) const {
    const double alpha = report_ == nullptr ? 0.05 : report_->alpha();
    const std::string metric = experiment_.reward_metric().empty()
                                   ? "reward"
                                   : experiment_.reward_metric();
    // The interval holds however often one looks, as one does here.
    const Column columns[kColumns] = {
        {.header = "arm", .left = true},
        {.header = "prob"},
        {.header = "", .left = true, .drop = 6, .least = 4, .most = 16},
        {.header = "share"},
        {.header = "", .left = true, .drop = 10, .least = 4, .most = 16},
        {.header = "share over time",
         .left = true,
         .drop = 5,
         .least = 15,
         .most = 60},
        {.header = metric, .drop = 3},
        {.header = fmt::format("{:g} % anytime", 100 * (1 - alpha)), .drop = 7},
        {.header = "p50 ms", .drop = 9},
        {.header = "p95 ms", .drop = 8},
        {.header = "p99 ms", .drop = 4},
        {.header = "errors"}};
    std::vector<std::vector<std::string>> rows;
    std::vector<size_t> needed;
    for (const Column& column : columns) {
      needed.push_back(WidthOf(column.header));
    }
    for (const v1::ArmStatus& arm : experiment_.arms()) {
      rows.push_back(Cells(arm));
      for (size_t i = 0; i < kColumns; ++i) {
        needed[i] = std::max(needed[i], WidthOf(rows.back()[i]));
      }
    }
    const std::vector<size_t> widths = Layout(columns, needed, canvas_.width);
    StyledLine header;
    for (size_t i = 0; i < kColumns; ++i) {
      AddCell(columns[i], columns[i].header, widths[i], Ink::kDim, &header);
    }
    lines->push_back(std::move(header));
    for (size_t a = 0; a < rows.size(); ++a) {
      const v1::ArmStatus& arm = experiment_.arms(static_cast<int>(a));
      StyledLine line;
      for (size_t i = 0; i < kColumns; ++i) {
        AddCell(columns[i], Stretched(i, arm, rows[a][i], widths[i]), widths[i],
                CellInk(i, arm), &line);
      }
      lines->push_back(std::move(line));
    }
  }

 private:
  static constexpr size_t kColumns = 12;
  static constexpr size_t kProbabilityBar = 2, kShareBar = 4, kSpark = 5,
                          kErrors = 11;

  double Share(const v1::ArmStatus& arm) const {
    return experiment_.decisions() > 0
               ? static_cast<double>(arm.decisions()) /
                     static_cast<double>(experiment_.decisions())
               : std::nan("");
  }

  std::vector<std::string> Cells(const v1::ArmStatus& arm) const {
    const v1::ArmMetric* metric = MetricOf(report_, arm.name());
    const bool finished = !arm.codes().empty();
    const auto quantile = [&](const google::protobuf::Duration& duration) {
      return finished ? Milliseconds(duration) : std::string(kNothing);
    };
    const double share = Share(arm);
    uint64_t errors = 0;
    for (const auto& [code, count] : ErrorsOf(arm)) errors += count;
    return {
        arm.name(),
        fmt::format("{:.4f}", arm.probability()),
        "",
        std::isnan(share) ? std::string(kNothing)
                          : fmt::format("{:.1f} %", 100 * share),
        "",
        "",
        MeanOf(arm, metric),
        Range(metric != nullptr && metric->mean().has_anytime(),
              metric != nullptr ? metric->mean().anytime() : v1::Interval()),
        quantile(arm.latency().p50()),
        quantile(arm.latency().p95()),
        quantile(arm.latency().p99()),
        fmt::format("{}", errors)};
  }

  // The cell of a column that takes what width it is given.
  std::string Stretched(size_t column, const v1::ArmStatus& arm,
                        const std::string& cell, size_t width) const {
    if (column == kProbabilityBar)
      return Bar(arm.probability(), width, canvas_);
    if (column == kShareBar) return Bar(Share(arm), width, canvas_);
    if (column != kSpark) return cell;
    const auto& shares = history_.shares(experiment_.name(), arm.name());
    return Sparkline(std::vector<double>(shares.begin(), shares.end()), width,
                     canvas_);
  }

  static Ink CellInk(size_t column, const v1::ArmStatus& arm) {
    if (column == kErrors) {
      return ErrorsOf(arm).empty() ? Ink::kPlain : Ink::kWarn;
    }
    const bool drawn =
        column == kProbabilityBar || column == kShareBar || column == kSpark;
    return drawn ? Ink::kGood : InkOf(arm);
  }

  static void AddCell(const Column& column, const std::string& text,
                      size_t width, Ink ink, StyledLine* line) {
    if (width == 0) return;
    const size_t own = WidthOf(text);
    const std::string pad(width > own ? width - own : 0, ' ');
    line->push_back({"  ", Ink::kPlain});
    line->push_back({column.left ? text + pad : pad + text, ink});
  }

  const WatchHistory& history_;
  const v1::ExperimentStatus& experiment_;
  const v1::Report* report_;
  const Canvas& canvas_;
};

void AddExperiment(const WatchHistory& history,
                   const v1::ExperimentStatus& experiment, const Canvas& canvas,
                   Lines* lines) {
  const double rate = history.rate(experiment.name());
  lines->push_back({});
  lines->push_back(
      {{experiment.name(), Ink::kBold},
       {fmt::format(
            ": {}{}{}, epoch {}, {} decisions{}", experiment.policy(),
            experiment.reward_metric().empty() ? "" : " on ",
            experiment.reward_metric(), experiment.epoch(),
            experiment.decisions(),
            std::isnan(rate) ? "" : fmt::format(", {:.3g} a second", rate)),
        Ink::kPlain}});
  Append(RenderLifecycle(experiment.lifecycle()), Ink::kWarn, lines);
  ArmTable(history, experiment, canvas).AddTo(lines);
  Append(RenderGuardrails(experiment), Ink::kBad, lines);
  if (const v1::Report* report = history.report(experiment.name());
      report != nullptr) {
    const bool mismatch = report->split().verdict() == v1::SplitCheck::MISMATCH;
    lines->push_back({{fmt::format("  split: {}", SplitWords(report->split())),
                       mismatch ? Ink::kBad : Ink::kDim}});
  }
  for (const v1::MetricStatus& metric : experiment.metrics()) {
    const std::string outcomes = JoinCounts(SortedCounts(metric.outcomes()));
    lines->push_back({{fmt::format("  rewards for {}: {}", metric.name(),
                                   outcomes.empty() ? "none yet" : outcomes),
                       Ink::kDim}});
  }
}

Lines Screen(const WatchHistory& history, const std::string& address,
             const Canvas& canvas) {
  Lines lines;
  if (history.status().has_value()) {
    const v1::RouterStatus& status = *history.status();
    lines.push_back(
        {{fmt::format("bandit-router {}", status.version()), Ink::kBold},
         {fmt::format(" at {}, up {}, {}", address,
                      AgeWords(status.started(), history.answered()),
                      Clock(history.time())),
          Ink::kPlain}});
  }
  if (!history.failure().empty()) {
    lines.push_back(
        {{fmt::format("NO ANSWER for {}, asked again all the time; below is "
                      "what was last seen: {}",
                      DurationWords(history.time() - history.answered()),
                      history.failure()),
          Ink::kBad}});
  }
  if (!history.status().has_value()) return lines;
  const v1::RouterStatus& status = *history.status();
  if (!status.degraded().empty()) {
    lines.push_back({{"DEGRADED: " + status.degraded(), Ink::kBad}});
  }
  if (status.experiments().empty()) lines.push_back({{"no experiments"}});
  for (const v1::ExperimentStatus& experiment : status.experiments()) {
    AddExperiment(history, experiment, canvas, &lines);
  }
  lines.push_back({});
  const auto& events = history.events();
  lines.push_back({{events.empty() ? "no events since the start"
                                   : "events since the start, the newest first",
                    Ink::kDim}});
  for (size_t i = 0; i < std::min(events.size(), kShownEvents); ++i) {
    const WatchEvent& event = events[events.size() - 1 - i];
    lines.push_back({{"  " + Clock(event.time) + "  ", Ink::kDim},
                     {event.text, event.bad ? Ink::kBad : Ink::kPlain}});
  }
  if (events.size() > kShownEvents) {
    lines.push_back(
        {{fmt::format("  and {} earlier ones", events.size() - kShownEvents),
          Ink::kDim}});
  }
  return lines;
}

}  // namespace

std::vector<std::string> RenderScreen(const WatchHistory& history,
                                      const std::string& address,
                                      const Canvas& canvas) {
  std::vector<std::string> painted;
  for (const StyledLine& line : Screen(history, address, canvas)) {
    painted.push_back(Paint(line, canvas));
  }
  return painted;
}

std::vector<std::string> Window(absl::Span<const std::string> lines,
                                size_t scroll, const Canvas& canvas) {
  if (canvas.height == 0) return {};
  const size_t room = canvas.height - 1;
  const size_t most = lines.size() > room ? lines.size() - room : 0;
  const size_t from = std::min(scroll, most);
  const size_t count = std::min(room, lines.size() - from);
  std::vector<std::string> window(lines.begin() + from,
                                  lines.begin() + from + count);
  // The footer is the last line of the terminal.
  window.resize(room);
  const size_t below = lines.size() - from - count;
  std::string footer = "q ends";
  if (most > 0) {
    footer += fmt::format("; arrows scroll: {} above, {} below", from, below);
  }
  window.push_back(Paint({{footer, Ink::kDim}}, canvas));
  return window;
}

}  // namespace bandit::cli
