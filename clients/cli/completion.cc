// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/completion.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>

#include "bandit/v1/admin.grpc.pb.h"
#include "fmt/format.h"

namespace bandit::cli {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(1);

std::string FlagOf(const CLI::Option& option) {
  return option.get_lnames().empty() ? "" : "--" + option.get_lnames()[0];
}

// The app's options, those of its option groups included, but for the groups'
// own --help.
std::vector<const CLI::Option*> OptionsOf(const CLI::App& app) {
  std::vector<const CLI::Option*> options = app.get_options();
  for (const CLI::App* group : app.get_subcommands(
           [](const CLI::App* sub) { return sub->get_name().empty(); })) {
    for (const CLI::Option* option : OptionsOf(*group)) {
      if (option != group->get_help_ptr()) options.push_back(option);
    }
  }
  return options;
}

bool TakesValue(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

// What kind of value it has: a positional's name, or an option's type.
std::string KindOf(const CLI::Option& option) {
  return option.get_positional() ? option.get_name(/*positional=*/true)
                                 : option.get_type_name();
}

// A line up to the word that is being typed.
struct Line {
  const CLI::App* command;
  // Values by the option that they were given to.
  std::map<const CLI::Option*, std::string> values;
  std::set<const CLI::Option*> given;
  std::vector<std::string> positionals;
  // The option whose value is being typed, if one is.
  const CLI::Option* expects = nullptr;
};

const CLI::Option* FindFlag(const CLI::App& command, std::string_view name) {
  for (const CLI::Option* option : OptionsOf(command)) {
    if (!option->get_positional() && FlagOf(*option) == name) return option;
  }
  return nullptr;
}

std::vector<const CLI::App*> CommandsOf(const CLI::App& app) {
  return app.get_subcommands(
      [](const CLI::App* sub) { return !sub->get_name().empty(); });
}

const CLI::App* FindCommand(const CLI::App& app, std::string_view name) {
  for (const CLI::App* command : CommandsOf(app)) {
    if (command->get_name() == name) return command;
  }
  return nullptr;
}

Line Read(const CLI::App& app, const std::vector<std::string>& words) {
  Line line{.command = &app};
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (line.expects != nullptr) {
      line.values[line.expects] = word;
      line.expects = nullptr;
    } else if (word.size() > 2 && word.starts_with("--")) {
      const size_t equals = word.find('=');
      const CLI::Option* option =
          FindFlag(*line.command, word.substr(0, equals));
      if (option == nullptr) continue;
      line.given.insert(option);
      if (equals != word.npos) {
        line.values[option] = word.substr(equals + 1);
      } else if (TakesValue(*option)) {
        line.expects = option;
      }
    } else if (const CLI::App* sub = FindCommand(app, word);
               line.command == &app && sub != nullptr) {
      line.command = sub;
    } else {
      line.positionals.push_back(word);
    }
  }
  return line;
}

// Where the line, or the environment, says that the router is.
RouterAddress RouterOf(const Line& line) {
  RouterAddress router;
  router.timeout = kPatience;
  const auto take = [&line](const char* flag, std::string* value) {
    const CLI::Option* option = FindFlag(*line.command, flag);
    if (option == nullptr) return;
    const auto given = line.values.find(option);
    const char* variable = option->get_envname().empty()
                               ? nullptr
                               : std::getenv(option->get_envname().c_str());
    if (given != line.values.end()) {
      *value = given->second;
    } else if (variable != nullptr) {
      *value = variable;
    }
  };
  take("--address", &router.address);
  take("--token", &router.token);
  take("--tls-ca", &router.ca);
  take("--tls-cert", &router.certificate);
  take("--tls-key", &router.key);
  take("--tls-name", &router.server_name);
  router.tls = line.given.count(FindFlag(*line.command, "--tls")) > 0;
  return router;
}

// Values of `kind`, from the router.
std::vector<Suggestion> Names(const std::string& kind, const Line& line,
                              const AskRouter& ask) {
  std::vector<Suggestion> names;
  const auto status = ask(RouterOf(line));
  if (!status.ok()) return names;
  std::set<std::string> seen;
  for (const v1::ExperimentStatus& e : status->experiments()) {
    if (kind == "EXPERIMENT") {
      names.push_back({e.name(), fmt::format("{}, {} decisions", e.policy(),
                                             e.decisions())});
    } else if (kind == "METRIC") {
      for (const v1::MetricStatus& metric : e.metrics()) {
        if (seen.insert(metric.name()).second) {
          names.push_back({metric.name(), ""});
        }
      }
    } else if (!line.positionals.empty() && e.name() == line.positionals[0]) {
      for (const v1::ArmStatus& arm : e.arms()) {
        names.push_back({arm.name(), arm.backend()});
      }
    }
  }
  return names;
}

Suggestions Values(const CLI::Option& option, const Line& line,
                   const AskRouter& ask) {
  const std::string kind = KindOf(option);
  if (kind == "FILE") return {.words = {}, .files = true};
  if (kind == "SHELL") {
    return {.words = {{"bash", ""}, {"zsh", ""}, {"fish", ""}}, .files = false};
  }
  if (kind == "EXPERIMENT" || kind == "ARM" || kind == "METRIC") {
    return {.words = Names(kind, line, ask), .files = false};
  }
  return {};
}

// Subcommands, flags, or the value of the next positional.
Suggestions Next(const CLI::App& app, const Line& line, std::string_view typed,
                 const AskRouter& ask) {
  Suggestions found;
  if (typed.starts_with('-')) {
    for (const CLI::Option* option : OptionsOf(*line.command)) {
      if (FlagOf(*option).empty()) continue;
      // A second time only where all are taken.
      if (line.given.count(option) > 0 && option->get_multi_option_policy() !=
                                              CLI::MultiOptionPolicy::TakeAll) {
        continue;
      }
      found.words.push_back({FlagOf(*option), option->get_description()});
    }
    return found;
  }
  if (line.command == &app) {
    for (const CLI::App* sub : CommandsOf(app)) {
      found.words.push_back({sub->get_name(), sub->get_description()});
    }
    return found;
  }
  size_t position = line.positionals.size();
  for (const CLI::Option* option : OptionsOf(*line.command)) {
    if (!option->get_positional()) continue;
    if (position-- == 0) return Values(*option, line, ask);
  }
  return found;
}

// Shells take a suggestion as one line.
std::string OneLine(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\t'; },
      ' ');
  return text;
}

absl::StatusOr<v1::RouterStatus> AskStatus(const RouterAddress& router) {
  v1::RouterStatus status;
  const Result result =
      CallRouter(router, [&](const std::shared_ptr<grpc::Channel>& channel,
                             grpc::ClientContext* context) {
        return v1::Admin::NewStub(channel)->GetStatus(context, {}, &status);
      });
  if (result.code != ExitCode::kOk) return absl::UnavailableError(result.error);
  return status;
}

}  // namespace

Suggestions Suggest(const CLI::App& app, const std::vector<std::string>& words,
                    const AskRouter& ask) {
  const Line line = Read(app, words);
  std::string typed = words.empty() ? "" : words.back();
  Suggestions found;
  std::string before;  // The flag of "--flag=value".
  const size_t equals = typed.find('=');
  if (line.expects == nullptr && typed.starts_with("--") &&
      equals != typed.npos) {
    before = typed.substr(0, equals + 1);
    const CLI::Option* option =
        FindFlag(*line.command, typed.substr(0, equals));
    if (option != nullptr) found = Values(*option, line, ask);
  } else {
    found = line.expects != nullptr ? Values(*line.expects, line, ask)
                                    : Next(app, line, typed, ask);
  }
  for (Suggestion& suggestion : found.words) {
    suggestion.word = before + suggestion.word;
  }
  std::erase_if(found.words, [&typed](const Suggestion& suggestion) {
    return !suggestion.word.starts_with(typed);
  });
  return found;
}

Result CompleteLine(const CLI::App& app,
                    const std::vector<std::string>& words) {
  const Suggestions found = Suggest(app, words, AskStatus);
  std::string out;
  for (const Suggestion& suggestion : found.words) {
    out += OneLine(suggestion.word) + '\t' + OneLine(suggestion.description) +
           '\n';
  }
  if (found.files) out += ":files\n";
  return {ExitCode::kOk, out, ""};
}

}  // namespace bandit::cli
