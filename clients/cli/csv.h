// SPDX-License-Identifier: Apache-2.0
// Fields of CSV.
#ifndef BANDIT_CLIENTS_CLI_CSV_H_
#define BANDIT_CLIENTS_CLI_CSV_H_

#include <string>
#include <string_view>

namespace bandit::cli {

// Quoted where RFC 4180 asks for it.
inline std::string CsvField(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_CSV_H_
