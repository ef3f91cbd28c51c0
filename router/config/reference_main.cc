// SPDX-License-Identifier: Apache-2.0
// Writes docs/configuration.md, or checks that it is what would be written:
//   config_reference (--write | --check) DESCRIPTORS EXAMPLE PAGE
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "router/config/reference.h"

namespace {

std::optional<std::string> ReadFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// The number of the first line that differs.
int FirstDifference(std::string_view a, std::string_view b) {
  int line = 1;
  for (size_t i = 0; i < a.size() && i < b.size() && a[i] == b[i]; ++i) {
    if (a[i] == '\n') ++line;
  }
  return line;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc == 5 ? argv[1] : "";
  if (mode != "--write" && mode != "--check") {
    std::cerr << "usage: config_reference (--write | --check) DESCRIPTORS "
                 "EXAMPLE PAGE\n";
    return 2;
  }
  const auto descriptors = ReadFile(argv[2]);
  const auto example = ReadFile(argv[3]);
  if (!descriptors || !example) {
    std::cerr << "config_reference: cannot read "
              << (descriptors ? argv[3] : argv[2]) << '\n';
    return 2;
  }
  const auto page = bandit::config::GenerateReference(*descriptors, *example);
  if (!page.ok()) {
    std::cerr << "config_reference: " << page.status().message() << '\n';
    return 2;
  }
  if (mode == "--write") {
    std::ofstream file(argv[4], std::ios::binary);
    file << *page;
    file.close();
    if (!file)
      std::cerr << "config_reference: cannot write " << argv[4] << '\n';
    return file ? 0 : 1;
  }
  const std::string there = ReadFile(argv[4]).value_or("");
  if (there == *page) return 0;
  std::cerr << argv[4] << ':' << FirstDifference(there, *page)
            << ": is not what the schema gives, expected the output of "
               "./dev docs: run it and commit the file\n";
  return 1;
}
