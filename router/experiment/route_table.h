// SPDX-License-Identifier: Apache-2.0
// Which experiment takes a request.
#ifndef BANDIT_ROUTER_EXPERIMENT_ROUTE_TABLE_H_
#define BANDIT_ROUTER_EXPERIMENT_ROUTE_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "bandit/v1/config.pb.h"
#include "router/experiment/condition.h"
#include "router/http2/header.h"

namespace bandit::experiment {

// Experiments in config order; the first that matches takes the request.
//
// Rules are indexed by the request's path: the candidates of a request are the
// rules for its method, those for its whole service and those that name none,
// merged in config order when the table is made.
// Thread-safety: const calls may overlap.
class RouteTable {
 public:
  RouteTable() = default;
  // Of the experiments that are overlays, or of those that are not.
  explicit RouteTable(const v1::RouterConfig& config, bool overlays = false);

  bool empty() const { return rules_.empty(); }

  // Whether an experiment takes the request's unit.
  using Takes = absl::FunctionRef<bool(size_t experiment)>;

  struct Result {
    // The experiment's index; empty: none takes it.
    std::optional<size_t> experiment;
    // The answer depends on the model name, which was not given: call again
    // with it. `experiment` is empty then.
    bool needs_model = false;
    // The first that matches, if none takes the unit.
    std::optional<size_t> beside;
  };

  // `headers` are all of the request's, pseudo-headers included. `model` is
  // the message's model name, "" if it has none or is no message; nullopt: not
  // read yet. A rule for a model takes only requests of a shape that has model
  // names (see ShapeOf), so others never need one. Metadata that is given
  // several times matches if one of its values does; the authority's port and
  // case do not count.
  // Cost: O(candidates of the path * headers), no allocation.
  Result Match(http2::Headers headers, std::optional<std::string_view> model,
               Takes takes) const;
  Result Match(http2::Headers headers,
               std::optional<std::string_view> model) const {
    return Match(headers, model, [](size_t) { return true; });
  }

  // All that match, each once, in config order, whoever takes the unit. False:
  // the answer depends on the model name, which was not given.
  bool MatchAll(http2::Headers headers, std::optional<std::string_view> model,
                std::vector<size_t>* experiments) const;

  // What a rule says of a request, for people.
  struct Finding {
    size_t experiment = 0;
    size_t rule = 0;       // Of the experiment's, from 0.
    std::string mismatch;  // Empty: it matches.
  };
  // Every rule's, in config order, by the checks that Match makes.
  std::vector<Finding> Explain(http2::Headers headers,
                               std::string_view model) const;

 private:
  struct Rule {
    size_t experiment;
    std::string service, method, authority, model;
    std::vector<std::pair<std::string, std::string>> metadata;
    std::vector<Condition> where;
  };
  // A request as rules see it.
  struct Asked;
  // The first check that a request fails.
  enum class Check : uint8_t {
    kNone,  // It matches.
    kMethod,
    kAuthority,
    kMetadata,
    kWhere,
    kShape,  // Its messages have no model names.
    kModel,
    kNeedsModel,  // The model name is not known yet.
  };
  struct Verdict {
    Check failed = Check::kNone;
    size_t at = 0;  // Which of `metadata` or `where`.
  };
  // Indices into rules_, ascending.
  using Candidates = std::vector<size_t>;

  static Asked Ask(http2::Headers headers,
                   std::optional<std::string_view> model);
  static Verdict Judge(const Rule& rule, const Asked& asked);
  static std::string Mismatch(const Rule& rule, const Verdict& verdict,
                              const Asked& asked);
  const Candidates& CandidatesOf(std::string_view path) const;

  std::vector<Rule> rules_;
  // By "service/method", by service, and for all other paths. Each list holds
  // the more general rules too, so that one look-up decides.
  absl::flat_hash_map<std::string, Candidates> by_method_;
  absl::flat_hash_map<std::string, Candidates> by_service_;
  Candidates elsewhere_;
};

}  // namespace bandit::experiment

#endif  // BANDIT_ROUTER_EXPERIMENT_ROUTE_TABLE_H_
