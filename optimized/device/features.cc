// SPDX-License-Identifier: Apache-2.0
#include "optimized/device/features.h"

#include <hwy/highway.h>

#include <algorithm>
#include <cctype>
#include <cstdint>

#if HWY_ARCH_X86
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "reference/family/base/error.h"

namespace assay::cpu {
namespace {

// Of the machine; asked once, for Highway answers for the target in use later.
Features detect() {
  Features has;
#if HWY_ARCH_X86
  has.avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 &&
             (hwy::SupportedTargets() & (HWY_AVX2 | HWY_AVX3)) != 0;
  const bool avx512 =
      __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0;
  has.avx512_vnni = avx512 && __builtin_cpu_supports("avx512vnni") != 0;
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  const bool leaf = __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0;
  has.avx_vnni = has.avx2 && leaf && (a & (1U << 4)) != 0;
  has.avx512_bf16 = avx512 && leaf && (a & (1U << 5)) != 0;
  has.fast_bf16_dot = has.avx512_bf16 && __builtin_cpu_is("intel") == 0;
#elif defined(__aarch64__) && defined(__linux__)
  has.neon_dotprod = (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#elif defined(__aarch64__) && defined(__ARM_FEATURE_DOTPROD)
  has.neon_dotprod = true;
#endif
  return has;
}

const Features& machine() {
  static const Features has = detect();
  return has;
}

// The rungs above Highway's own targets.
enum class Rung { kBf16, kVnni, kAvxVnni, kDotprod, kHighway };

struct Choice {
  std::string name;
  Rung rung = Rung::kHighway;
  std::int64_t highway = 0;
};

// The target that Highway dispatches to; 0: the best that the machine has.
std::int64_t highway_target(const Choice& choice) {
  return choice.rung == Rung::kBf16 || choice.rung == Rung::kVnni ? 0 : choice.highway;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::vector<Choice> detect_choices() {
  const Features& has = machine();
  std::vector<Choice> all;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (all.empty() && has.avx512_bf16 && has.avx512_vnni) {
      all.push_back({"avx512-bf16", Rung::kBf16, target});
    }
    if (all.size() <= 1 && has.avx512_vnni) {
      all.push_back({"avx512-vnni", Rung::kVnni, target});
    }
#if HWY_ARCH_X86
    if (target == HWY_AVX2 && has.avx_vnni) {
      all.push_back({"avx-vnni", Rung::kAvxVnni, target});
    }
#endif
    if (all.empty() && has.neon_dotprod) {
      all.push_back({"neon-dotprod", Rung::kDotprod, target});
    }
    all.push_back({lower(hwy::TargetName(target)), Rung::kHighway, target});
  }
  return all;
}

const std::vector<Choice>& choices() {
  static const std::vector<Choice> all = detect_choices();
  return all;
}

Choice& chosen() {
  static Choice choice = choices().front();
  return choice;
}

}  // namespace

Features features() {
  Features has = machine();
  const Choice& now = chosen();
  has.avx512_bf16 = has.avx512_bf16 && now.rung == Rung::kBf16;
  has.fast_bf16_dot = has.fast_bf16_dot && has.avx512_bf16;
  has.avx512_vnni = has.avx512_vnni && (now.rung == Rung::kBf16 || now.rung == Rung::kVnni);
  has.avx_vnni = has.avx_vnni && now.rung == Rung::kAvxVnni;
  has.neon_dotprod = has.neon_dotprod && now.rung == Rung::kDotprod;
#if HWY_ARCH_X86
  has.avx2 = has.avx2 && (now.highway == HWY_AVX2 || now.highway == HWY_AVX3);
#endif
  return has;
}

std::vector<std::string> targets() {
  std::vector<std::string> names;
  for (const Choice& choice : choices()) {
    names.push_back(choice.name);
  }
  return names;
}

std::vector<std::string> compiled_targets() {
  std::vector<std::string> names;
#if HWY_ARCH_X86
  names = {"avx512-bf16", "avx512-vnni", "avx-vnni"};
#elif defined(__aarch64__)
  names = {"neon-dotprod"};
#endif
  for (std::int64_t left = HWY_TARGETS; left != 0; left &= left - 1) {
    names.push_back(lower(hwy::TargetName(left & -left)));
  }
  return names;
}

void use_target(const std::string& name) {
  const auto& all = choices();
  const auto found = name.empty() ? all.begin() : std::ranges::find(all, name, &Choice::name);
  if (found == all.end()) {
    std::string known;
    for (const Choice& choice : all) {
      known += (known.empty() ? "" : ", ") + choice.name;
    }
    throw Error("target: got '" + name + "', expected one of " + known);
  }
  chosen() = *found;
  hwy::SetSupportedTargetsForTest(highway_target(*found));
}

std::string target() {
  return chosen().name;
}

std::string machine_features() {
  std::string names;
  const auto add = [&names](bool there, const char* name) {
    names += there ? (names.empty() ? "" : " ") + std::string(name) : "";
  };
#if HWY_ARCH_X86
  add(__builtin_cpu_supports("avx2") != 0, "avx2");
  add(__builtin_cpu_supports("avx512f") != 0, "avx512f");
#endif
  add(machine().avx512_vnni, "avx512_vnni");
  add(machine().avx512_bf16, "avx512_bf16");
  add(machine().avx_vnni, "avx_vnni");
  add(machine().neon_dotprod, "neon dotprod");
  if (names.empty()) {
    names = lower(hwy::TargetName(hwy::SupportedAndGeneratedTargets().front()));
  }
  return names;
}

}  // namespace assay::cpu
