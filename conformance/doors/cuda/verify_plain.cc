// SPDX-License-Identifier: Apache-2.0
// The CUDA engine on goldens that were exported to plain files: a program for a machine that has a
// device and neither HDF5 nor xtensor. It judges as `assay verify --mode chained` does, by the
// floors of the goldens; replay needs the reference and is not done here, so that drafts in bf16,
// whose floors are wide, are not tested.
//
//   cuda_verify FOLDER [--only TEXT] [--precision NAME]… [--prefill N]… [--again]
//
// FOLDER: cases/*/*.golden and checkpoints/*, as export_goldens writes them. --prefill: as in
// verify; more than one are run one after the other. --again: each case runs twice and must give
// the same bits. One JSON object; exit status 0 when nothing fails, 77 where there is no device.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "conformance/compare/judge_run.h"
#include "conformance/doors/cuda/cuda_adapter.h"
#include "conformance/doors/engine/engine_tokens.h"
#include "conformance/records/plain_golden.h"
#include "optimized/device/cuda/stream.h"
#include "reference/family/base/error.h"
#include "reference/family/base/json.h"

namespace assay::conformance {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kShownFailures = 40;

struct Options {
  fs::path folder;
  std::string only;
  std::vector<std::string> precisions;
  std::vector<std::size_t> prefills;
  bool again = false;
};

Options parse(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string word = arguments[i];
    const bool takes_value = word == "--only" || word == "--precision" || word == "--prefill";
    if (takes_value && i + 1 == count) {
      throw Error(word + ": got nothing, expected a value");
    }
    if (word == "--only") {
      options.only = arguments[++i];
    } else if (word == "--precision") {
      options.precisions.emplace_back(arguments[++i]);
    } else if (word == "--prefill") {
      options.prefills.push_back(std::stoul(arguments[++i]));
    } else if (word == "--again") {
      options.again = true;
    } else if (options.folder.empty() && !word.starts_with("-")) {
      options.folder = word;
    } else {
      throw Error("cuda_verify: got '" + word + "', expected FOLDER and options");
    }
  }
  if (options.folder.empty()) {
    throw Error("cuda_verify: got no folder, expected one");
  }
  if (options.prefills.empty()) {
    options.prefills = {0};
  }
  return options;
}

bool same_bits(const TapSet& a, const TapSet& b) {
  return std::ranges::equal(a, b, [](const Tap& x, const Tap& y) {
    return x.name == y.name && x.values.size() == y.values.size() &&
           std::memcmp(x.values.data(), y.values.data(), x.values.size() * sizeof(double)) == 0;
  });
}

class Verifier {
 public:
  explicit Verifier(const Options& options) : options_(options) {}

  void judge(const fs::path& path) {
    const Golden golden = read_plain_golden(path);
    const fs::path checkpoints = options_.folder / "checkpoints";
    fs::path checkpoint = checkpoints / golden.checkpoint;
    if (fs::exists(checkpoint / "model.gguf")) {
      checkpoint /= "model.gguf";
    }
    const std::string drafter =
        golden.drafter.empty() ? "" : (checkpoints / golden.drafter).string();
    auto precisions = options_.precisions;
    if (precisions.empty()) {
      precisions = distinct_engine_precisions(checkpoint.string());
      std::erase(precisions, "int8");
    }
    for (const std::string& precision : precisions) {
      const auto engine = make_cuda_engine(precision);
      const Status loaded = engine->load(checkpoint.string(), drafter);
      for (const std::size_t prefill : options_.prefills) {
        const std::string name = golden.checkpoint + "/" + golden.case_name + " " + precision +
                                 " --prefill " + std::to_string(prefill);
        if (loaded.ok()) {
          run(golden, *engine, prefill, name, precision);
        } else {
          refuse(loaded, name);
        }
      }
    }
  }

  Json::Object result(double seconds) const {
    Json::Object object{{"executed_on", cuda_executed_on()},
                        {"mode", "chained"},
                        {"pass", pass_},
                        {"fail", fail_},
                        {"not_tested", not_tested_},
                        {"not_supported", not_supported_},
                        {"taps", taps_},
                        {"largest_share_of_budget", largest_share_},
                        {"seconds", seconds}};
    if (options_.again) {
      object.emplace_back("runs_again", again_);
      object.emplace_back("of_equal_bits", equal_);
    }
    object.emplace_back("failures", failures_);
    return object;
  }
  bool passed() const { return fail_ == 0 && pass_ > 0 && again_ == equal_; }

 private:
  void run(const Golden& golden, Implementation& engine, std::size_t prefill,
           const std::string& name, const std::string& precision) {
    const auto once = [&](TapSet& taps) {
      CollectingListener listener([&](const std::string& tap) { return golden.truth.has(tap); });
      RunOptions how;
      how.prefill_chunk = prefill;
      how.profile = golden.profile;
      const Status status = engine.run(golden.input, how, listener);
      if (status.ok()) {
        listener.check();
        taps = std::move(listener.taps());
      }
      return status;
    };
    TapSet taps;
    if (const Status status = once(taps); !status.ok()) {
      return refuse(status, name);
    }
    if (options_.again) {
      TapSet more;
      ++again_;
      equal_ += once(more).ok() && same_bits(taps, more) ? 1 : 0;
    }
    const auto results =
        judge_run(golden, taps, nullptr, *find_precision(precision), {Mode::kChained});
    add(results.front(), name);
  }

  void add(const CaseResult& result, const std::string& name) {
    taps_ += result.taps.size();
    for (const TapResult& tap : result.taps) {
      if (tap.rel_l2 >= 0 && tap.budget > 0 && tap.verdict != Verdict::kFail) {
        largest_share_ = std::max(largest_share_, tap.rel_l2 / tap.budget);
      }
    }
    if (result.verdict == Verdict::kPass || result.verdict == Verdict::kWarning) {
      ++pass_;
      return;
    }
    if (result.verdict == Verdict::kNotTested) {
      ++not_tested_;
      return;
    }
    ++fail_;
    std::string text = std::string(verdict_name(result.verdict)) + " " + result.message;
    for (const TapResult& tap : result.taps) {
      if (tap.verdict == Verdict::kFail) {
        text += " " + tap.tap + " " + tap.code + " at " + std::to_string(tap.in_bound_units) +
                " floors";
        break;
      }
    }
    note(name, text);
  }

  void refuse(const Status& status, const std::string& name) {
    if (status.code == StatusCode::kNotSupported) {
      ++not_supported_;
      return;
    }
    ++fail_;
    note(name, status.message);
  }

  void note(const std::string& name, const std::string& text) {
    if (failures_.size() < kShownFailures) {
      failures_.push_back(Json::Object{{"case", name}, {"message", text}});
    }
  }

  Options options_;
  std::size_t pass_ = 0, fail_ = 0, not_tested_ = 0, not_supported_ = 0, taps_ = 0, again_ = 0,
              equal_ = 0;
  double largest_share_ = 0;
  Json::Array failures_;
};

int verify(const Options& options) {
  if (cuda_executed_on().empty()) {
    std::cout << json_text(Json(Json::Object{{"executed_on", Json()},
                                             {"reason", cuda::device_facts().reason}}))
              << '\n';
    return 77;
  }
  std::set<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(options.folder / "cases")) {
    const std::string name = entry.path().lexically_relative(options.folder / "cases").string();
    if (entry.path().extension() == ".golden" && name.find(options.only) != std::string::npos) {
      files.insert(entry.path());
    }
  }
  const auto start = std::chrono::steady_clock::now();
  Verifier verifier(options);
  for (const fs::path& file : files) {
    verifier.judge(file);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::cout << json_text(Json(verifier.result(took.count()))) << '\n';
  return verifier.passed() ? 0 : 1;
}

}  // namespace
}  // namespace assay::conformance

int main(int count, char** arguments) {
  try {
    return assay::conformance::verify(assay::conformance::parse(count, arguments));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cuda_verify: %s\n", error.what());
    return 2;
  }
}
