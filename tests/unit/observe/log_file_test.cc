// SPDX-License-Identifier: Apache-2.0
#include "router/observe/log_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "gtest/gtest.h"
#include "tests/unit/store/temporary_directory.h"

namespace bandit::observe {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class LogFileTest : public ::testing::Test {
 protected:
  std::unique_ptr<LogFile> Open(const std::string& path) {
    auto file = LogFile::Open(path, &tally_);
    EXPECT_TRUE(file.ok()) << file.status();
    return *std::move(file);
  }

  bandit::testing::TemporaryDirectory files_;
  Tally::Results tally_;
};

TEST_F(LogFileTest, AppendsLinesToAFile) {
  const std::string path = files_.File("access.log");
  std::ofstream(path) << "there\n";
  const auto log = Open(path);
  log->Add("one\n");
  log->Add("two\n");
  log->Flush(0);
  EXPECT_EQ(Contents(path), "there\none\ntwo\n");
  EXPECT_EQ(tally_.done.value(), 2u);
}

TEST_F(LogFileTest, OthersMayNotReadANewFile) {
  const std::string path = files_.File("access.log");
  Open(path);
  struct stat about {};
  ASSERT_EQ(stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07, 0u);
}

// As logrotate does it: rename, reload.
TEST_F(LogFileTest, OpenedAgainItGoesOnInANewFile) {
  const std::string path = files_.File("access.log");
  auto log = Open(path);
  log->Add("one\n");
  log->Flush(0);
  ASSERT_EQ(rename(path.c_str(), files_.File("access.log.1").c_str()), 0);
  log = Open(path);
  log->Add("two\n");
  log->Flush(0);
  EXPECT_EQ(Contents(files_.File("access.log.1")), "one\n");
  EXPECT_EQ(Contents(path), "two\n");
}

TEST_F(LogFileTest, APlaceThatCannotBeOpenedIsNamed) {
  const auto log =
      LogFile::Open(files_.File("no/such/directory/access.log"), &tally_);
  ASSERT_FALSE(log.ok());
  EXPECT_NE(log.status().message().find("No such file or directory"),
            absl::string_view::npos);
  EXPECT_NE(log.status().message().find("access_log.path = "),
            absl::string_view::npos);
}

TEST_F(LogFileTest, AFullDiskLosesLinesAndGoesOn) {
  const auto log = Open("/dev/full");
  log->Add("one\n");
  log->Add("two\n");
  log->Flush(0);
  log->Add("three\n");
  log->Flush(kSecond / 2);
  EXPECT_EQ(tally_.done.value(), 0u);
  EXPECT_EQ(tally_.failed.value(), 3u);
}

// A file that may not grow takes a part of the last line.
TEST_F(LogFileTest, ALineThatWasCutIsEndedBeforeTheNext) {
  const std::string path = files_.File("access.log");
  const auto log = Open(path);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 6;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  log->Add("one\n");
  log->Add("two\n");
  log->Flush(0);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(tally_.done.value(), 1u);
  EXPECT_EQ(tally_.failed.value(), 1u);
  log->Add("three\n");
  log->Flush(0);
  EXPECT_EQ(Contents(path), "one\ntw\nthree\n");
  EXPECT_EQ(tally_.done.value(), 2u);
}

class PipeTest : public LogFileTest {
 protected:
  PipeTest() {
    path_ = files_.File("pipe");
    EXPECT_EQ(mkfifo(path_.c_str(), 0600), 0);
    reader_ = open(path_.c_str(), O_RDONLY | O_NONBLOCK);
    EXPECT_GE(reader_, 0);
  }
  ~PipeTest() override { CloseReader(); }

  void CloseReader() {
    if (reader_ >= 0) close(reader_);
    reader_ = -1;
  }
  std::string ReadAll() {
    std::string all;
    char buffer[65536];
    ssize_t size = 0;
    while ((size = read(reader_, buffer, sizeof buffer)) > 0) {
      all.append(buffer, static_cast<size_t>(size));
    }
    return all;
  }

  std::string path_;
  int reader_ = -1;
};

TEST_F(PipeTest, AReaderThatSleepsIsNotWaitedForAndMissesNoKeptLine) {
  const auto log = Open(path_);
  const std::string line = std::string(999, 'x') + "\n";
  for (int i = 0; i < 1000; ++i) log->Add(line);
  log->Flush(0);  // More than a pipe holds: returns all the same.
  EXPECT_LT(tally_.done.value(), 1000u);
  std::string all;
  while (tally_.done.value() < 1000) {
    all += ReadAll();
    log->Flush(0);
  }
  all += ReadAll();
  EXPECT_EQ(all.size(), 1000 * line.size());
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 1000);
}

TEST_F(PipeTest, WhatWaitsIsBounded) {
  const auto log = Open(path_);
  const std::string line = std::string(999, 'x') + "\n";
  const size_t fit = LogFile::kRoom / line.size();
  for (size_t i = 0; i < fit + 10; ++i) log->Add(line);
  EXPECT_EQ(tally_.dropped.value(), 10u);
}

TEST_F(PipeTest, AReaderThatIsGoneIsAnErrorNotAnEnd) {
  signal(SIGPIPE, SIG_IGN);
  const auto log = Open(path_);
  CloseReader();
  log->Add("one\n");
  log->Flush(0);
  EXPECT_EQ(tally_.failed.value(), 1u);
}

TEST_F(PipeTest, WhatIsLeftAtTheEndCountsAsFailed) {
  {
    const auto log = Open(path_);
    log->Add("one\n");
  }
  EXPECT_EQ(tally_.failed.value(), 1u);
}

TEST_F(LogFileTest, APipeThatNobodyReadsIsNotWaitedFor) {
  const std::string path = files_.File("pipe");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_FALSE(LogFile::Open(path, &tally_).ok());
}

}  // namespace
}  // namespace bandit::observe
