// SPDX-License-Identifier: Apache-2.0
// From the YAML tree to a message of the schema, by reflection: the schema
// alone says which fields there are, what they take and their defaults.
#ifndef BANDIT_ROUTER_CONFIG_READER_H_
#define BANDIT_ROUTER_CONFIG_READER_H_

#include "google/protobuf/message.h"
#include "router/config/document.h"
#include "router/config/environment.h"
#include "router/config/report.h"

namespace bandit::config {

// Fills `message` from `root`, a map; what is absent gets its default. A
// message field that is absent stays so, unless it has defaults and needs
// nothing (`limits`). Errors go to `report`, as does the line of every value;
// a broken value gets the field's default, so that checks can go on.
void ReadMessage(const YamlNode& root, const Environment& env,
                 google::protobuf::Message* message, Report* report);

}  // namespace bandit::config

#endif  // BANDIT_ROUTER_CONFIG_READER_H_
