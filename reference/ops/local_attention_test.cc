// SPDX-License-Identifier: Apache-2.0
// The direct form against the blocked form of the originals, and the windows that others use.
// Rules RC-12 ... RC-14.
#include "reference/ops/local_attention.h"

#include <functional>

#include "reference/family/testing/test_directory.h"
#include "reference/ops/softcap.h"
#include "reference/ops/softmax.h"
#include "reference/testing/test_tensors.h"

namespace assay::ASSAY_REFERENCE {
namespace {

constexpr double kBound = bound_of(2e-5, 1e-13);
constexpr std::size_t kHeads = 2;
constexpr std::size_t kWidth = 4;
constexpr std::size_t kDistances = 13;
constexpr std::size_t kBlock = 12;
constexpr std::size_t kContext = 24;  // the block before, and the block

struct Inputs {
  explicit Inputs(std::size_t rows)
      : q(Real(3) * random_tensor<T, N, H>({rows, kHeads, kWidth}, 1)),
        k(Real(2) * random_tensor<T, N, H>({rows, kHeads, kWidth}, 2)),
        v(random_tensor<T, N, H>({rows, kHeads, kWidth}, 3)),
        rel_k(random_tensor<R, N, H>({kDistances, kHeads, kWidth}, 4)) {}

  std::size_t rows() const { return q.shape()[0]; }
  double content(std::size_t n, std::size_t t, std::size_t j) const {
    double sum = 0;
    for (std::size_t h = 0; h < kWidth; ++h) {
      sum += static_cast<double>(q(t, n, h)) * static_cast<double>(k(j, n, h));
    }
    return sum;
  }
  double place(std::size_t n, std::size_t t, std::size_t r) const {
    double sum = 0;
    for (std::size_t h = 0; h < kWidth; ++h) {
      sum += static_cast<double>(q(t, n, h)) * static_cast<double>(rel_k(r, n, h));
    }
    return sum;
  }

  Tensor<T, N, H> q, k, v;
  Tensor<R, N, H> rel_k;
};

// ---- the blocked form ------------------------------------------------------------------------

struct Attended {
  std::vector<double> logits;  // [N, rows, rows], 0 outside the window
  std::vector<double> probs;   // the same
  std::vector<double> mix;     // [rows, N, H]
};

// The second term of one block: 13 products a row, padded to 25, read again in rows of 24.
std::vector<double> shifted(const Inputs& in, std::size_t n, std::size_t block) {
  std::vector<double> padded(kBlock * (kContext + 1), 0.0);
  for (std::size_t w = 0; w < kBlock && block * kBlock + w < in.rows(); ++w) {
    for (std::size_t r = 0; r < kDistances; ++r) {
      padded[w * (kContext + 1) + r] = in.place(n, block * kBlock + w, r);
    }
  }
  padded.resize(kBlock * kContext);
  return padded;
}

// Query w of a block: 24 columns, the hidden ones at -1e9 under the softmax.
void attend_row(const Inputs& in, std::size_t n, std::size_t t, std::size_t window,
                std::span<const double> relative, Attended& out) {
  const std::size_t block = t / kBlock;
  const std::size_t w = t % kBlock;
  std::vector<double> weight(kContext, -1e9);
  for (std::size_t c = 0; c < kContext; ++c) {
    const std::size_t key = kBlock * block + c - kBlock;  // wraps before the first row
    const bool allowed = c <= w + kBlock && c + window > w + kBlock;
    if (allowed && key < in.rows()) {
      const double logit = in.content(n, t, key) + relative[c];
      out.logits[(n * in.rows() + t) * in.rows() + key] = logit;
      weight[c] = 50 * std::tanh(logit / 50);
    }
  }
  const double largest = *std::max_element(weight.begin(), weight.end());
  double sum = 0;
  for (double& value : weight) {
    value = std::exp(value - largest);
    sum += value;
  }
  for (std::size_t c = 0; c < kContext; ++c) {
    const std::size_t key = kBlock * block + c - kBlock;
    if (key < in.rows()) {
      out.probs[(n * in.rows() + t) * in.rows() + key] += weight[c] / sum;
      for (std::size_t h = 0; h < kWidth; ++h) {
        out.mix[(t * kHeads + n) * kWidth + h] +=
            weight[c] / sum * static_cast<double>(in.v(key, n, h));
      }
    }
  }
}

Attended blocked(const Inputs& in, std::size_t window) {
  const std::size_t square = kHeads * in.rows() * in.rows();
  Attended out{std::vector<double>(square), std::vector<double>(square),
               std::vector<double>(in.rows() * kHeads * kWidth)};
  for (std::size_t n = 0; n < kHeads; ++n) {
    for (std::size_t t = 0; t < in.rows(); ++t) {
      const auto relative = shifted(in, n, t / kBlock);
      attend_row(in, n, t, window, std::span(relative).subspan(t % kBlock * kContext, kContext),
                 out);
    }
  }
  return out;
}

Attended direct(const Inputs& in, std::size_t window) {
  const auto logits = local_attention_logits(in.q, in.k, in.rel_k, window);
  const auto probs = masked_softmax(softcap(logits, 50), local_mask(in.rows(), window));
  return {values_of(by_key(logits)), values_of(by_key(probs)),
          values_of(local_attention_mix(probs, in.v))};
}

TEST(LocalAttention, EqualsTheBlockedForm) {
  constexpr double kClose = bound_of(2e-5, 1e-14);
  for (const std::size_t window : {12u, 13u}) {
    for (const std::size_t rows : {1u, 11u, 12u, 13u, 24u, 25u, 62u}) {
      const Inputs in(rows);
      const auto ours = direct(in, window);
      const auto by_blocks = blocked(in, window);
      EXPECT_LE(largest_difference(ours.logits, by_blocks.logits), kClose)
          << window << ", " << rows;
      EXPECT_LE(largest_difference(ours.probs, by_blocks.probs), kClose) << window << ", " << rows;
      EXPECT_LE(largest_difference(ours.mix, by_blocks.mix), kClose) << window << ", " << rows;
    }
  }
}

TEST(LocalAttention, ByHand) {  // one head of width 1; distances 2, 1, 0 add 100, 10, 1
  const auto q = tensor_of<T, N, H>({3, 1, 1}, {1, 2, 3});
  const auto k = tensor_of<T, N, H>({3, 1, 1}, {5, 6, 7});
  const auto rel_k = tensor_of<R, N, H>({3, 1, 1}, {100, 10, 1});
  expect_near(values_of(local_attention_logits(q, k, rel_k, 2)),
              {5 + 1, 0, 12 + 2, 10 + 20, 21 + 3, 18 + 30}, 0);
  const auto probs = tensor_of<T, N, S>({3, 1, 2}, {1, 0, 0.25, 0.75, 0.5, 0.5});
  expect_near(values_of(local_attention_mix(probs, k)), {5, 1.5 + 3.75, 3.5 + 3}, 0);
}

TEST(LocalAttention, DenseViewAndBack) {
  const auto values = tensor_of<T, N, S>({3, 1, 2}, {1, 0, 2, 3, 4, 5});
  const auto dense = by_key(values);
  expect_near(values_of(dense), {1, 0, 0, 3, 2, 0, 0, 5, 4}, 0);
  expect_near(values_of(by_distance(dense, 2)), values_of(values), 0);
}

TEST(LocalAttention, EveryRowSeesItself) {  // DIV-M18: an inverted mask does not
  const auto mask = local_mask(30, 12);
  for (std::size_t t = 0; t < 30; ++t) {
    EXPECT_EQ(mask(t, 0), 1);
    EXPECT_EQ(mask(t, 11), t >= 11 ? 1 : 0) << t;
  }
}

TEST(LocalAttention, RefusesKeysWithoutADistance) {
  const Inputs in(3);
  EXPECT_EQ(error_of([&] { local_attention_logits(in.q, in.k, in.rel_k, 14); }),
            "local_attention_logits: rel_k: got shape [13, 2, 4], expected [14, 2, 4]");
}

// ---- the mistakes, on 30 rows of three blocks --------------------------------------------------

constexpr std::size_t kRows = 30;
const Inputs kInputs(kRows);

using Visible = std::function<bool(std::size_t t, std::size_t j)>;
using RowOf = std::function<std::size_t(std::size_t distance)>;

std::vector<double> logits_where(const Visible& visible, const RowOf& row_of) {
  std::vector<double> logits(kHeads * kRows * kRows, 0.0);
  for (std::size_t n = 0; n < kHeads; ++n) {
    for (std::size_t t = 0; t < kRows; ++t) {
      for (std::size_t j = 0; j < kRows; ++j) {
        if (visible(t, j)) {
          const std::size_t r = row_of(t - j);  // wraps for a key ahead
          logits[(n * kRows + t) * kRows + j] =
              kInputs.content(n, t, j) + (r < kDistances ? kInputs.place(n, t, r) : 0.0);
        }
      }
    }
  }
  return logits;
}

bool twelve_keys(std::size_t t, std::size_t j) {
  return j <= t && t - j < 12;
}
std::size_t descending(std::size_t distance) {
  return 12 - distance;
}

void expect_logits_avoid(const Visible& visible, const RowOf& row_of) {
  expect_avoided(direct(kInputs, 12).logits, logits_where(twelve_keys, descending),
                 logits_where(visible, row_of), kBound);
}

// C16
TEST(local_attention, rows_ascending) {
  expect_logits_avoid(twelve_keys, [](std::size_t distance) { return distance; });
}

// C17
TEST(local_attention, distance_off_by_one) {
  expect_logits_avoid(twelve_keys, [](std::size_t distance) { return 11 - distance; });
}

// C18
TEST(local_attention, relative_term_omitted) {
  expect_logits_avoid(twelve_keys, [](std::size_t) { return kDistances; });
}

// C32
TEST(local_attention, thirteen_keys) {
  expect_logits_avoid([](auto t, auto j) { return j <= t && t - j < 13; }, descending);
  expect_near(direct(kInputs, 13).logits,
              logits_where([](auto t, auto j) { return j <= t && t - j < 13; }, descending),
              kBound);
}

// C33
TEST(local_attention, eleven_keys) {
  expect_logits_avoid([](auto t, auto j) { return j <= t && t - j < 11; }, descending);
}

// C34
TEST(local_attention, whole_context_of_the_block) {
  expect_logits_avoid([](auto t, auto j) { return j <= t && j + 12 >= t / 12 * 12; }, descending);
}

// C34
TEST(local_attention, unlimited_past) {
  expect_logits_avoid([](auto t, auto j) { return j <= t; }, descending);
}

// C35
TEST(local_attention, own_block_only) {
  expect_logits_avoid([](auto t, auto j) { return j <= t && j >= t / 12 * 12; }, descending);
}

// C36
TEST(local_attention, one_future_key) {
  expect_logits_avoid([](auto t, auto j) { return j <= t + 1 && t < j + 12; }, descending);
}

// Nobody with twelve rows or fewer can tell 12 keys from 13 (DIV-M04).
TEST(local_attention, twelve_rows_do_not_show_the_thirteenth_key) {
  const Inputs in(12);
  expect_near(direct(in, 12).mix, direct(in, 13).mix, 0);
}

// One head, width 1: the query is 1, keys are the logits, distances add nothing.
std::vector<double> probs_of_last(const std::vector<double>& keys, std::size_t window) {
  const auto k = tensor_of<T, N, H>({keys.size(), 1, 1}, keys);
  const auto q = tensor_of<T, N, H>({keys.size(), 1, 1}, std::vector<double>(keys.size(), 1));
  const auto rel_k = make_tensor<R, N, H>({window, 1, 1});
  const auto logits = softcap(local_attention_logits(q, k, rel_k, window), 50);
  const auto probs = values_of(by_key(masked_softmax(logits, local_mask(keys.size(), window))));
  return {probs.end() - static_cast<std::ptrdiff_t>(keys.size()), probs.end()};
}

std::vector<double> softmax_of(std::vector<double> logits) {
  double sum = 0;
  for (double& value : logits) {
    value = std::exp(value);
    sum += value;
  }
  for (double& value : logits) {
    value /= sum;
  }
  return logits;
}

double cap(double x, double limit) {
  return limit * std::tanh(x / limit);
}

// C37: small logits do not show it, these do.
TEST(local_attention, softcap_omitted_or_30) {
  const auto right = softmax_of({cap(40, 50), cap(38, 50)});
  expect_avoided(probs_of_last({40, 38}, 2), right, softmax_of({40, 38}), kBound);
  expect_avoided(probs_of_last({40, 38}, 2), right, softmax_of({cap(40, 30), cap(38, 30)}), kBound);
}

// C38
TEST(local_attention, tanh_without_the_factor) {
  expect_avoided(probs_of_last({3, 1}, 2), softmax_of({cap(3, 50), cap(1, 50)}),
                 softmax_of({std::tanh(3.0 / 50), std::tanh(1.0 / 50)}), kBound);
}

// C39: a hidden key would come back with -50. It takes very negative logits to see it.
TEST(local_attention, softcap_after_the_mask) {
  const auto seen = softmax_of({cap(-120, 50), cap(-110, 50)});
  const auto wrong = softmax_of({-50, cap(-120, 50), cap(-110, 50)});
  expect_avoided(probs_of_last({7, -120, -110}, 2), {0, seen[0], seen[1]}, wrong, kBound);
}

// C40: a config's comment has 1e-9 for -1e9.
TEST(local_attention, hidden_logits_near_zero) {
  const auto seen = softmax_of({cap(2, 50), cap(1, 50)});
  expect_avoided(probs_of_last({7, 2, 1}, 2), {0, seen[0], seen[1]},
                 softmax_of({1e-9, cap(2, 50), cap(1, 50)}), kBound);
}

// C41, DIV-M18
TEST(local_attention, inverted_mask) {
  const auto seen = softmax_of({cap(2, 50), cap(1, 50)});
  expect_avoided(probs_of_last({7, 2, 1}, 2), {0, seen[0], seen[1]}, {1, 0, 0}, kBound);
}

}  // namespace
}  // namespace assay::ASSAY_REFERENCE
