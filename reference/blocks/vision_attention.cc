// SPDX-License-Identifier: Apache-2.0
#include "reference/blocks/vision_attention.h"

#include <algorithm>
#include <vector>

#include "reference/ops/clipped_linear.h"
#include "reference/ops/linear.h"
#include "reference/ops/rms_norm.h"
#include "reference/ops/softmax.h"

namespace assay::ASSAY_REFERENCE {
namespace {

Tensor<T, N, H> split_heads(const Tensor<T, D>& x, std::size_t heads) {
  auto split = make_tensor<T, N, H>({x.shape()[0], heads, x.shape()[1] / heads});
  std::copy(x.begin(), x.end(), split.begin());
  return split;
}

// Head n as a matrix.
Tensor<T, H> head_of(const Tensor<T, N, H>& x, std::size_t n) {
  auto head = make_tensor<T, H>({x.shape()[0], x.shape()[2]});
  for (std::size_t t = 0; t < x.shape()[0]; ++t) {
    for (std::size_t h = 0; h < x.shape()[2]; ++h) {
      head(t, h) = x(t, n, h);
    }
  }
  return head;
}

// mix[t,h] = sum_s probs[t,s] v[s,n,h], written to columns n*H ... n*H + H - 1 of the context.
void mix_head(const Tensor<T, S>& probs, const Tensor<S, N, H>& v, std::size_t n,
              Tensor<T, D>& context) {
  const std::size_t width = v.shape()[2];
  const Tensor<H, S> transposed = xt::transpose(head_of(v, n));  // [H, S]
  const auto mix = linear(probs, transposed);                    // [T, H]
  for (std::size_t t = 0; t < mix.shape()[0]; ++t) {
    for (std::size_t h = 0; h < width; ++h) {
      context(t, n * width + h) = mix(t, h);
    }
  }
}

void add_boolean_mask(Tensor<T, S>& logits, const VisionCall& call) {
  if (call.pad_mask == VisionPadMask::kExclude) {
    return;
  }
  for (std::size_t t = 0; t < call.real_patches; ++t) {
    for (std::size_t s = 0; s < call.real_patches; ++s) {
      logits(t, s) += 1;
    }
  }
}

// The matrices of all heads as one tap [N, T, S].
void show(const char* name, std::vector<Tensor<T, S>>& heads, const TapScope& tap) {
  if (!tap.wants(name)) {
    return;
  }
  auto joined = make_tensor<N, T, S>({heads.size(), heads[0].shape()[0], heads[0].shape()[1]});
  for (std::size_t n = 0; n < heads.size(); ++n) {
    std::copy(heads[n].begin(), heads[n].end(), joined.begin() + n * heads[n].size());
  }
  tap.whole(name, joined);
  for (std::size_t n = 0; n < heads.size(); ++n) {
    std::copy_n(joined.begin() + n * heads[n].size(), heads[n].size(), heads[n].begin());
  }
}

Tensor<T, D> attend(const Tensor<T, N, H>& q, const Tensor<S, N, H>& k, const Tensor<S, N, H>& v,
                    const VisionCall& call, const TapScope& tap) {
  const std::size_t heads = q.shape()[1];
  const std::size_t together = tap.wants("logits") || tap.wants("probs") ? heads : 1;
  auto context = make_tensor<T, D>({q.shape()[0], heads * q.shape()[2]});
  for (std::size_t first = 0; first < heads; first += together) {
    std::vector<Tensor<T, S>> scores;
    for (std::size_t n = first; n < first + together; ++n) {
      scores.push_back(linear(head_of(q, n), head_of(k, n)));  // [T, S]
    }
    show("logits", scores, tap);
    for (Tensor<T, S>& head : scores) {
      add_boolean_mask(head, call);
      head = softmax(head);  // [T, S]
    }
    show("probs", scores, tap);
    for (std::size_t n = first; n < first + together; ++n) {
      mix_head(scores[n - first], v, n, context);
    }
  }
  return context;
}

}  // namespace

Tensor<T, D> vision_attention(const VisionAttentionWeights& w, const VisionConfig& config,
                              const Tensor<T, D>& x, const VisionCall& call, const TapScope& tap) {
  const double eps = config.rms_norm_eps;
  const std::size_t heads = config.num_attention_heads;
  auto flat_q = clipped_linear(x, w.q_proj);  // [T, N*H]
  tap.whole("q_proj", flat_q);
  auto flat_k = clipped_linear(x, w.k_proj);  // [T, N*H]
  tap.whole("k_proj", flat_k);
  auto flat_v = clipped_linear(x, w.v_proj);  // [T, N*H]
  tap.whole("v_proj", flat_v);

  auto q = rms_norm_heads(split_heads(flat_q, heads), w.q_norm, eps);  // [T, N, H]
  tap.whole("q_norm", q);
  auto k = rms_norm_heads(split_heads(flat_k, heads), w.k_norm, eps);  // [T, N, H]
  tap.whole("k_norm", k);
  auto v = rms_norm_heads_unscaled(split_heads(flat_v, heads), eps);  // [T, N, H]
  tap.whole("v_norm", v);
  q = vision_rope(q, call.rope);
  tap.whole("q_rope", q);
  k = vision_rope(k, call.rope);
  tap.whole("k_rope", k);

  auto context = attend(q, k, v, call, tap);  // [T, N*H]
  tap.whole("context", context);
  auto output = clipped_linear(context, w.o_proj);  // [T, D]
  tap.whole("o_proj", output);
  return output;
}

}  // namespace assay::ASSAY_REFERENCE
