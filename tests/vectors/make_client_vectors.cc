// SPDX-License-Identifier: Apache-2.0
// Writes client.json: what the router's own code hashes units to and reads in
// tokens, for the clients of every language. `--check FILE` instead tells
// whether FILE is still that.
//
// decision.json beside it holds the router to the documents; this file holds
// the clients to the router. See README.md for the format.
#include <sodium.h>

#include <array>
#include <fstream>
#include <iostream>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "nlohmann/json.hpp"
#include "router/experiment/assignment.h"
#include "router/experiment/base64url.h"
#include "router/experiment/decision_codec.h"
#include "router/experiment/entry.h"
#include "router/experiment/plan.h"
#include "router/experiment/token.h"

namespace bandit::experiment {
namespace {

using Json = nlohmann::ordered_json;
using Bytes = std::vector<unsigned char>;

constexpr std::string_view kSecret = "shared vectors";
constexpr size_t kTagSize = 16;

// Bytes that are all different from their neighbours, as text: a unit of any
// length, for XXH3 has code of its own for several ranges of lengths.
std::string UnitOf(size_t size) {
  std::string unit(size, ' ');
  for (size_t i = 0; i < size; ++i) {
    unit[i] = static_cast<char>('!' + (i * 31 + size) % 90);
  }
  return unit;
}

struct Hashed {
  Purpose purpose;
  std::string salt, unit;
};

std::vector<Hashed> HashedUnits() {
  std::vector<Hashed> all;
  // With the nine bytes around a unit, XXH3 sees from 9 bytes to several
  // blocks of 1024, and both sides of each of its boundaries.
  for (size_t size = 0; size <= 260; ++size) {
    all.push_back({Purpose::kArm, "", UnitOf(size)});
  }
  for (const size_t size : {500u, 1014u, 1015u, 1016u, 2000u, 3000u}) {
    all.push_back({Purpose::kArm, "ranker", UnitOf(size)});
  }
  for (const Purpose purpose :
       {Purpose::kArm, Purpose::kRamp, Purpose::kLayer, Purpose::kHoldout}) {
    for (const char* unit : {"", "alice", "42", "\u00e9t\u00e9", "\u6771",
                             "0b6c9a1e-6f1c-4d0e-9d3c-8a4a3a8f3e11"}) {
      all.push_back({purpose, "ranker", unit});
    }
  }
  // Lengths come before the fields: these two differ.
  all.push_back({Purpose::kArm, "ab", "c"});
  all.push_back({Purpose::kArm, "a", "bc"});
  return all;
}

Decision Plain() {
  return {.experiment = ExperimentId("ranker"),
          .epoch = 1,
          .arm = 0,
          .propensity = 0.9,
          .time_ms = 1700000000123,
          .id = 1,
          .unit = 1,
          .features = {}};
}

Decision Drawn(std::mt19937_64& random) {
  Decision d;
  d.experiment = static_cast<uint32_t>(random());
  d.epoch = static_cast<uint32_t>(random() % 3000) + 1;
  d.arm = static_cast<uint32_t>(random() % 64);
  d.propensity = (static_cast<double>(random() >> 12) + 0.5) * 0x1p-52;
  d.time_ms = static_cast<int64_t>(random() >> 23);
  d.id = random();
  d.unit = random() % 3 == 0 ? d.id : random();
  if (random() % 3 == 0) d.segments = static_cast<uint32_t>(random() % 400);
  if (random() % 3 == 0) {
    d.covariate = static_cast<float>(random() % 2001) / 8 - 125;
  }
  if (random() % 2 == 0) return d;
  d.features = {1};
  for (size_t i = random() % 20; i > 0; --i) {
    const uint64_t kind = random() % 3;
    d.features.push_back(kind < 2 ? static_cast<float>(kind)
                                  : static_cast<float>(random() % 999) / 32);
  }
  return d;
}

std::vector<Decision> Decisions() {
  std::vector<Decision> all(8, Plain());
  all[1].unit = HashUnit(Purpose::kArm, "ranker", "alice");
  all[2].arm = 63;
  all[2].propensity = 1;
  all[2].epoch = 127;
  all[3].epoch = 128;
  all[3].propensity = std::numeric_limits<double>::denorm_min();
  all[3].time_ms = 0;
  Decision& largest = all[4];
  largest.experiment = largest.epoch = largest.segments = UINT32_MAX;
  largest.arm = 63;
  largest.propensity = 1;
  largest.time_ms = kMaxTokenTimeMs;
  largest.id = UINT64_MAX;
  largest.unit = 0;
  largest.covariate = std::numeric_limits<float>::lowest();
  all[5].features = {1,
                     -0.0F,
                     std::numeric_limits<float>::denorm_min(),
                     std::numeric_limits<float>::max(),
                     0,
                     -2.5F};
  all[6].segments = 5;
  all[7].covariate = -0.5F;
  all[7].features.assign(256, 0);
  all[7].features[0] = 1;
  std::mt19937_64 random(20261125);
  for (int i = 0; i < 40; ++i) all.push_back(Drawn(random));
  return all;
}

Json Shown(const Decision& d) {
  return {{"experiment", d.experiment},
          {"epoch", d.epoch},
          {"arm", d.arm},
          {"propensity", d.propensity},
          {"time_ms", d.time_ms},
          {"id", std::to_string(d.id)},
          {"unit", std::to_string(d.unit)},
          {"own_unit", d.unit == d.id},
          {"segments", d.segments},
          {"covariate", d.covariate},
          {"features", d.features}};
}

std::string Base64(const Bytes& bytes) {
  std::string text(Base64UrlSize(bytes.size()), ' ');
  Base64UrlEncode(bytes, text.data());
  return text;
}

// Version and decision, without the tag.
Bytes Body(const Decision& decision) {
  Bytes bytes(1 + kMaxDecisionSize);
  bytes[0] = 1;
  bytes.resize(1 + EncodeDecision(decision, bytes.data() + 1));
  return bytes;
}

void Replace(Bytes* bytes, size_t at, const Bytes& by) {
  std::copy(by.begin(), by.end(), bytes->begin() + static_cast<long>(at));
}

struct Malformed {
  std::string why, token;
};

// Bodies that EncodeDecision does not write, with some tag.
std::vector<Malformed> MalformedBodies() {
  // Offsets: version 0, experiment 1, epoch 5, arm 6, propensity 7, time 15,
  // id 21, then the unit or what follows it at 29.
  Decision d = Plain();
  d.features = {1, 2};
  const Bytes own = Body(d);
  d.unit = 2;
  const Bytes other = Body(d);
  std::vector<std::pair<std::string, Bytes>> bodies;
  const auto with = [&](std::string why, const Bytes& from, size_t at,
                        const Bytes& by) {
    bodies.emplace_back(std::move(why), from);
    Replace(&bodies.back().second, at, by);
  };
  const auto splice = [&](std::string why, const Bytes& from, size_t at,
                          size_t removed, const Bytes& by) {
    Bytes bytes = from;
    const auto begin = bytes.begin() + static_cast<long>(at);
    bytes.insert(bytes.erase(begin, begin + static_cast<long>(removed)),
                 by.begin(), by.end());
    bodies.emplace_back(std::move(why), std::move(bytes));
  };
  with("version 0", own, 0, {0});
  with("version 2", own, 0, {2});
  with("propensity 0", own, 7, Bytes(8, 0));
  with("propensity -0.5", own, 7, {0, 0, 0, 0, 0, 0, 0xe0, 0xbf});
  with("propensity 1.5", own, 7, {0, 0, 0, 0, 0, 0, 0xf8, 0x3f});
  with("propensity NaN", own, 7, {0, 0, 0, 0, 0, 0, 0xf8, 0x7f});
  with("the unit written though it is the id", other, 29,
       {1, 0, 0, 0, 0, 0, 0, 0});
  with("a bit for notes but none", own, 6, {0xc0});
  with("feature code 3", own, 30, {0x0d});
  with("codes beyond the count", own, 30, {0x19});
  with("a feature of 0 verbatim", own, 31, {0, 0, 0, 0});
  with("a feature of 1 verbatim", own, 31, {0, 0, 0x80, 0x3f});
  with("a feature infinite", own, 31, {0, 0, 0x80, 0x7f});
  with("a feature NaN", own, 31, {0, 0, 0xc0, 0x7f});
  splice("epoch in two bytes though one is enough", own, 5, 1, {0x81, 0});
  splice("epoch of 33 bits", own, 5, 1, {0x80, 0x80, 0x80, 0x80, 0x10});
  splice("epoch in six bytes", own, 5, 1, {0x80, 0x80, 0x80, 0x80, 0x80, 1});
  splice("a byte too many", own, own.size(), 0, {0});
  splice("a byte too few", own, own.size() - 1, 1, {});
  splice("nothing after the version", own, 1, own.size() - 1, {});
  splice("1025 features", own, 29, own.size() - 29, {0x81, 0x08});
  bodies.back().second.resize(31 + 257);

  d.segments = 5;
  d.covariate = 2;
  d.unit = d.id;
  const Bytes notes = Body(d);  // Segments at 29, the covariate at 30.
  with("the covariate infinite", notes, 30, {0, 0, 0x80, 0x7f});
  with("the covariate NaN", notes, 30, {0, 0, 0xc0, 0x7f});
  with("notes of nothing", notes, 29, {0, 0, 0, 0, 0});

  std::vector<Malformed> all;
  for (auto& [why, bytes] : bodies) {
    Decision ignored;
    const absl::Span<const unsigned char> all_bytes(bytes);
    if (bytes[0] == 1 && DecodeDecision(all_bytes.subspan(1), &ignored)) {
      throw std::logic_error("the router reads this: " + why);
    }
    bytes.resize(bytes.size() + kTagSize, 0x5a);
    all.push_back({why, Base64(bytes)});
  }
  return all;
}

// Good bytes in bad letters.
std::vector<Malformed> MalformedTexts() {
  const TokenSigner signer(kSecret);
  std::string good;
  signer.Sign(Plain(), &good);  // 46 bytes: the last letter has 4 spare bits.
  const std::string rest = good.substr(1);
  const std::string front = good.substr(0, good.size() - 1);
  std::vector<Malformed> all = {
      {"nothing", ""},
      {"a letter of base64", "+" + rest},
      {"another letter of base64", "/" + rest},
      {"padding", good + "=="},
      {"a space before", " " + good},
      {"a line's end", good + "\n"},
      {"a space within", good.substr(0, 8) + " " + good.substr(8)},
      {"no ASCII", "\u00e9" + rest},
      {"a NUL", std::string(1, '\0') + rest},
      {"one letter more", good + "A"},
      {"one letter less", front},
      {"stray bits at the end", front + static_cast<char>(good.back() + 1)},
      {"the tag cut off", good.substr(0, 40)},
      {"a word", "token"},
      {"too long", std::string(kMaxTokenSize + 4, 'A')},
  };
  for (const Malformed& bad : all) {
    if (signer.Verify(bad.token).ok()) {
      throw std::logic_error("the router takes this: " + bad.why);
    }
  }
  return all;
}

Json Tokens() {
  const TokenSigner signer(kSecret);
  Json all = Json::array();
  for (const Decision& decision : Decisions()) {
    std::string token;
    signer.Sign(decision, &token);
    const absl::StatusOr<Decision> read = signer.Verify(token);
    if (!read.ok() || *read != decision) {
      throw std::logic_error("not read as it was signed: " + token);
    }
    all.push_back({{"token", token}, {"decision", Shown(*read)}});
  }
  return all;
}

// Well formed, and REJECTED by every router: another key's tag.
Json Forged() {
  std::string token;
  TokenSigner("another key").Sign(Plain(), &token);
  if (TokenSigner(kSecret).Verify(token).ok()) {
    throw std::logic_error("a forged token is taken");
  }
  return Json::array({{{"token", token}, {"decision", Shown(Plain())}}});
}

Json Vectors() {
  Json hashes = Json::array(), places = Json::array(), ids = Json::array();
  for (const auto& [purpose, salt, unit] : HashedUnits()) {
    hashes.push_back({{"purpose", static_cast<int>(purpose)},
                      {"salt", salt},
                      {"unit", unit},
                      {"hash", std::to_string(HashUnit(purpose, salt, unit))}});
    if (purpose == Purpose::kArm) continue;
    places.push_back({{"purpose", static_cast<int>(purpose)},
                      {"salt", salt},
                      {"unit", unit},
                      {"place", PlaceOf(purpose, salt, unit)}});
  }
  for (const std::string& name :
       {std::string(), std::string("a"), std::string("ab"), std::string("abc"),
        std::string("four"), std::string("ranker"), std::string("eight-bt"),
        std::string("nine-byte"), std::string("a-b_c.9"), UnitOf(16),
        UnitOf(17), UnitOf(64), UnitOf(129)}) {
    ids.push_back({{"name", name}, {"id", ExperimentId(name)}});
  }
  Json malformed = Json::array();
  for (const auto& list : {MalformedTexts(), MalformedBodies()}) {
    for (const auto& [why, token] : list) {
      malformed.push_back({{"why", why}, {"token", token}});
    }
  }
  return {
      {"about",
       "What clients compute and read as the router does: see README.md. "
       "Frozen; 64-bit numbers are strings."},
      {"secret", kSecret},
      {"hash_unit", hashes},
      {"place", places},
      {"experiment_id", ids},
      {"token", Tokens()},
      {"forged_token", Forged()},
      {"malformed_token", malformed},
  };
}

// One vector a line.
std::string Text(const Json& groups) {
  std::string text = "{\n";
  for (const auto& [name, value] : groups.items()) {
    text += text.size() > 2 ? ",\n" : "";
    text += " " + Json(name).dump() + ": ";
    if (!value.is_array()) {
      text += value.dump();
      continue;
    }
    std::string_view separator = "[\n  ";
    for (const Json& vector : value) {
      text += separator;
      text += vector.dump(-1, ' ', /*ensure_ascii=*/true);
      separator = ",\n  ";
    }
    text += "\n ]";
  }
  return text + "\n}\n";
}

int Main(int argc, char** argv) {
  if (sodium_init() < 0) return 1;
  const std::string text = Text(Vectors());
  if (argc == 1) {
    std::cout << text;
    return 0;
  }
  if (argc != 3 || std::string_view(argv[1]) != "--check") {
    std::cerr << "usage: make_client_vectors [--check FILE]\n";
    return 2;
  }
  std::stringstream frozen;
  frozen << std::ifstream(argv[2]).rdbuf();
  if (frozen.str() == text) return 0;
  std::cerr << argv[2]
            << " is not what the router's code gives. If cases were added, "
               "write it anew and see that no old line changed; else units "
               "would change arms, or tokens in flight be refused.\n";
  return 1;
}

}  // namespace
}  // namespace bandit::experiment

int main(int argc, char** argv) { return bandit::experiment::Main(argc, argv); }
