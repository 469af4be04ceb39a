// SPDX-License-Identifier: Apache-2.0
#include "reference/weights/load_clipped_linear.h"

namespace assay::ASSAY_REFERENCE {
namespace {

void check_order(const std::string& name, Real lowest, Real highest) {
  if (lowest > highest) {
    throw Error(name + "_min: got " + std::to_string(lowest) + ", expected at most " + name +
                "_max, which is " + std::to_string(highest));
  }
}

}  // namespace

ClippedLinear load_clipped_linear(const WeightReader& reader, const std::string& at, bool clipped) {
  ClippedLinear w;
  w.weight = reader.matrix(at + "linear.weight");
  w.activation = reader.activation_scales(at + "linear");
  if (clipped) {
    w.input_min = reader.scalar(at + "input_min");
    w.input_max = reader.scalar(at + "input_max");
    w.output_min = reader.scalar(at + "output_min");
    w.output_max = reader.scalar(at + "output_max");
    check_order(at + "input", w.input_min, w.input_max);
    check_order(at + "output", w.output_min, w.output_max);
  }
  return w;
}

}  // namespace assay::ASSAY_REFERENCE
