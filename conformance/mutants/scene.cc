// SPDX-License-Identifier: Apache-2.0
#include "conformance/mutants/scene.h"

#include <algorithm>
#include <cstring>

#include "conformance/catalogue/tap_name.h"
#include "conformance/mutants/mutant.h"

namespace assay::conformance {
namespace {

constexpr std::size_t kMostBytes = std::size_t{256} << 20;   // of a run's taps
constexpr std::size_t kMostWeights = std::size_t{32} << 20;  // values of weights
const std::string kVisionLayers = "model.vision_tower.encoder.layers.";
const std::string kAudioLayers = "model.audio_tower.layers.";

Matrix read_weight(const Checkpoint& checkpoint, const std::string& name) {
  if (!checkpoint.has(name)) {
    throw NotHere();
  }
  Matrix matrix{checkpoint.shape(name), {}};
  std::size_t count = 1;
  for (const std::size_t extent : matrix.shape) {
    count *= extent;
  }
  matrix.values.resize(count);
  checkpoint.read(name, 0, count, matrix.values.data());
  return matrix;
}

}  // namespace

MutantModel::MutantModel(const std::string& checkpoint, const std::string& drafter)
    : path_(checkpoint), target_(Checkpoint::open(checkpoint)) {
  if (!drafter.empty()) {
    drafter_.emplace(Checkpoint::open(drafter));
  }
}

void MutantModel::round_weights(const Rounding& rounding) const {
  rounding_ = rounding;
  kept_.clear();
  kept_values_ = 0;
}

const Matrix& MutantModel::weight(const std::string& name, bool of_drafter) const {
  if (of_drafter && !drafter_) {
    throw NotHere();
  }
  const std::string key = (of_drafter ? "drafter:" : "") + name;
  const auto found = kept_.find(key);
  if (found != kept_.end()) {
    return found->second;
  }
  Matrix matrix = read_weight(of_drafter ? *drafter_ : target_, name);
  if (rounding_.bf16_weights || rounding_.f16_weights) {
    matrix.values = map(matrix.values, rounding_.bf16_weights ? to_bf16 : to_f16);
  }
  if (kept_values_ + matrix.values.size() > kMostWeights) {
    kept_.clear();
    kept_values_ = 0;
  }
  kept_values_ += matrix.values.size();
  return kept_.emplace(key, std::move(matrix)).first->second;
}

std::vector<std::int64_t> MutantModel::drafter_integers(const std::string& name) const {
  if (!drafter_ || !drafter_->has(name)) {
    throw NotHere();
  }
  return drafter_->read_integers(name);
}

void TapMemory::keep(const TensorView& view, const void* values) {
  Kept kept;
  kept.dtype = view.dtype;
  kept.shape.assign(view.shape.begin(), view.shape.end());
  kept.bytes.resize(view.elements() * size_of(view.dtype));
  std::memcpy(kept.bytes.data(), values, kept.bytes.size());
  total_ += kept.bytes.size();
  std::string name(view.name);
  order_.push_back(name);
  kept_.insert_or_assign(std::move(name), std::move(kept));
  while (total_ > kMostBytes && order_.size() > 1) {
    const auto oldest = kept_.find(order_.front());
    if (oldest != kept_.end()) {
      total_ -= std::min(total_, oldest->second.bytes.size());
      kept_.erase(oldest);
    }
    order_.pop_front();
  }
}

const Tap* TapMemory::find(const std::string& name) const {
  const auto found = kept_.find(name);
  if (found == kept_.end()) {
    return nullptr;
  }
  const Kept& kept = found->second;
  if (!kept.tap) {
    kept.tap = to_tap({name, kept.dtype, kept.shape, kept.bytes.data()});
  }
  return &*kept.tap;
}

Scene::Scene(const TapMemory& memory, const MutantModel& model, const CaseInput& input,
             std::string tap)
    : memory_(memory),
      model_(model),
      input_(input),
      tap_(std::move(tap)),
      prefix_(tap_prefix(tap_)),
      match_(*find_tap(tap_)) {}

const Tap& Scene::named(const std::string& name) const {
  const Tap* found = memory_.find(name);
  if (found == nullptr) {
    throw NotHere();
  }
  return *found;
}

const Tap& Scene::tap(std::string_view leaf) const {
  return named(prefix_ + std::string(leaf));
}

bool Scene::has(std::string_view leaf) const {
  return memory_.find(prefix_ + std::string(leaf)) != nullptr;
}

const TextConfig& Scene::text() const {
  const ModelConfig* drafter = model_.drafter_config();
  return in_drafter() && drafter != nullptr ? drafter->text : model_.config().text;
}

const LayerConfig& Scene::layer_config() const {
  const auto& layers = text().layers;
  if (match_.entry->stage == Stage::kMedia || layer() >= layers.size()) {
    throw NotHere();
  }
  return layers[layer()];
}

std::string Scene::layer_prefix(std::size_t layer) const {
  const std::string number = std::to_string(layer) + ".";
  if (match_.entry->stage != Stage::kMedia) {
    return "layers." + number;
  }
  return (match_.entry->pattern.starts_with("audio.") ? kAudioLayers : kVisionLayers) + number;
}

const Matrix& Scene::layer_weight(std::size_t layer, const std::string& name) const {
  return model_.weight(layer_prefix(layer) + name, in_drafter());
}

const Matrix& Scene::weight(const std::string& name) const {
  return layer_weight(layer(), name);
}

bool Scene::has_weight(const std::string& name) const {
  try {
    weight(name);
    return true;
  } catch (const NotHere&) {
    return false;
  }
}

const Matrix& Scene::model_weight(const std::string& name) const {
  return model_.weight(name, in_drafter());
}

std::vector<double> Scene::positions() const {
  return named("text.positions").values;
}

std::vector<int> Scene::types() const {
  const SpecialTokens& special = config().text.special;
  std::vector<int> types(input_.token_types.begin(), input_.token_types.end());
  if (types.empty()) {
    for (const std::int32_t id : input_.ids) {
      types.push_back(id == special.image   ? 1
                      : id == special.video ? 2
                      : id == special.audio ? 3
                                            : 0);
    }
  }
  return types;
}

std::vector<int> Scene::blocks() const {
  std::vector<int> blocks;
  int block = -1;
  bool before = false;
  for (const int type : types()) {
    const bool vision = type == 1 || type == 2;
    block += vision && !before ? 1 : 0;
    blocks.push_back(vision ? block : -1);
    before = vision;
  }
  return blocks;
}

}  // namespace assay::conformance
