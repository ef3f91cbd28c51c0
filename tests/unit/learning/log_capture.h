// SPDX-License-Identifier: Apache-2.0
// What is logged while this lives.
#ifndef BANDIT_TESTS_UNIT_LEARNING_LOG_CAPTURE_H_
#define BANDIT_TESTS_UNIT_LEARNING_LOG_CAPTURE_H_

#include <memory>
#include <sstream>
#include <string>

#include "spdlog/sinks/ostream_sink.h"
#include "spdlog/spdlog.h"

namespace bandit::testing {

class LogCapture {
 public:
  LogCapture() : before_(spdlog::default_logger()) {
    auto logger = std::make_shared<spdlog::logger>(
        "capture", std::make_shared<spdlog::sinks::ostream_sink_mt>(lines_));
    logger->set_pattern("%l %v");
    spdlog::set_default_logger(logger);
  }
  ~LogCapture() { spdlog::set_default_logger(before_); }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  // While no other thread logs.
  std::string text() const { return lines_.str(); }
  int CountOf(const std::string& part) const {
    const std::string all = text();
    int count = 0;
    for (size_t at = all.find(part); at != all.npos;
         at = all.find(part, at + 1)) {
      ++count;
    }
    return count;
  }

 private:
  std::shared_ptr<spdlog::logger> before_;
  std::ostringstream lines_;
};

}  // namespace bandit::testing

#endif  // BANDIT_TESTS_UNIT_LEARNING_LOG_CAPTURE_H_
