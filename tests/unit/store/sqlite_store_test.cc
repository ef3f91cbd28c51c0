// SPDX-License-Identifier: Apache-2.0
// What only a file can suffer.
#include "router/store/sqlite_store.h"

#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <sstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/store/temporary_directory.h"

namespace bandit::store {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const Study kRanker{.experiment = "ranker", .epoch = 1};

std::string Refusal(const std::string& path, absl::StatusCode code) {
  const auto store = OpenSqliteStore(path);
  EXPECT_EQ(store.status().code(), code) << store.status();
  return std::string(store.status().message());
}

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream contents;
  contents << file.rdbuf();
  return contents.str();
}

void Sql(const std::string& path, const std::string& sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(db);
  sqlite3_close(db);
}

// Runs `body` in a child process and gives what it returned, as text.
std::string InChild(const std::function<std::string()>& body) {
  int ends[2];
  if (pipe(ends) != 0) return "no pipe";
  const pid_t child = fork();
  if (child == 0) {
    const std::string text = body();
    const bool sent =
        write(ends[1], text.data(), text.size()) == ssize_t(text.size());
    _exit(sent ? 0 : 1);
  }
  close(ends[1]);
  std::string text;
  char buffer[4096];
  ssize_t size;
  while ((size = read(ends[0], buffer, sizeof(buffer))) > 0) {
    text.append(buffer, size_t(size));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? text : "the child crashed";
}

std::string StatusOfOpen(const std::string& path) {
  return OpenSqliteStore(path).status().ToString();
}

TEST(SqliteStoreTest, ASecondOpenIsRefusedAndNamesTheHolder) {
  bandit::testing::TemporaryDirectory files;
  const std::string path = files.File("state.db");
  auto first = OpenSqliteStore(path);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto held = AllOf(HasSubstr(path), HasSubstr("is held by process " +
                                                     std::to_string(getpid())));
  EXPECT_THAT(Refusal(path, absl::StatusCode::kFailedPrecondition), held);
  EXPECT_THAT(InChild([&] { return StatusOfOpen(path); }), held);
  first->reset();
  EXPECT_TRUE(OpenSqliteStore(path).ok());
}

TEST(SqliteStoreTest, AKilledHolderLeavesNoLock) {
  bandit::testing::TemporaryDirectory files;
  const std::string path = files.File("state.db");
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto store = OpenSqliteStore(path);
    const bool sent = write(ready[1], store.ok() ? "y" : "n", 1) == 1;
    pause();
    _exit(sent);
  }
  char answer = 0;
  ASSERT_EQ(read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  EXPECT_FALSE(OpenSqliteStore(path).ok());
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(OpenSqliteStore(path).ok());
  close(ready[0]);
  close(ready[1]);
}

TEST(SqliteStoreTest, AMissingDirectoryIsNamedWithTheMend) {
  bandit::testing::TemporaryDirectory files;
  EXPECT_THAT(Refusal(files.File("no/such/state.db"),
                      absl::StatusCode::kFailedPrecondition),
              AllOf(HasSubstr(files.File("no/such")),
                    HasSubstr("does not exist: make it")));
}

TEST(SqliteStoreTest, ADirectoryInThePlaceOfTheFileIsNamed) {
  bandit::testing::TemporaryDirectory files;
  ASSERT_EQ(mkdir(files.File("state.db").c_str(), 0755), 0);
  EXPECT_THAT(
      Refusal(files.File("state.db"), absl::StatusCode::kFailedPrecondition),
      HasSubstr("is a directory"));
}

// Root may write anywhere, so the child gives its rights up first.
TEST(SqliteStoreTest, WhatMayNotBeWrittenIsNamedWithTheMend) {
  bandit::testing::TemporaryDirectory files;
  const std::string path = files.File("state.db");
  ASSERT_TRUE(OpenSqliteStore(path).ok());
  ASSERT_EQ(chmod(files.File("").c_str(), 0755), 0);
  ASSERT_EQ(chmod((path + ".lock").c_str(), 0666), 0);
  ASSERT_EQ(chmod(path.c_str(), 0444), 0);
  const auto as_nobody = [&] {
    if (geteuid() == 0 && setuid(65534) != 0) return std::string("no setuid");
    return StatusOfOpen(path);
  };
  EXPECT_THAT(InChild(as_nobody),
              AllOf(HasSubstr("FAILED_PRECONDITION"), HasSubstr(path),
                    HasSubstr("make the file and its directory writable")));
  ASSERT_EQ(unlink((path + ".lock").c_str()), 0);
  ASSERT_EQ(chmod(files.File("").c_str(), 0555), 0);
  EXPECT_THAT(InChild(as_nobody),
              AllOf(HasSubstr("FAILED_PRECONDITION"), HasSubstr(path),
                    HasSubstr("make the directory writable")));
  ASSERT_EQ(chmod(files.File("").c_str(), 0755), 0);
}

TEST(SqliteStoreTest, AFileThatIsNoDatabaseIsRefusedAndKept) {
  bandit::testing::TemporaryDirectory files;
  const std::string path = files.File("state.db");
  const std::string garbage(8192, 'x');
  std::ofstream(path) << garbage;
  EXPECT_THAT(Refusal(path, absl::StatusCode::kDataLoss),
              AllOf(HasSubstr(path), HasSubstr("move it away")));
  EXPECT_EQ(Contents(path), garbage);
}

TEST(SqliteStoreTest, ADatabaseOfAnotherProgramIsRefused) {
  bandit::testing::TemporaryDirectory files;
  const std::string path = files.File("state.db");
  Sql(path, "CREATE TABLE songs (name TEXT)");
  EXPECT_THAT(Refusal(path, absl::StatusCode::kFailedPrecondition),
              HasSubstr("not of this router"));
}

TEST(SqliteStoreTest, ADamagedDatabaseIsRefusedAtOpenOrAtRead) {
  bandit::testing::TemporaryDirectory files;
  const std::string path = files.File("state.db");
  {
    auto store = OpenSqliteStore(path);
    auto t = (*store)->Begin();
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(
          (*t)->PutStatistics(kRanker, {"click", i}, std::string(3000, 'v'))
              .ok());
    }
    ASSERT_TRUE((*t)->Commit().ok());
  }
  // All pages but the first, which holds the schema.
  std::string bytes = Contents(path);
  ASSERT_GT(bytes.size(), 100'000u);
  std::fill(bytes.begin() + 4096, bytes.end(), '\x5a');
  std::ofstream(path, std::ios::binary) << bytes;
  auto store = OpenSqliteStore(path);
  const absl::Status status =
      store.ok() ? (*store)->Statistics(kRanker).status() : store.status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(path));
}

TEST(SqliteStoreTest, ANewerSchemaIsRefusedWithBothVersions) {
  bandit::testing::TemporaryDirectory files;
  const std::string path = files.File("state.db");
  ASSERT_TRUE(OpenSqliteStore(path).ok());
  Sql(path, "UPDATE meta SET value = '99' WHERE key = 'schema_version'");
  EXPECT_THAT(Refusal(path, absl::StatusCode::kFailedPrecondition),
              AllOf(HasSubstr("version 99"), HasSubstr("up to 2")));
}

absl::Status WriteMuch(StateStore& store) {
  auto t = store.Begin();
  if (!t.ok()) return t.status();
  for (int i = 0; i < 100; ++i) {
    auto status =
        (*t)->PutStatistics(kRanker, {"click", i}, std::string(20'000, 'v'));
    if (!status.ok()) return status;
  }
  return (*t)->Commit();
}

// The limit on file size stands for any I/O error: writing fails, and works
// again once the cause is gone, with the same open store.
TEST(SqliteStoreTest, AnIoErrorIsUnavailableAndHeals) {
  bandit::testing::TemporaryDirectory files;
  const std::string path = files.File("state.db");
  const auto told = InChild([&] {
    signal(SIGXFSZ, SIG_IGN);
    auto store = OpenSqliteStore(path);
    const rlimit small{.rlim_cur = 200'000, .rlim_max = RLIM_INFINITY};
    if (setrlimit(RLIMIT_FSIZE, &small) != 0) return std::string("no limit");
    std::string text = WriteMuch(**store).ToString();
    const rlimit large{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &large);
    text += "|" + std::to_string((*store)->Statistics(kRanker)->size());
    text += "|" + WriteMuch(**store).ToString();
    return text + "|" + std::to_string((*store)->Statistics(kRanker)->size());
  });
  EXPECT_THAT(told, AllOf(HasSubstr("UNAVAILABLE"), HasSubstr(path),
                          HasSubstr("|0|OK|100")));
}

TEST(SqliteStoreTest, AFullDiskIsUnavailableAndHeals) {
  bandit::testing::TemporaryDirectory files;
  const auto told = InChild([&] {
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", files.File("").c_str(), "tmpfs", 0, "size=512k") != 0) {
      return std::string("skip");
    }
    auto store = OpenSqliteStore(files.File("state.db"));
    if (!store.ok()) return store.status().ToString();
    std::string text = WriteMuch(**store).ToString();
    mount("tmpfs", files.File("").c_str(), "tmpfs", MS_REMOUNT, "size=32m");
    return text + "|" + WriteMuch(**store).ToString();
  });
  if (told == "skip") GTEST_SKIP() << "needs the right to mount";
  EXPECT_THAT(told,
              AllOf(HasSubstr("UNAVAILABLE"), HasSubstr(files.File("state.db")),
                    HasSubstr("free space"), HasSubstr("|OK")));
}

// As the tables of version 1 were: a router of before finds them again.
TEST(SqliteStoreTest, AFileOfVersion1GetsWhatItLacksAndKeepsTheRest) {
  bandit::testing::TemporaryDirectory files;
  const std::string path = files.File("state.db");
  {
    auto store = OpenSqliteStore(path);
    auto t = (*store)->Begin();
    ASSERT_TRUE((*t)->PutExperiment("ranker", {3, "f"}).ok());
    ASSERT_TRUE((*t)->Commit().ok());
  }
  Sql(path,
      "DROP TABLE notes; DROP TABLE audit; "
      "UPDATE meta SET value = '1' WHERE key = 'schema_version'");
  auto store = OpenSqliteStore(path);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ((*store)->Experiments()->at("ranker").epoch, 3u);
  auto t = (*store)->Begin();
  ASSERT_TRUE((*t)->PutNote("ranker", "lifecycle", "x").ok());
  EXPECT_EQ((*t)->AppendAudit({})->sequence, 1);
  EXPECT_TRUE((*t)->Commit().ok());
}

TEST(SqliteStoreTest, TheAuditLogCannotBeChangedAndAForcedChangeShows) {
  bandit::testing::TemporaryDirectory files;
  const std::string path = files.File("state.db");
  auto store = OpenSqliteStore(path);
  auto t = (*store)->Begin();
  for (const char* act : {"start", "pause", "conclude"}) {
    ASSERT_TRUE((*t)->AppendAudit({.who = "ann", .act = act}).ok());
  }
  ASSERT_TRUE((*t)->Commit().ok());
  t->reset();
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  for (const char* sql :
       {"UPDATE audit SET who = 'bob' WHERE sequence = 2",
        "DELETE FROM audit WHERE sequence = 2", "DELETE FROM audit"}) {
    EXPECT_NE(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    EXPECT_THAT(sqlite3_errmsg(db), HasSubstr("append-only"));
  }
  sqlite3_close(db);
  EXPECT_TRUE(VerifyAudit({}, *(*store)->Audit(0, 9)).ok());
  Sql(path,
      "DROP TRIGGER audit_keeps; "
      "UPDATE audit SET who = 'bob' WHERE sequence = 2");
  const absl::Status changed = VerifyAudit({}, *(*store)->Audit(0, 9));
  EXPECT_EQ(changed.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(changed.message()), HasSubstr("entry 2"));
}

// A hot backup must be possible: another program reads while we write.
// SQLite would go on writing into a file that has no name any more.
TEST(SqliteStoreTest, AFileThatIsTakenAwayIsNoticedAndHealsWhenPutBack) {
  bandit::testing::TemporaryDirectory files;
  const std::string path = files.File("state.db");
  auto store = OpenSqliteStore(path);
  ASSERT_TRUE(store.ok()) << store.status();
  ASSERT_EQ(rename(path.c_str(), files.File("away.db").c_str()), 0);
  const absl::Status gone = (*store)->Begin().status();
  EXPECT_EQ(gone.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(gone.message()),
              AllOf(HasSubstr(path), HasSubstr("removed or replaced"),
                    HasSubstr("restart the router")));
  // Another file in its place is not the same.
  std::ofstream(path) << "";
  EXPECT_FALSE((*store)->Begin().ok());
  ASSERT_EQ(rename(files.File("away.db").c_str(), path.c_str()), 0);
  auto transaction = (*store)->Begin();
  ASSERT_TRUE(transaction.ok()) << transaction.status();
  EXPECT_TRUE((*transaction)->Commit().ok());
}

TEST(SqliteStoreTest, AnotherProgramMayReadMeanwhile) {
  bandit::testing::TemporaryDirectory files;
  const std::string path = files.File("state.db");
  auto store = OpenSqliteStore(path);
  auto t = (*store)->Begin();
  ASSERT_TRUE((*t)->PutExperiment("ranker", {1, "f"}).ok());
  Sql(path, "SELECT count(*) FROM experiments");
  ASSERT_TRUE((*t)->Commit().ok());
}

}  // namespace
}  // namespace bandit::store
