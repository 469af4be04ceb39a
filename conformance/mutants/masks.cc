// SPDX-License-Identifier: Apache-2.0
// Mistakes of what a query sees: M-65 to M-78, M-88 to M-93. Programs show no masks, so these are
// hidden, and the probabilities of the first layer of the kind show it.
//
// A run makes one call, so what goes wrong in decode or between chunks is put into the rows that
// would have been computed there: those from the middle of the prompt on.
#include <algorithm>
#include <cmath>

#include "conformance/mutants/families.h"
#include "conformance/mutants/scene.h"

namespace assay::conformance {
namespace {

const std::string kProbs = "text.layer.{i}.attn.probs";

// A prompt as a rule of visibility sees it.
struct Prompt {
  Numbers position;
  std::vector<int> type;
  std::vector<int> block;
  std::vector<char> valid;
  double window = 0;
  std::size_t second_call = 0;  // the first row of what comes after the first call

  bool same_block(std::size_t q, std::size_t s) const {
    return block[q] >= 0 && block[q] == block[s];
  }
  double distance(std::size_t q, std::size_t s) const { return position[q] - position[s]; }
};

using Rule = std::function<bool(const Prompt&, std::size_t q, std::size_t s)>;

bool causal(const Prompt& p, std::size_t q, std::size_t s) {
  return p.distance(q, s) >= 0;
}

// Spec: causal or the own image, and nearer than W on both sides.
bool sliding(const Prompt& p, std::size_t q, std::size_t s) {
  return (causal(p, q, s) || p.same_block(q, s)) && std::abs(p.distance(q, s)) < p.window;
}

Prompt prompt_of(const Scene& s) {
  Prompt prompt{s.positions(), s.types(), s.blocks(), {}, 0, 0};
  prompt.valid.assign(prompt.position.size(), 1);
  for (std::size_t t = 0; t < s.input().valid.size(); ++t) {
    prompt.valid[t] = s.input().valid[t] != 0 ? 1 : 0;
  }
  if (!s.text().vision_blocks) {
    std::ranges::fill(prompt.block, -1);
  }
  prompt.window = static_cast<double>(s.text().sliding_window);
  prompt.second_call = (prompt.position.size() + 1) / 2;
  return prompt;
}

using Prepare = std::function<void(const Scene&, Prompt&)>;

Formula mask_by(const Rule& rule, const Prepare& prepare = {}, bool padding = true) {
  return [=](Scene& s, Tap& tap) {
    Prompt prompt = prompt_of(s);
    if (prepare) {
      prepare(s, prompt);
    }
    const std::size_t count = prompt.position.size();
    if (tap.values.size() != count * count) {
      throw NotHere();
    }
    for (std::size_t q = 0; q < count; ++q) {
      for (std::size_t k = 0; k < count; ++k) {
        const bool real = !padding || (prompt.valid[q] != 0 && prompt.valid[k] != 0);
        tap.values[q * count + k] = real && rule(prompt, q, k) ? 1 : 0;
      }
    }
  };
}

enum class Mask { kLocal, kGlobal };

Mutant mask_mutant(const std::string& label, Mask mask, const Rule& rule,
                   const std::string& what = "", const Prepare& prepare = {}) {
  const std::string tap = mask == Mask::kLocal ? "text.mask.local" : "text.mask.global";
  return {label,
          what,
          {{tap, mask_by(rule, prepare)}},
          kProbs,
          {"text.mask.local", "text.mask.global"}};
}

void add_windows(Mutants& all) {
  for (const int more : {1, -1, 2, -2}) {
    const std::string label = more == 1 ? "M-65" : more == -1 ? "M-66" : "";
    const std::string sign = more > 0 ? "+" : "-";
    all.push_back(mask_mutant(
        label.empty() ? (more > 0 ? "M-65:W+2" : "M-66:W-2") : label, Mask::kLocal,
        [more](const Prompt& p, std::size_t q, std::size_t s) {
          return (causal(p, q, s) || p.same_block(q, s)) &&
                 std::abs(p.distance(q, s)) < p.window + more;
        },
        label.empty() ? "the window holds W " + sign + " 2 keys" : ""));
  }
  all.push_back(
      mask_mutant("M-67", Mask::kLocal, [](const Prompt& p, std::size_t q, std::size_t s) {
        return causal(p, q, s) || p.same_block(q, s);
      }));
  all.push_back(mask_mutant("M-68", Mask::kGlobal, sliding));
  all.push_back(
      mask_mutant("M-69", Mask::kLocal, [](const Prompt& p, std::size_t q, std::size_t s) {
        return sliding(p, q, s) && (q != s || q == 0);
      }));
  all.push_back(mask_mutant(
      "M-69:full", Mask::kGlobal,
      [](const Prompt& p, std::size_t q, std::size_t s) {
        return causal(p, q, s) && (q != s || q == 0);
      },
      "a query of a full layer cannot see itself"));
  all.push_back(mask_mutant(
      "M-70", Mask::kLocal,
      [](const Prompt& p, std::size_t q, std::size_t s) {
        return sliding(p, q, s) && std::abs(p.distance(q, s)) < std::floor(p.window / 2);
      },
      "the window is half as wide as the config says"));
  all.push_back(mask_mutant(
      "MECH-one-future", Mask::kGlobal,
      [](const Prompt& p, std::size_t q, std::size_t s) { return p.distance(q, s) >= -1; },
      "a query of a full layer sees one key of the future"));
  all.push_back(mask_mutant(
      "MECH-one-future:sliding", Mask::kLocal,
      [](const Prompt& p, std::size_t q, std::size_t s) {
        return p.distance(q, s) >= -1 && p.distance(q, s) < p.window;
      },
      "a query of a sliding layer sees one key of the future"));
  all.push_back(mask_mutant(
      "MECH-no-causality", Mask::kGlobal,
      [](const Prompt&, std::size_t, std::size_t) { return true; }, "full layers see the future"));
}

bool blocks_exist(const Prompt& p) {
  return std::ranges::any_of(p.block, [](int b) { return b >= 0; });
}

void need_blocks(const Scene&, Prompt& p) {
  if (!blocks_exist(p)) {
    throw NotHere();
  }
}

// Joins runs of another kind of token to blocks.
void join(Prompt& p, const std::function<bool(std::size_t)>& member) {
  int block = -1;
  bool before = false;
  for (std::size_t t = 0; t < p.block.size(); ++t) {
    const bool now = member(t);
    block += now && !before ? 1 : 0;
    p.block[t] = now ? block : -1;
    before = now;
  }
}

void add_blocks(Mutants& all) {
  all.push_back(
      mask_mutant("M-71", Mask::kLocal, [](const Prompt& p, std::size_t q, std::size_t s) {
        return causal(p, q, s) && p.distance(q, s) < p.window;
      }));
  all.push_back(
      mask_mutant("M-72", Mask::kGlobal, [](const Prompt& p, std::size_t q, std::size_t s) {
        return causal(p, q, s) || p.same_block(q, s);
      }));
  // Both sides clamped, in both kinds of layer: the mask of sliding layers OR-ed into all of them.
  all.push_back(mask_mutant(
      "M-72:clamped", Mask::kGlobal,
      [](const Prompt& p, std::size_t q, std::size_t s) {
        return causal(p, q, s) || (p.same_block(q, s) && std::abs(p.distance(q, s)) < p.window);
      },
      "vision blocks apply to full layers as well, within the window of sliding ones"));
  all.push_back(
      mask_mutant("M-73", Mask::kLocal, [](const Prompt& p, std::size_t q, std::size_t s) {
        return (causal(p, q, s) && p.distance(q, s) < p.window) || p.same_block(q, s);
      }));
  all.push_back(
      mask_mutant("M-74", Mask::kLocal, [](const Prompt& p, std::size_t q, std::size_t s) {
        return (causal(p, q, s) || p.same_block(q, s)) && p.distance(q, s) < p.window;
      }));
  all.push_back(mask_mutant("M-75", Mask::kLocal, sliding, "", [](const Scene& s, Prompt& p) {
    if (s.text().vision_blocks) {
      throw NotHere();
    }
    p.block = s.blocks();
  }));
  all.push_back(mask_mutant("M-76", Mask::kLocal, sliding, "", [](const Scene& s, Prompt& p) {
    if (!s.text().vision_blocks) {
      throw NotHere();
    }
    join(p, [&](std::size_t t) { return p.type[t] != 0; });
  }));
}

// Which tokens make a block.
void add_block_members(Mutants& all) {
  all.push_back(mask_mutant("M-77", Mask::kLocal, sliding, "", [](const Scene& s, Prompt& p) {
    need_blocks(s, p);
    const auto vision = [&](std::size_t t) { return p.type[t] == 1 || p.type[t] == 2; };
    const std::size_t count = p.block.size();
    join(p, [&](std::size_t t) {
      return vision(t) || (t + 1 < count && vision(t + 1)) || (t > 0 && vision(t - 1));
    });
  }));
  all.push_back(mask_mutant("M-78", Mask::kLocal, sliding, "", [](const Scene& s, Prompt& p) {
    need_blocks(s, p);
    for (int& block : p.block) {
      block = block >= 0 ? 0 : -1;
    }
  }));
  all.push_back(mask_mutant("X17", Mask::kLocal, sliding, "", [](const Scene& s, Prompt& p) {
    need_blocks(s, p);
    for (std::size_t t = 0; t < p.block.size(); ++t) {
      p.block[t] = p.type[t] == 2 ? -1 : p.block[t];
    }
  }));
  all.push_back(mask_mutant("X16", Mask::kLocal, [](const Prompt& p, std::size_t q, std::size_t s) {
    const bool one_call = (q < p.second_call) == (s < p.second_call);
    return sliding(p, q, s) && (causal(p, q, s) || one_call);
  }));
}

void add_caches(Mutants& all) {
  const auto decodes = [](const Prompt& p, std::size_t q) { return q >= p.second_call; };
  all.push_back(
      mask_mutant("M-88", Mask::kLocal, [=](const Prompt& p, std::size_t q, std::size_t s) {
        return sliding(p, q, s) && (!decodes(p, q) || p.distance(q, s) < p.window - 1);
      }));
  all.push_back(
      mask_mutant("M-92", Mask::kLocal, [=](const Prompt& p, std::size_t q, std::size_t s) {
        // The cache keeps W - 1 tokens, the chunk's own among them: those before are gone.
        const double oldest = p.position.back() - (p.window - 1);
        return sliding(p, q, s) && (!decodes(p, q) || s >= p.second_call || p.position[s] > oldest);
      }));
  Mutant padded{"M-93",
                "",
                {{"text.mask.local", mask_by(sliding, {}, false)},
                 {"text.mask.global", mask_by(causal, {}, false)}},
                "text.mask.local"};
  all.push_back(std::move(padded));
  for (Mutant& each : all) {
    if (each.label == "M-88") {
      each.reason =
          "the run's one call has every key in its context: what the ring lost shows in "
          "the first tap that would have used it";
    }
  }
}

}  // namespace

Mutants mask_mutants() {
  Mutants all;
  add_windows(all);
  add_blocks(all);
  add_block_members(all);
  add_caches(all);
  return all;
}

}  // namespace assay::conformance
