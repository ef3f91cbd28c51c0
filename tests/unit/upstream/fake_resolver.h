// SPDX-License-Identifier: Apache-2.0
// A resolver whose answers the test gives.
#ifndef BANDIT_TESTS_UNIT_UPSTREAM_FAKE_RESOLVER_H_
#define BANDIT_TESTS_UNIT_UPSTREAM_FAKE_RESOLVER_H_

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "router/upstream/resolver.h"

namespace bandit::upstream {

struct FakeResolver {
  struct Question {
    Address name;
    Resolved done;
  };

  Resolver resolver() {
    return [this](const Address& name, Resolved done) {
      asked.push_back({name, std::move(done)});
    };
  }

  // Answers the oldest question.
  void Answer(std::vector<Address> addresses) {
    Next().done(std::move(addresses));
  }
  void Answer(std::initializer_list<const char*> texts) {
    std::vector<Address> addresses;
    for (const char* text : texts) {
      addresses.push_back(ParseAddress(text).value());
    }
    Answer(std::move(addresses));
  }
  void Fail(const std::string& why) {
    Next().done(absl::UnavailableError(why));
  }

  std::vector<Question> asked;

 private:
  Question Next() {
    Question question = std::move(asked.at(0));
    asked.erase(asked.begin());
    return question;
  }
};

}  // namespace bandit::upstream

#endif  // BANDIT_TESTS_UNIT_UPSTREAM_FAKE_RESOLVER_H_
