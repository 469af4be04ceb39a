// SPDX-License-Identifier: Apache-2.0
#include "conformance/properties/yardstick.h"

#include "conformance/compare/chained.h"
#include "conformance/compare/harness.h"

namespace assay::conformance {

Yardstick::Yardstick(std::unique_ptr<Implementation> f64, std::unique_ptr<Implementation> f32,
                     const PrecisionClass& precision, const std::string& profile)
    : f64_(std::move(f64)),
      f32_(std::move(f32)),
      precision_(&precision),
      oracle_(*f64_, *f32_, profile) {}

Implementation& Yardstick::judge(const std::string& checkpoint) {
  if (loaded_ != checkpoint) {
    loaded_.clear();
    require_ok(f64_->load(checkpoint, ""), "", "the oracle of a property");
    require_ok(f32_->load(checkpoint, ""), "", "the oracle of a property");
    loaded_ = checkpoint;
  }
  return oracle_.f64();
}

Yardstick::Key Yardstick::key_of(const std::string& checkpoint, const CaseInput& input,
                                 const std::set<std::string>& taps) {
  Key key{{checkpoint}, {}};
  key.first.insert(key.first.end(), taps.begin(), taps.end());
  const auto append = [&key](const auto& values) {
    key.second.push_back(static_cast<double>(values.size()));
    key.second.insert(key.second.end(), values.begin(), values.end());
  };
  append(input.ids);
  append(input.token_types);
  append(input.positions);
  append(input.valid);
  for (const MediaItem& item : input.media) {
    append(item.values);
    append(item.patches.values);
    append(item.mel.values);
    append(item.audio_rows.values);
  }
  return key;
}

const Golden& Yardstick::golden(const Key& key, const CaseInput& input,
                                const std::set<std::string>& taps) {
  auto known = truths_.find(key);
  if (known == truths_.end()) {
    Golden made = golden_from_run(judge(key.first.front()), input, with_consulted(taps));
    known = truths_.emplace(key, std::move(made)).first;
  }
  return known->second;
}

const TapSet& Yardstick::truth(const std::string& checkpoint, const CaseInput& input,
                               const std::set<std::string>& taps) {
  return golden(key_of(checkpoint, input, taps), input, taps).truth;
}

const Floors& Yardstick::floors(const std::string& checkpoint, const CaseInput& input,
                                const std::set<std::string>& taps) {
  const Key key = key_of(checkpoint, input, taps);
  auto known = floors_.find(key);
  if (known == floors_.end()) {
    const Golden& truth = golden(key, input, taps);
    judge(checkpoint);
    Floors made = floors_for(truth, taps, &oracle_, *precision_, {Mode::kChained, Mode::kReplay});
    known = floors_.emplace(key, std::move(made)).first;
  }
  return known->second;
}

}  // namespace assay::conformance
