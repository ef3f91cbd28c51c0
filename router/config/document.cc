// SPDX-License-Identifier: Apache-2.0
#include "router/config/document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <exception>
#include <map>
#include <sstream>
#include <utility>

#include "absl/strings/match.h"
#include "fmt/format.h"
#include "router/config/source_text.h"
#include "router/config/yaml_error.h"

namespace bandit::config {
namespace {

// yaml-cpp takes the end of the file for a missing closing quote. A comment
// that ends up inside a scalar gives it away; the control character cannot be
// in the text itself.
constexpr std::string_view kSentinel = "# \x01 end of file \x01";

// What a tree may weigh, aliases expanded: each value 16, each byte of text 1.
constexpr size_t kValueWeight = 16;
constexpr size_t kMaxWeight = size_t{8} << 20;

absl::string_view Absl(std::string_view text) {
  return {text.data(), text.size()};
}

size_t Weight(const YamlNode& node) {
  size_t weight = kValueWeight + node.text.size();
  for (const YamlNode& item : node.items) weight += Weight(item);
  for (const YamlNode::Entry& entry : node.entries) {
    weight += entry.key.size() + Weight(entry.value);
  }
  return weight;
}

// Builds the tree from the parser's events. After the first error it ignores
// the rest.
class Builder : public YAML::EventHandler {
 public:
  Builder(const Lines* lines, Report* report)
      : lines_(*lines), report_(*report) {}

  const std::optional<YamlNode>& root() const { return root_; }
  std::optional<YamlNode> TakeRoot() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ == 1) {
      Fail(mark.line + 1,
           "a second YAML document starts here, expected one document");
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    YamlNode node;
    node.line = lines_.OfNull(mark.line + 1, mark.column);
    Add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (failed_) return;
    auto it = anchors_.find(anchor);
    if (it == anchors_.end()) {
      Fail(mark.line + 1,
           "a YAML alias stands inside its own anchor, expected it elsewhere");
      return;
    }
    if (Charge(Weight(it->second), mark.line + 1)) Add(YamlNode(it->second), 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag,
                YAML::anchor_t anchor, const std::string& value) override {
    if (failed_ || !KnownTag(mark, tag)) return;
    if (absl::StrContains(value, Absl(kSentinel))) {
      Fail(mark.line + 1,
           "a quoted text that starts here is not closed, expected its closing "
           "quote");
      return;
    }
    YamlNode node;
    node.kind = YamlNode::Kind::kScalar;
    node.line = mark.line + 1;
    node.text = value;
    if (Charge(kValueWeight + value.size(), node.line)) {
      Add(std::move(node), anchor);
    }
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                       YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(YamlNode::Kind::kList, mark, tag, anchor);
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag,
                  YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    Open(YamlNode::Kind::kMap, mark, tag, anchor);
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Frame {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    // A map's key that waits for its value.
    bool has_key = false;
    std::string key;
    int key_line = 0;
  };

  void Fail(int line, std::string message) {
    if (failed_) return;
    failed_ = true;
    report_.Fail(line, std::move(message));
  }

  // False if the tree has become too heavy.
  bool Charge(size_t weight, int line) {
    weight_ += weight;
    if (weight_ <= kMaxWeight) return true;
    Fail(line,
         fmt::format("the file holds too many values, its aliases expanded, "
                     "expected less than {} MiB of them",
                     kMaxWeight >> 20));
    return false;
  }

  bool KnownTag(const YAML::Mark& mark, const std::string& tag) {
    // yaml-cpp says "?" for a plain and "!" for a quoted scalar.
    if (tag.empty() || tag == "?" || tag == "!" ||
        absl::StartsWith(tag, "tag:yaml.org,2002:")) {
      return true;
    }
    Fail(mark.line + 1, "a YAML tag (!name) is not supported, expected none");
    return false;
  }

  void Open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    if (failed_ || !KnownTag(mark, tag)) return;
    if (frames_.size() >= kMaxDepth) {
      Fail(mark.line + 1,
           fmt::format("nested more than {0} levels deep, expected at most {0}",
                       kMaxDepth));
      return;
    }
    Frame frame;
    frame.node.kind = kind;
    frame.node.line = mark.line + 1;
    frame.anchor = anchor;
    if (Charge(kValueWeight, frame.node.line)) {
      frames_.push_back(std::move(frame));
    }
  }

  void Close() {
    if (failed_) return;
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    Add(std::move(frame.node), frame.anchor);
  }

  void Add(YamlNode node, YAML::anchor_t anchor) {
    if (failed_) return;
    if (anchor != 0) {
      if (!Charge(Weight(node), node.line)) return;
      anchors_[anchor] = node;
    }
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.kind == YamlNode::Kind::kList) {
      frame.node.items.push_back(std::move(node));
    } else if (frame.has_key) {
      frame.node.entries.push_back(
          {std::move(frame.key), frame.key_line, std::move(node)});
      frame.has_key = false;
    } else if (node.kind == YamlNode::Kind::kScalar) {
      frame.has_key = true;
      frame.key = std::move(node.text);
      frame.key_line = node.line;
    } else {
      Fail(node.line, "a key that is not text, expected `key: value`");
    }
  }

  const Lines& lines_;
  Report& report_;
  bool failed_ = false;
  int documents_ = 0;
  size_t weight_ = 0;
  std::optional<YamlNode> root_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
};

}  // namespace

std::optional<YamlNode> ParseDocument(std::string_view text, Report* report,
                                      std::string_view fields) {
  if (text.size() > kMaxFileBytes) {
    report->Fail(1, fmt::format("the file has more than {0} bytes, expected at "
                                "most {0}",
                                kMaxFileBytes));
    return std::nullopt;
  }
  if (auto bad = FindBadText(text)) {
    report->Fail(bad->line, bad->what);
    return std::nullopt;
  }
  const Lines lines(text);
  Builder builder(&lines, report);
  std::istringstream stream(
      fmt::format("{}{}{}\n", text,
                  absl::EndsWith(Absl(text), "\n") ? "" : "\n", kSentinel));
  // yaml-cpp throws; nothing of ours does.
  try {
    YAML::Parser parser(stream);
    while (report->ok() && parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    if (report->ok()) {
      YamlError readable = Explain(lines, error.mark.line + 1, error.msg);
      report->Fail(readable.line, std::move(readable.message));
    }
  } catch (const std::exception&) {
    if (report->ok()) report->Fail(1, "not YAML, expected `key: value` lines");
  }
  if (!report->ok()) return std::nullopt;
  if (!builder.root() || builder.root()->kind == YamlNode::Kind::kNull) {
    report->Fail(1, fmt::format("the file is empty, expected {}", fields));
    return std::nullopt;
  }
  if (builder.root()->kind != YamlNode::Kind::kMap) {
    report->Fail(builder.root()->line,
                 fmt::format("the file is {}, expected a map of fields such as "
                             "{}",
                             builder.root()->kind == YamlNode::Kind::kList
                                 ? "a list"
                                 : "a single value",
                             fields));
    return std::nullopt;
  }
  return builder.TakeRoot();
}

}  // namespace bandit::config
