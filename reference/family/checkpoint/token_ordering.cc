// SPDX-License-Identifier: Apache-2.0
#include "reference/family/checkpoint/token_ordering.h"

#include <string>

#include "reference/family/base/error.h"

namespace assay {

std::vector<std::int64_t> read_token_ordering(const Checkpoint& drafter) {
  const std::size_t vocabulary = drafter.config().text.vocab_size;
  auto tokens = drafter.read_integers("masked_embedding.token_ordering");
  for (const std::int64_t id : tokens) {
    if (id < 0 || static_cast<std::uint64_t>(id) >= vocabulary) {
      throw Error("masked_embedding.token_ordering: got token " + std::to_string(id) +
                  ", expected 0 to " + std::to_string(vocabulary - 1));
    }
  }
  return tokens;
}

}  // namespace assay
