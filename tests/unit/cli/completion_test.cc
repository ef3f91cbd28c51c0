// SPDX-License-Identifier: Apache-2.0
// What shells are offered, over banditctl's own command line.
#include "clients/cli/completion.h"

#include <cstdlib>

#include "clients/cli/command_table.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

class CompletionTest : public ::testing::Test {
 protected:
  CompletionTest() {
    unsetenv("BANDIT_ADDRESS");
    unsetenv("BANDIT_CONTROL_TOKEN");
    for (const char* name : {"ranker", "search"}) {
      v1::ExperimentStatus* e = status_.add_experiments();
      e->set_name(name);
      e->set_policy("thompson");
      e->add_metrics()->set_name("click");
      e->add_metrics()->set_name(std::string("spend_") + name);
      e->add_arms()->set_name(std::string(name) + "-old");
      e->add_arms()->set_name(std::string(name) + "-new");
    }
  }

  std::vector<std::string> Words(const std::vector<std::string>& line) {
    std::vector<std::string> words;
    for (const Suggestion& s : Ask(line).words) words.push_back(s.word);
    return words;
  }
  Suggestions Ask(const std::vector<std::string>& line) {
    asked_.reset();
    return Suggest(*app_, line,
                   [this](const RouterAddress& router)
                       -> absl::StatusOr<v1::RouterStatus> {
                     asked_ = router;
                     if (down_) return absl::UnavailableError("down");
                     return status_;
                   });
  }

  Chosen chosen_;
  const std::unique_ptr<CLI::App> app_ = MakeApp(&chosen_);
  v1::RouterStatus status_;
  bool down_ = false;
  std::optional<RouterAddress> asked_;
};

TEST_F(CompletionTest, OffersEverySubcommandThatHelpLists) {
  const std::vector<std::string> words = Words({""});
  const std::string help = app_->help();
  EXPECT_THAT(words, IsSupersetOf({"status", "watch", "explain", "reset",
                                   "completion", "approve"}));
  for (const std::string& word : words) {
    EXPECT_THAT(help, HasSubstr("\n  " + word + " "));
  }
  EXPECT_THAT(Words({"re"}),
              ElementsAre("report", "reward", "resume", "reset", "reinstate"));
  EXPECT_FALSE(asked_.has_value());
}

// Held against the app, so that no option can be forgotten.
TEST_F(CompletionTest, OffersEveryOptionOfEveryCommandOnceEach) {
  for (const CLI::App* command :
       app_->get_subcommands([](const CLI::App*) { return true; })) {
    const std::string help = command->help();
    const auto words = Words({command->get_name(), "--"});
    EXPECT_THAT(words, Contains("--json")) << command->get_name();
    EXPECT_THAT(words, Contains("--help")) << command->get_name();
    size_t told = 0;
    for (size_t at = help.find("\n  "); at != help.npos;
         at = help.find("\n  ", at + 1)) {
      const size_t dashes = help.find("--", at);
      if (dashes <= at + 6) ++told;
    }
    EXPECT_EQ(words.size(), told) << help;
  }
}

TEST_F(CompletionTest, NamesComeFromTheRouter) {
  EXPECT_THAT(Words({"status", ""}), ElementsAre("ranker", "search"));
  EXPECT_THAT(Words({"pause", "--why", "a reason", "s"}),
              ElementsAre("search"));
  EXPECT_THAT(Words({"promote", "search", ""}),
              ElementsAre("search-old", "search-new"));
  EXPECT_THAT(Words({"promote", "search", "search-old", ""}), IsEmpty());
  EXPECT_THAT(Words({"reward", "--metric", ""}),
              ElementsAre("click", "spend_ranker", "spend_search"));
  EXPECT_THAT(Words({"reward", "--metric=spend_r"}),
              ElementsAre("--metric=spend_ranker"));
  down_ = true;
  EXPECT_THAT(Words({"status", ""}), IsEmpty());
}

TEST_F(CompletionTest, TheRouterIsTheOneThatTheLineNames) {
  Words({"status", ""});
  EXPECT_EQ(asked_->address, "127.0.0.1:8081");
  setenv("BANDIT_ADDRESS", "env:1", 1);
  setenv("BANDIT_CONTROL_TOKEN", "secret", 1);
  Words({"status", ""});
  EXPECT_EQ(asked_->address, "env:1");
  EXPECT_EQ(asked_->token, "secret");
  Words({"status", "--address", "line:2", "--tls", "--tls-ca=ca.pem", ""});
  EXPECT_EQ(asked_->address, "line:2");
  EXPECT_EQ(asked_->ca, "ca.pem");
  EXPECT_TRUE(asked_->tls);
  EXPECT_LE(asked_->timeout, absl::Seconds(1));
}

TEST_F(CompletionTest, FilesFitWhereFilesAreWanted) {
  EXPECT_TRUE(Ask({"validate", ""}).files);
  EXPECT_TRUE(Ask({"report", "ranker", "--html", ""}).files);
  EXPECT_TRUE(Ask({"status", "--tls-ca", "c"}).files);
  EXPECT_FALSE(Ask({"status", ""}).files);
}

TEST_F(CompletionTest, AnOptionIsOfferedOnceUnlessItRepeats) {
  EXPECT_THAT(Words({"explain", "ranker", "--unit", "u", "--"}),
              Not(Contains("--unit")));
  EXPECT_THAT(Words({"explain", "ranker", "--metadata", "a=b", "--"}),
              Contains("--metadata"));
}

TEST_F(CompletionTest, AValueThatNobodyKnowsHasNoSuggestions) {
  EXPECT_THAT(Words({"status", "--timeout", ""}), IsEmpty());
  EXPECT_THAT(Words({"completion", ""}), ElementsAre("bash", "zsh", "fish"));
  EXPECT_THAT(Words({"no-such-command", ""}), Contains("status"));
  EXPECT_THAT(Words({}), Contains("status"));
}

}  // namespace
}  // namespace bandit::cli
