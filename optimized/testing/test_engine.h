// SPDX-License-Identifier: Apache-2.0
// For tests: an engine on a checkpoint, and its calls in few words.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "optimized/engine/engine.h"
#include "optimized/testing/test_numbers.h"
#include "reference/family/testing/source_dir.h"

namespace assay::cpu {

using Ids = std::vector<std::int32_t>;

// "e2b-tiny", or a GGUF file of that name.
inline std::filesystem::path golden_checkpoint(const std::string& name) {
  const std::filesystem::path path = source_dir() + "/golden/checkpoints/" + name;
  return std::filesystem::exists(path / "model.gguf") ? path / "model.gguf" : path;
}

struct TestEngine {
  explicit TestEngine(const std::filesystem::path& path, const Options& options = {},
                      int number_of_threads = 1)
      : threads(number_of_threads),
        checkpoint(Checkpoint::open(path)),
        model(checkpoint, threads),
        engine(model, options, threads) {}

  // Bits of the last `rows` logits of the ids, `chunk` at a time. The cache is left as it is then.
  std::vector<float> logits(const Ids& ids, std::size_t chunk, std::size_t rows, KvCache& cache);
  std::vector<float> logits(const Ids& ids, std::size_t chunk, std::size_t rows) {
    KvCache cache = engine.new_cache(ids.size(), chunk);
    return logits(ids, chunk, rows, cache);
  }

  Threads threads;
  Checkpoint checkpoint;
  Model model;
  Engine engine;
};

inline Ids some_ids(std::size_t count, std::uint64_t seed) {
  Numbers numbers(seed);
  Ids ids;
  for (std::size_t i = 0; i < count; ++i) {
    ids.push_back(numbers.integer(1, 39));
  }
  return ids;
}

inline std::vector<float> values_of(const Rows& rows) {
  std::vector<float> values;
  for (std::size_t t = 0; t < rows.rows; ++t) {
    values.insert(values.end(), rows.row(t), rows.row(t) + rows.columns);
  }
  return values;
}

inline std::vector<float> TestEngine::logits(const Ids& ids, std::size_t chunk, std::size_t rows,
                                             KvCache& cache) {
  std::vector<float> last;
  for (std::size_t first = 0; first < ids.size(); first += chunk) {
    const std::size_t count = std::min(chunk, ids.size() - first);
    const bool ends = first + count == ids.size();
    const Ids some(ids.begin() + static_cast<std::ptrdiff_t>(first),
                   ids.begin() + static_cast<std::ptrdiff_t>(first + count));
    const auto result = engine.forward(text_tokens(some, cache.length()), cache, ends ? rows : 0);
    if (ends) {
      last = values_of(result.logits);
    }
  }
  return last;
}

// sqrt( sum (a - b)^2 / sum b^2 )
inline double relative_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double off = 0;
  double all = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    off += (double(a[i]) - double(b[i])) * (double(a[i]) - double(b[i]));
    all += double(b[i]) * double(b[i]);
  }
  return a.size() == b.size() ? std::sqrt(off / all) : INFINITY;
}

}  // namespace assay::cpu
