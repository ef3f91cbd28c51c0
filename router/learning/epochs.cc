// SPDX-License-Identifier: Apache-2.0
#include "router/learning/epochs.h"

#include "router/experiment/plan.h"

namespace bandit::learning {

namespace {

// Null: it has none.
const v1::LayerConfig* LayerOf(const v1::RouterConfig& config,
                               const v1::ExperimentConfig& experiment) {
  for (const v1::LayerConfig& layer : config.layers()) {
    if (experiment.has_layer() && layer.name() == experiment.layer().name()) {
      return &layer;
    }
  }
  return nullptr;
}

}  // namespace

ExperimentRecords DecideEpochs(const v1::RouterConfig& config,
                               const ExperimentRecords& known) {
  ExperimentRecords records;
  for (const v1::ExperimentConfig& experiment : config.experiments()) {
    store::ExperimentRecord record{
        .epoch = 1,
        .fingerprint =
            experiment::Fingerprint(experiment, LayerOf(config, experiment))};
    if (const auto old = known.find(experiment.name()); old != known.end()) {
      const bool same =
          experiment::EpochChanges(old->second.fingerprint, record.fingerprint)
              .empty();
      record.epoch = old->second.epoch + (same ? 0 : 1);
    }
    records[experiment.name()] = std::move(record);
  }
  return records;
}

std::map<std::string, uint32_t> EpochNumbers(const ExperimentRecords& records) {
  std::map<std::string, uint32_t> numbers;
  for (const auto& [name, record] : records) numbers[name] = record.epoch;
  return numbers;
}

}  // namespace bandit::learning
