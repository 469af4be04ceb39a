// SPDX-License-Identifier: Apache-2.0
#include "reference/family/convert/target_values.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>

#include "reference/family/base/error.h"

namespace assay {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 20;        // elements at a time
constexpr std::size_t kHeldBytes = std::size_t{128} << 20;  // of the source's pages

struct Limit {
  std::string_view dtype;
  float most;  // the largest magnitude that does not become infinite
};

// F16: half a unit below 65536. The scales of Q8_0 and Q4_0 are such numbers. BF16: half a unit
// below 2^128.
constexpr Limit kLimits[] = {{"F16", 65519.996f},
                             {"BF16", 0x1.FEFFFEp127f},
                             {"Q8_0", 127 * 65519.0f},
                             {"Q4_0", 8 * 65519.0f}};

float largest_of(DType dtype) {
  for (const Limit& limit : kLimits) {
    if (limit.dtype == dtype_name(dtype)) {
      return limit.most;
    }
  }
  return std::numeric_limits<float>::max();
}

void check_magnitudes(const StoredTensor& tensor, std::size_t first,
                      std::span<const float> values) {
  const float most = largest_of(tensor.dtype);
  std::int32_t largest = 0;  // magnitudes have the order of their bits, which is faster to find
  for (const float value : values) {
    largest = std::max(largest, std::bit_cast<std::int32_t>(value) & 0x7FFFFFFF);
  }
  if (std::bit_cast<float>(largest) <= most) {
    return;
  }
  const auto bad = std::find_if(values.begin(), values.end(),
                                [most](float value) { return std::fabs(value) > most; });
  char text[64];
  std::snprintf(text, sizeof text, "got %g, expected at most %g", static_cast<double>(*bad),
                static_cast<double>(most));
  throw Error(printable(tensor.name) + ": element " +
              std::to_string(first + static_cast<std::size_t>(bad - values.begin())) + ": " + text +
              " to be stored as " + std::string(dtype_name(tensor.dtype)));
}

// Pixels of one row: [y, x, channel] to [channel, y, x].
void turn_patch(std::span<float> row, std::vector<float>& spare) {
  const std::size_t pixels = row.size() / 3;
  spare.assign(row.begin(), row.end());
  for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      row[channel * pixels + pixel] = spare[3 * pixel + channel];
    }
  }
}

float softplus(float value) {
  const double x = value;
  return static_cast<float>(x > 20 ? x : std::log1p(std::exp(x)));
}

// Elements of the weight in the order of the file to be written.
class TargetReader {
 public:
  TargetReader(const Checkpoint& checkpoint, const PlannedTensor& tensor)
      : checkpoint_(&checkpoint), tensor_(&tensor) {
    if (tensor.made.empty()) {
      const auto& shape = checkpoint.shape(tensor.weight);
      row_ = shape.empty() ? 1 : shape.back();
      positions_ = shape.empty() ? 1 : shape.front();
    }
  }

  std::size_t row() const { return row_; }

  // Whole rows of the weight.
  void read(std::size_t first, std::span<float> out) {
    if (!tensor_->made.empty()) {
      std::copy_n(tensor_->made.begin() + static_cast<std::ptrdiff_t>(first), out.size(),
                  out.begin());
      return;
    }
    if (tensor_->layout == GgufLayout::kAxes) {
      read_axes(first, out);
      return;
    }
    checkpoint_->read(tensor_->weight, first, out.size(), out.data());
    if (tensor_->layout == GgufLayout::kPatches) {
      for (std::size_t begin = 0; begin < out.size(); begin += row_) {
        turn_patch(out.subspan(begin, row_), spare_);
      }
    } else if (tensor_->layout == GgufLayout::kSoftplus) {
      std::transform(out.begin(), out.end(), out.begin(), softplus);
    }
  }

 private:
  // [positions, 2, width] to [2, positions, width].
  void read_axes(std::size_t first, std::span<float> out) const {
    for (std::size_t begin = 0; begin < out.size(); begin += row_) {
      const std::size_t target = (first + begin) / row_;
      const std::size_t source = target % positions_ * 2 + target / positions_;
      checkpoint_->read(tensor_->weight, source * row_, row_, out.data() + begin);
    }
  }

  const Checkpoint* checkpoint_;
  const PlannedTensor* tensor_;
  std::size_t row_ = 1;
  std::size_t positions_ = 1;
  std::vector<float> spare_;
};

void write_integers(const Checkpoint& checkpoint, const PlannedTensor& tensor,
                    const AppendBytes& append) {
  const std::vector<std::int64_t> values = checkpoint.read_integers(tensor.weight);
  append(std::as_bytes(std::span(values)));
}

}  // namespace

std::vector<ExpectedTensor> weights_of(const Checkpoint& checkpoint) {
  const TextConfig& text = checkpoint.config().text;
  std::vector<ExpectedTensor> weights;
  for (ExpectedTensor& expected : expected_tensors(checkpoint.config())) {
    if (expected.use != TensorUse::kIgnored) {
      weights.push_back(std::move(expected));
    }
  }
  if (checkpoint.has(kHeadName)) {
    weights.push_back({std::string(kHeadName), {text.vocab_size, text.hidden_size}});
  }
  return weights;
}

std::vector<std::string> scale_notes(const Checkpoint& checkpoint) {
  std::size_t count = 0;
  for (const ExpectedTensor& weight : weights_of(checkpoint)) {
    const std::string module = weight.name.substr(0, weight.name.rfind(".weight"));
    for (const char* side : {".input_activation_scale", ".output_activation_scale"}) {
      count += checkpoint.has(module + side) ? 1 : 0;
    }
  }
  if (count == 0) {
    return {};
  }
  return {std::to_string(count) + " scales of activations are left out: the weights become plain " +
          "numbers, and activations are not rounded any more"};
}

void write_values(const Checkpoint& checkpoint, const PlannedTensor& tensor,
                  const AppendBytes& append) {
  if (tensor.stored.dtype == DType::kI64) {
    write_integers(checkpoint, tensor, append);
    return;
  }
  const DTypeInfo& info = tensor.stored.dtype.info();
  TargetReader reader(checkpoint, tensor);
  const std::size_t step = std::max<std::size_t>(1, kChunk / reader.row()) * reader.row();
  std::vector<float> values;
  std::vector<std::byte> bytes;
  std::size_t held = 0;
  for (std::size_t first = 0; first < tensor.stored.elements; first += step) {
    values.resize(std::min(step, tensor.stored.elements - first));
    reader.read(first, values);
    check_magnitudes(tensor.stored, first, values);
    bytes.resize(values.size() / info.block_elements * info.block_bytes);
    narrow(tensor.stored.dtype, values, bytes.data());
    append(bytes);
    held += values.size() * sizeof(float);
    if (held >= kHeldBytes && tensor.made.empty()) {
      checkpoint.release(tensor.weight);
      held = 0;
    }
  }
  if (tensor.made.empty()) {
    checkpoint.release(tensor.weight);
  }
}

}  // namespace assay
