// SPDX-License-Identifier: Apache-2.0
#include "conformance/compare/self_test.h"

#include <cmath>
#include <limits>
#include <string>

#include "conformance/catalogue/roles.h"
#include "conformance/compare/comparison.h"
#include "conformance/compare/constants.h"
#include "conformance/compare/harness.h"
#include "conformance/compare/judge.h"

namespace assay::conformance {
namespace {

constexpr double kFloor = 1e-6;
constexpr const char* kReal = "a tensor";  // no tap of the catalogue

void expect(bool right, const std::string& what) {
  if (!right) {
    throw HarnessError("the comparator fails its self-test: " + what);
  }
}

Tap made_up(const std::string& name, Shape shape) {
  Tap tap{name, std::move(shape), {}, false};
  Random random(7);
  tap.values.resize(element_count(tap.shape));
  for (double& value : tap.values) {
    value = random.gaussian();
  }
  return tap;
}

Tap with_noise(Tap tap, double rel_l2) {
  Random random(8);
  for (double& value : tap.values) {
    value += rel_l2 * random.gaussian();  // the values have an rms of 1
  }
  return tap;
}

TapResult verdict_on(const Tap& truth, const Tap& got) {
  const Comparison step = compare_tap(truth, got, {});
  if (step.kind == Comparison::Kind::kShape) {
    return judge_shape(step.tap, step.got_shape, step.wanted_shape);
  }
  if (step.kind == Comparison::Kind::kExact) {
    return judge_equal(step.tap, step.exact);
  }
  return judge(step.tap, step.errors, {kFloor, kFloor, "measured"},
               chained_limits(*find_precision("f32")));
}

void expect_code(const Tap& truth, const Tap& got, const std::string& code,
                 const std::string& what) {
  const TapResult result = verdict_on(truth, got);
  expect(result.verdict == Verdict::kFail && result.code == code, what);
}

void test_sizes(const Tap& truth) {
  const TapResult same = verdict_on(truth, truth);
  expect(same.verdict == Verdict::kPass && same.rel_l2 == 0, "the truth against itself");
  const double limit = kChainedLimit * kFloor;
  expect(verdict_on(truth, with_noise(truth, limit / 2.2)).verdict == Verdict::kPass,
         "noise of half the budget");
  expect_code(truth, with_noise(truth, 2 * limit), "TOL", "noise of twice the budget");
  Tap one_row = truth;
  one_row.values[5] += 1e-3;
  expect_code(truth, one_row, "TOL", "one element off");
  expect_code(truth, made_up(kReal, {16, 32}), "SHAPE", "another shape");
}

void test_special_values(const Tap& truth) {
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), HUGE_VAL, -HUGE_VAL}) {
    Tap got = truth;
    got.values[17] = bad;
    expect_code(truth, got, std::isnan(bad) ? "NAN" : "INF", "a value that is no number");
    expect(verdict_on(truth, got).where == Shape{0, 17}, "the place of a value that is no number");
  }
  Tap zeros = truth;
  zeros.values.assign(zeros.values.size(), 0);
  expect_code(truth, zeros, "TOL", "all zeros");
  expect_code(zeros, truth, "NONZERO", "something where the truth is zero");
}

void test_layouts(const Tap& truth) {
  Tap transposed = truth;
  Tap rolled = truth;
  const std::size_t rows = truth.shape[0];
  const std::size_t columns = truth.shape[1];
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      transposed.values[c * rows + r] = truth.values[r * columns + c];
      rolled.values[((r + 1) % rows) * columns + c] = truth.values[r * columns + c];
    }
  }
  expect_code(truth, transposed, "TOL", "a transposed tensor under the right shape");
  expect_code(truth, rolled, "TOL", "rows rolled by one");
  transposed.shape = {columns, rows};
  expect_code(truth, transposed, "SHAPE", "a transposed tensor");
  Tap flat = truth;
  flat.shape = {1, rows, columns / 4, 4};
  expect(verdict_on(truth, flat).verdict == Verdict::kPass, "a batch axis and a split axis");
}

void test_whole_numbers() {
  Tap ids{first_tap(TapRole::Kind::kInteger), {3}, {5, 6, 7}, true};
  expect(verdict_on(ids, ids).verdict == Verdict::kPass, "equal ids");
  Tap other = ids;
  other.values[2] = 8;
  expect_code(ids, other, "DISCRETE", "another id");
  const Tap experts{first_tap(TapRole::Kind::kChoice), {1, 2}, {3, 1}, true};
  const Tap scores{scores_of_choice(experts.name), {1, 4}, {0, 1, 1 - 1e-7, 2}, false};
  const double swapped[] = {1, 3};
  const double near[] = {3, 2};
  const double far[] = {3, 0};
  const TapFloor floor{kFloor, kFloor, "measured"};
  const auto choose = [&](std::span<const double> got) {
    return judge_choice(experts.name, measure_choice(experts, got, &scores), floor);
  };
  expect(choose(swapped).excused == 0 && choose(swapped).result.verdict == Verdict::kPass,
         "the order of experts");
  expect(choose(near).excused == 1 && choose(near).result.verdict == Verdict::kPass,
         "a near-tie of experts");
  expect(choose(far).result.verdict == Verdict::kFail, "a wrong expert");
}

void test_probabilities() {
  const Tap truth{first_tap(TapRole::Kind::kProbabilities), {1, 1, 3}, {0.25, 0.75, 0}, false};
  Tap leak = truth;
  leak.values = {0.25, 0.75, 1e-9};
  expect_code(truth, leak, "MASK_LEAK", "a probability at a hidden key");
  Tap half = truth;
  half.values = {0.125, 0.375, 0};
  expect_code(truth, half, "NOT_PROB", "probabilities that sum to one half");
}

void test_rounding() {
  const PrecisionClass& bf16 = *find_precision("bf16");
  expect(round_to_class(1.00390625, bf16) == 1.0, "a tie to even, down");
  expect(round_to_class(1.01171875, bf16) == 1.015625, "a tie to even, up");
  expect(round_to_class(-1.0040, bf16) == -1.0078125, "a negative number");
  expect(round_to_class(65519.0, *find_precision("f16")) == 65504, "the largest f16");
  expect(round_to_class(0x1p-25, *find_precision("f16")) == 0, "half the smallest f16");
}

}  // namespace

void self_test() {
  const Tap truth = made_up(kReal, {16, 64});
  test_sizes(truth);
  test_special_values(truth);
  test_layouts(truth);
  test_whole_numbers();
  test_probabilities();
  test_rounding();
  volatile double tiny = 1e-310;
  expect(tiny / 2 != 0, "subnormal numbers are flushed to zero");
}

}  // namespace assay::conformance
