// SPDX-License-Identifier: Apache-2.0
// Messages for scripts.
#ifndef BANDIT_CLIENTS_CLI_JSON_H_
#define BANDIT_CLIENTS_CLI_JSON_H_

#include <string>

#include "google/protobuf/message.h"

namespace bandit::cli {

// Protobuf's JSON, indented, with a newline at the end: fields are named as in
// the .proto and present even if they are 0 or empty; 64-bit integers are
// strings, durations "0.012s".
std::string ToJson(const google::protobuf::Message& message);

// The same in one line, without a newline.
std::string ToJsonLine(const google::protobuf::Message& message);

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_JSON_H_
