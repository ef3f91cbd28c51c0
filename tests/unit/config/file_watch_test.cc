// SPDX-License-Identifier: Apache-2.0
#include "router/config/file_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/store/temporary_directory.h"

namespace bandit::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

class FileWatchTest : public ::testing::Test {
 protected:
  static void Write(const fs::path& path, const std::string& text) {
    std::ofstream(path) << text;
  }

  // Looks until what there is has been told.
  void Settle() {
    watch.Look();
    watch.Look();
    ASSERT_THAT(watch.Look(), IsEmpty());
  }

  const bandit::testing::TemporaryDirectory temporary;
  const fs::path directory = temporary.File("");
  const fs::path file = temporary.File("file");
  FileWatch watch;
};

TEST_F(FileWatchTest, ANewOneIsToldOnceAtTheSecondLook) {
  Write(file, "a");
  watch.Watch({file});
  EXPECT_THAT(watch.Look(), IsEmpty());
  EXPECT_THAT(watch.Look(), ElementsAre(file));
  EXPECT_THAT(watch.Look(), IsEmpty());
}

TEST_F(FileWatchTest, AChangeIsToldWhenItHasSettled) {
  Write(file, "a");
  watch.Watch({file});
  Settle();
  Write(file, "ab");
  EXPECT_THAT(watch.Look(), IsEmpty());
  Write(file, "abc");  // Still being written.
  EXPECT_THAT(watch.Look(), IsEmpty());
  EXPECT_THAT(watch.Look(), ElementsAre(file));
}

TEST_F(FileWatchTest, AnExchangedFileHasChanged) {
  Write(file, "a");
  watch.Watch({file});
  Settle();
  Write(directory / "new", "b");
  fs::rename(directory / "new", file);
  watch.Look();
  EXPECT_THAT(watch.Look(), ElementsAre(file));
}

// A Kubernetes volume: file -> ..data/file, ..data -> one.
TEST_F(FileWatchTest, AnExchangedLinkOnTheWayIsSeen) {
  for (const char* name : {"one", "two"}) {
    fs::create_directory(directory / name);
    Write(directory / name / "file", "a");
  }
  fs::create_symlink("one", directory / "..data");
  fs::create_symlink("..data/file", file);
  watch.Watch({file});
  Settle();
  fs::create_symlink("two", directory / "new");
  fs::rename(directory / "new", directory / "..data");
  watch.Look();
  EXPECT_THAT(watch.Look(), ElementsAre(file));
}

TEST_F(FileWatchTest, AFileThatIsGoneIsWaitedFor) {
  Write(file, "a");
  watch.Watch({file});
  Settle();
  fs::remove(file);
  watch.Look();
  EXPECT_THAT(watch.Look(), IsEmpty());
  Write(file, "new");
  watch.Look();
  EXPECT_THAT(watch.Look(), ElementsAre(file));
}

TEST_F(FileWatchTest, WatchingAgainForgetsNothingOfTheSameFile) {
  Write(file, "a");
  watch.Watch({file});
  Settle();
  watch.Watch({file, directory / "other"});
  watch.Look();
  EXPECT_THAT(watch.Look(), IsEmpty());
  watch.Watch({});
  Write(file, "ab");
  watch.Look();
  EXPECT_THAT(watch.Look(), IsEmpty());
}

}  // namespace
}  // namespace bandit::config
