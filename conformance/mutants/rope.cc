// SPDX-License-Identifier: Apache-2.0
// Mistakes of rotary positions: M-45 to M-57 and M-155. A program shows no tables of angles, so
// they are hidden and queries are the first that show it.
#include <cmath>
#include <limits>

#include "conformance/mutants/families.h"
#include "conformance/mutants/scene.h"

namespace assay::conformance {
namespace {

constexpr double kStays = std::numeric_limits<double>::quiet_NaN();
const std::string kLayer = "text.layer.{i}.attn.";
const std::vector<std::string> kTables = {"text.rope.local.cos", "text.rope.local.sin",
                                          "text.rope.global.cos", "text.rope.global.sin"};

// How a head turns: theta, the share of pairs that do, what the exponent is divided by.
struct Turn {
  double theta;
  std::size_t pairs;  // the first so many of the head's pairs turn
  double divisor;     // of -2c
  Pairs layout = Pairs::kHalves;
  double sign = 1;
};

Turn usual_turn(const Scene& s) {
  const RopeParameters& p = s.sliding() ? s.text().rope_sliding : s.text().rope_full;
  const std::size_t width = s.layer_config().head_dim;
  return {p.rope_theta,
          static_cast<std::size_t>(p.partial_rotary_factor * static_cast<double>(width / 2)),
          static_cast<double>(width)};
}

Numbers turned(const Tap& x, const Turn& turn, const Numbers& positions) {
  const auto angle = [&](std::size_t t, std::size_t c) {
    return c < turn.pairs ? turn.sign * positions[t] *
                                std::pow(turn.theta, -2.0 * static_cast<double>(c) / turn.divisor)
                          : kStays;
  };
  return rotated(x.values, x.shape[0], x.shape[1], x.shape[2], turn.layout, angle);
}

using ChangeTurn = std::function<void(const Scene&, Turn&)>;
using ChangePositions = std::function<Numbers(const Scene&, Numbers)>;

// The rotation of queries and keys with another turn, or at other positions.
Mutant rope_mutant(const std::string& label, const std::string& what, Layers layers,
                   const ChangeTurn& change, const ChangePositions& move = {}) {
  Mutant all{label, what, {}, kLayer + "q_rope", kTables};
  for (const char* x : {"q", "k"}) {
    const std::string norm = std::string("attn.") + x + "_norm";
    all.rewrites.push_back({kLayer + x + "_rope",
                            [=](Scene& s, Tap& tap) {
                              Turn turn = usual_turn(s);
                              if (change) {
                                change(s, turn);
                              }
                              const Numbers at = move ? move(s, s.positions()) : s.positions();
                              tap.values = turned(s.tap(norm), turn, at);
                            },
                            layers});
  }
  return all;
}

void add_frequencies(Mutants& all) {
  all.push_back(rope_mutant("M-45", "", Layers::kAll, [](const Scene& s, Turn& turn) {
    turn.theta = s.sliding() ? s.text().rope_full.rope_theta : s.text().rope_sliding.rope_theta;
  }));
  all.push_back(rope_mutant("M-46", "", Layers::kFull, [](const Scene& s, Turn& turn) {
    turn.pairs = s.layer_config().head_dim / 2;
  }));
  all.push_back(rope_mutant("M-47", "", Layers::kFull, [](const Scene&, Turn& turn) {
    turn.divisor = 2 * static_cast<double>(turn.pairs);
  }));
  all.push_back(rope_mutant("M-155", "", Layers::kFull, [](const Scene& s, Turn& turn) {
    turn.theta = s.text().rope_sliding.rope_theta;
  }));
  all.push_back(rope_mutant("M-155:1e6",
                            "one theta everywhere: sliding layers rotate by the full "
                            "layers' theta, too",
                            Layers::kSliding, [](const Scene& s, Turn& turn) {
                              turn.theta = s.text().rope_full.rope_theta;
                            }));
  all.push_back(rope_mutant("M-45:theta=500000", "theta of full layers is 500000", Layers::kFull,
                            [](const Scene&, Turn& turn) { turn.theta = 500000; }));
  all.push_back(rope_mutant("M-46:linear8", "full layers divide positions by 8, as Gemma 3",
                            Layers::kFull, {},
                            [](const Scene&, Numbers at) { return scaled(at, 0.125); }));
  all.push_back(rope_mutant("M-57", "", Layers::kSliding, [](const Scene& s, Turn& turn) {
    const double share = s.text().rope_full.partial_rotary_factor;
    turn.pairs = static_cast<std::size_t>(share * static_cast<double>(turn.pairs));
  }));
  all.push_back(rope_mutant("M-46:none", "full layers rotate nothing", Layers::kFull,
                            [](const Scene&, Turn& turn) { turn.pairs = 0; }));
  all.push_back(rope_mutant("M-46:one-more", "full layers rotate one pair too many", Layers::kFull,
                            [](const Scene&, Turn& turn) { turn.pairs += 1; }));
}

void add_layouts(Mutants& all) {
  all.push_back(rope_mutant("M-49", "", Layers::kAll,
                            [](const Scene&, Turn& turn) { turn.layout = Pairs::kNeighbours; }));
  all.push_back(rope_mutant("M-49:full", "RoPE pairs of full layers are interleaved", Layers::kFull,
                            [](const Scene&, Turn& turn) { turn.layout = Pairs::kNeighbours; }));
  all.push_back(
      rope_mutant("M-50", "", Layers::kAll, [](const Scene&, Turn& turn) { turn.sign = -1; }));
  Mutant quarter{"M-48", "", {}, kLayer + "q_rope", kTables};
  for (const char* x : {"q", "k"}) {
    const std::string norm = std::string("attn.") + x + "_norm";
    quarter.rewrites.push_back(
        {kLayer + x + "_rope",
         [norm](Scene& s, Tap& tap) {
           const Tap& from = s.tap(norm);
           const std::size_t width = from.shape[2];
           const std::size_t part = 2 * usual_turn(s).pairs;
           tap.values = from.values;
           for (std::size_t r = 0; part >= 2 && r < from.values.size() / width; ++r) {
             Tap head{"", {1, 1, part}, {}};
             const auto start = from.values.begin() + static_cast<std::ptrdiff_t>(r * width);
             head.values.assign(start, start + static_cast<std::ptrdiff_t>(part));
             const Turn turn{s.text().rope_full.rope_theta, part / 2, static_cast<double>(part)};
             const Numbers at = {s.positions()[r / from.shape[1]]};
             const Numbers done = turned(head, turn, at);
             std::copy(done.begin(), done.end(),
                       tap.values.begin() + static_cast<std::ptrdiff_t>(r * width));
           }
         },
         Layers::kFull});
  }
  all.push_back(std::move(quarter));
}

void add_positions(Mutants& all) {
  // In decode alone: the tokens from the middle of the prompt on stand for what is generated.
  all.push_back(rope_mutant("M-53", "", Layers::kAll, {}, [](const Scene&, Numbers at) {
    for (std::size_t t = at.size() / 2; t < at.size(); ++t) {
      at[t] += 1;
    }
    return at;
  }));
  all.push_back(rope_mutant("M-54", "", Layers::kAll, {}, [](const Scene&, Numbers at) {
    const std::size_t chunk = (at.size() + 1) / 2;
    const double start = chunk < at.size() ? at[chunk] : 0;
    for (std::size_t t = chunk; t < at.size(); ++t) {
      at[t] -= start;
    }
    return at;
  }));
  Mutant early{"M-51", "", {}, kLayer + "q_rope", kTables};
  for (const char* x : {"q", "k"}) {
    const std::string proj = std::string("attn.") + x + "_proj";
    const std::string weight = std::string("self_attn.") + x + "_norm.weight";
    early.rewrites.push_back({kLayer + x + "_rope", [=](Scene& s, Tap& tap) {
                                const Tap& from = s.tap(proj);
                                const Numbers at = s.positions();
                                tap.values =
                                    rms_norm(turned(from, usual_turn(s), at), from.shape.back(),
                                             s.weight(weight).values, {s.text().rms_norm_eps});
                              }});
  }
  all.push_back(std::move(early));
  Mutant values{"M-52", "", {}, kLayer + "v_norm", kTables};
  values.rewrites.push_back({kLayer + "v_norm", [](Scene& s, Tap& tap) {
                               tap.values = turned(tap, usual_turn(s), s.positions());
                             }});
  all.push_back(std::move(values));
  for (const char* x : {"q", "k"}) {
    const std::string leaf = std::string("attn.") + x;
    all.push_back(mutant(
        std::string("MECH-no-rope:") + x, kLayer + x + "_rope",
        [leaf](Scene& s, Tap& tap) { tap.values = s.tap(leaf + "_norm").values; },
        std::string(x) + " is not rotated"));
  }
  // The queries of both kinds, one position off the keys.
  Mutant shifted{
      "M-53:queries", "queries are one position ahead of the keys", {}, kLayer + "q_rope", kTables};
  shifted.rewrites.push_back({kLayer + "q_rope", [](Scene& s, Tap& tap) {
                                Numbers at = s.positions();
                                for (double& t : at) {
                                  t += 1;
                                }
                                tap.values = turned(s.tap("attn.q_norm"), usual_turn(s), at);
                              }});
  all.push_back(std::move(shifted));
}

// Angles in narrow numbers, as programs keep them that compute everything in one type.
void add_precisions(Mutants& all) {
  for (const bool half : {false, true}) {
    const auto narrow = half ? to_f16 : to_bf16;
    const std::string name = half ? "f16" : "bf16";
    Mutant angles{"M-55:" + name, "angles are computed in " + name, {}, kLayer + "q_rope", kTables};
    for (const char* x : {"q", "k"}) {
      const std::string norm = std::string("attn.") + x + "_norm";
      angles.rewrites.push_back(
          {kLayer + x + "_rope", [=](Scene& s, Tap& tap) {
             const Turn turn = usual_turn(s);
             const Tap& from = s.tap(norm);
             const Numbers at = s.positions();
             tap.values = rotated(
                 from.values, from.shape[0], from.shape[1], from.shape[2], Pairs::kHalves,
                 [&](std::size_t t, std::size_t c) {
                   const double frequency =
                       narrow(std::pow(turn.theta, -2.0 * static_cast<double>(c) / turn.divisor));
                   return c < turn.pairs ? narrow(narrow(at[t]) * frequency) : kStays;
                 });
           }});
    }
    all.push_back(std::move(angles));
  }
}

}  // namespace

Mutants rope_mutants() {
  Mutants all;
  add_frequencies(all);
  add_layouts(all);
  add_positions(all);
  add_precisions(all);
  return all;
}

}  // namespace assay::conformance
