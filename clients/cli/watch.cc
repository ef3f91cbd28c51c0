// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/watch.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>

#include "clients/cli/terminal.h"
#include "clients/cli/watch_history.h"
#include "clients/cli/watch_text.h"
#include "clients/cli/watcher.h"

namespace bandit::cli {
namespace {

std::string_view Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The first of these that is set says what characters there are.
bool IsUtf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view locale = Variable(name);
    if (locale.empty()) continue;
    return locale.find("UTF-8") != locale.npos ||
           locale.find("utf8") != locale.npos;
  }
  return false;
}

Canvas CanvasNow() {
  Canvas canvas{.color = Variable("NO_COLOR").empty(), .unicode = IsUtf8()};
  Terminal::Size(&canvas.width, &canvas.height);
  return canvas;
}

// The loop of one `watch`.
class Session {
 public:
  Session(const RouterAddress& router, const WatchOptions& options)
      : address_(router.address),
        options_(options),
        live_(!options.json && Terminal::Usable()),
        watcher_(router, {.experiment = options.experiment,
                          .interval = absl::Seconds(options.interval_seconds),
                          .reports = live_}) {}

  Result Run() {
    while (true) {
      pollfd fds[] = {{.fd = watcher_.fd(), .events = POLLIN, .revents = 0},
                      {.fd = attention_.fd(), .events = POLLIN, .revents = 0},
                      {.fd = terminal_.has_value() ? STDIN_FILENO : -1,
                       .events = POLLIN,
                       .revents = 0}};
      poll(fds, std::size(fds), -1);
      attention_.Clear();
      if (attention_.TakeEnd()) return {};
      for (const Watcher::Seen& seen : watcher_.Take()) {
        if (auto result = Show(seen); result.has_value()) return *result;
      }
      if (!terminal_.has_value()) {
        // Without a screen there is nothing to give back first.
        if (attention_.TakeStop()) std::raise(SIGSTOP);
        continue;
      }
      if (attention_.TakeStop()) terminal_->Suspend();
      attention_.TakeResize();
      if (!Keys()) return {};
      Redraw();
    }
  }

 private:
  // A result: that is the end.
  std::optional<Result> Show(const Watcher::Seen& seen) {
    // A wrong address is better told than waited for.
    if (++looks_ == 1 && seen.result.code != ExitCode::kOk) return seen.result;
    const std::vector<WatchEvent> events = history_.Add(seen.look);
    if (live_) {
      if (!terminal_.has_value()) terminal_.emplace();
    } else {
      const std::string text = options_.json ? RenderJsonLine(seen.look, events)
                                             : RenderAppended(history_, events);
      if (std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
        return Result{ExitCode::kNoAnswer, "",
                      "banditctl: standard output cannot be written\n"};
      }
    }
    if (options_.count == 0 || looks_ < options_.count) return std::nullopt;
    // What was on the screen goes with it.
    Result result{seen.result.code, "", seen.result.error};
    if (terminal_.has_value()) {
      for (const std::string& line :
           RenderScreen(history_, address_, CanvasNow())) {
        result.out += line + "\n";
      }
    }
    return result;
  }

  // False: somebody wants to end it.
  bool Keys() {
    const size_t page = std::max<size_t>(CanvasNow().height, 2) - 1;
    while (true) {
      switch (terminal_->ReadKey()) {
        case Terminal::Key::kNone:
          return true;
        case Terminal::Key::kQuit:
        case Terminal::Key::kGone:
          return false;
        case Terminal::Key::kUp:
          scroll_ -= std::min<size_t>(scroll_, 1);
          break;
        case Terminal::Key::kDown:
          ++scroll_;
          break;
        case Terminal::Key::kPageUp:
          scroll_ -= std::min(scroll_, page);
          break;
        case Terminal::Key::kPageDown:
          scroll_ += page;
          break;
        case Terminal::Key::kHome:
          scroll_ = 0;
          break;
      }
    }
  }

  void Redraw() {
    const Canvas canvas = CanvasNow();
    const std::vector<std::string> lines =
        RenderScreen(history_, address_, canvas);
    const size_t room = std::max<size_t>(canvas.height, 1) - 1;
    scroll_ = std::min(scroll_, lines.size() - std::min(lines.size(), room));
    terminal_->Draw(Window(lines, scroll_, canvas));
  }

  const std::string address_;
  const WatchOptions options_;
  const bool live_;
  WatchHistory history_;
  uint64_t looks_ = 0;
  size_t scroll_ = 0;
  Attention attention_;
  Watcher watcher_;
  // Taken over when there is something to show. Ends first.
  std::optional<Terminal> terminal_;
};

}  // namespace

Result Watch(const RouterAddress& router, const WatchOptions& options) {
  return Session(router, options).Run();
}

}  // namespace bandit::cli
