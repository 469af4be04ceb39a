// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/signature.h"

#include <cmath>
#include <sstream>

#include "conformance/compare/constants.h"

namespace assay::conformance {
namespace {

std::string number(double value) {
  std::ostringstream text;
  text.precision(4);
  text << value;
  return text.str();
}

// 6 for 6.00001; 0 for what is no such number.
double integer_near(double value) {
  const double nearest = std::round(value);
  return nearest >= 2 && std::abs(value / nearest - 1) < kNearInteger ? nearest : 0;
}

// "* 6", "/ 6", "/ sqrt(2)", "* 1.0024".
std::string factor(double ratio) {
  for (const bool divides : {false, true}) {
    const double of = divides ? 1 / ratio : ratio;
    const char* const sign = divides ? " / " : " * ";
    if (const double whole = integer_near(of); whole > 0) {
      return sign + number(whole);
    }
    if (const double square = integer_near(of * of); square > 0 && square < 65536) {
      return sign + ("sqrt(" + number(square) + ")");
    }
  }
  return " * " + number(ratio);
}

}  // namespace

std::string signature_of(const Errors& errors) {
  if (errors.bad() > 0 || errors.sum_truth2 == 0 || errors.sum_e2 == 0 || errors.count < 2) {
    return "";
  }
  const double of_both = (errors.sum_got2 + errors.sum_truth2 - errors.sum_e2) / 2;
  const double ratio = of_both / errors.sum_truth2;
  const double left2 = errors.sum_got2 - ratio * of_both;
  if (errors.sum_got2 > 0 && left2 < kSignature * kSignature * errors.sum_e2) {
    const std::string sign = ratio < 0 ? "-" : "";
    const double size = std::abs(ratio);
    return "got = " + sign + "want" + (std::abs(size - 1) < kNearInteger ? "" : factor(size)) +
           ", a constant ratio";
  }
  const double mean = errors.sum_e / static_cast<double>(errors.count);
  if (errors.sum_e2 - mean * errors.sum_e < kSignature * kSignature * errors.sum_e2) {
    return "got = want " + std::string(mean < 0 ? "- " : "+ ") + number(std::abs(mean)) +
           ", a constant shift";
  }
  return "";
}

}  // namespace assay::conformance
