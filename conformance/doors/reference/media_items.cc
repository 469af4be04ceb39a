// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/reference/media_items.h"

#include <algorithm>
#include <utility>

#include "conformance/doors/reference/media_forms.h"
#include "reference/family/preprocess/target_size.h"
#include "reference/model/emit_values.h"

namespace assay::ASSAY_REFERENCE {
namespace {

using conformance::CaseInput;
using conformance::MediaItem;

TokenType token_type(MediaKind kind) {
  return static_cast<TokenType>(token_type_of(kind));
}

// Hands out the placeholders of a prompt, in order.
class Placeholders {
 public:
  explicit Placeholders(const std::vector<TokenType>& types) : types_(types) {}

  // Where the next ones begin.
  std::size_t next() {
    while (at_ < types_.size() && types_[at_] == TokenType::kText) {
      ++at_;
    }
    return at_;
  }
  // How many of a type stand there.
  std::size_t run(TokenType type) {
    const auto first = types_.begin() + static_cast<std::ptrdiff_t>(next());
    const auto end = std::find_if(first, types_.end(), [type](TokenType t) { return t != type; });
    return static_cast<std::size_t>(end - first);
  }
  void take(std::size_t count) { at_ += count; }

 private:
  const std::vector<TokenType>& types_;
  std::size_t at_ = 0;
};

class CaseMedia {
 public:
  CaseMedia(const MediaEncoder& encoder, const ProcessorConfig& processor,
            const std::vector<TokenType>& types, Taps& taps)
      : encoder_(encoder), processor_(processor), places_(types), taps_(taps) {}

  void add(const MediaItem& item) {
    if (!is_raw(item)) {
      places_.next();
      places_.take(item.rows);
      done_.push_back(item);
      ++run_;
    } else if (item.kind == MediaKind::kVideo) {
      add_video(item);
    } else {
      fill(input_of(item, name()));
    }
  }

  std::vector<MediaItem> done() && { return std::move(done_); }

 private:
  std::string name() const { return "media " + std::to_string(run_); }
  TapScope scope() const { return {taps_, "media." + std::to_string(run_) + "."}; }

  void add_video(const MediaItem& item);
  void fill(MediaInput input);
  void settle_budget(MediaInput& input, std::size_t placeholders) const;
  Tensor<T, D> encode(const MediaInput& input, const std::string& title) const;

  const MediaEncoder& encoder_;
  const ProcessorConfig& processor_;
  Placeholders places_;
  Taps& taps_;
  std::size_t run_ = 0;
  std::vector<MediaItem> done_;
};

void CaseMedia::add_video(const MediaItem& item) {
  Video video = video_of(item, name(), processor_);
  emit_values<1>(scope(), "video.frame_indices", {video.indices.size()}, video.indices);
  emit_values<1>(scope(), "video.timestamps", {video.seconds.size()}, video.seconds);
  for (Image& frame : video.frames) {
    fill(frame_input(item, std::move(frame)));
  }
}

// The one budget that makes as many soft tokens as there are placeholders.
void CaseMedia::settle_budget(MediaInput& input, std::size_t placeholders) const {
  if (input.budget != 0) {
    return;
  }
  const auto makes = [&](std::size_t budget) {
    return image_soft_tokens(input.rgb->size, encoder_.patch_options(input.kind, budget)) ==
           placeholders;
  };
  if (makes(0)) {
    return;
  }
  const auto fitting = std::count_if(kSoftTokenBudgets.begin(), kSoftTokenBudgets.end(), makes);
  if (fitting == 1) {
    input.budget = *std::find_if(kSoftTokenBudgets.begin(), kSoftTokenBudgets.end(), makes);
  }
}

Tensor<T, D> CaseMedia::encode(const MediaInput& input, const std::string& title) const {
  try {
    return encoder_.encode(input, scope());
  } catch (const Error& error) {
    throw Error(title + ": " + error.what());
  }
}

void CaseMedia::fill(MediaInput input) {
  const std::size_t at = places_.next();
  const std::size_t placeholders = places_.run(token_type(input.kind));
  const std::string title = name() + " (" + media_kind_name(input.kind) + ")";
  if (placeholders == 0) {
    throw Error(title + ": got no placeholder at position " + std::to_string(at) +
                ", expected a run of them");
  }
  const auto check_rows = [&](std::size_t rows) {
    if (rows != placeholders) {
      throw Error(title + ": got " + std::to_string(rows) + " soft tokens, expected " +
                  std::to_string(placeholders) + ", the placeholders from position " +
                  std::to_string(at) + " on");
    }
  };
  if (input.rgb) {
    settle_budget(input, placeholders);
    const auto options = encoder_.patch_options(input.kind, input.budget);
    check_rows(image_soft_tokens(input.rgb->size, options));  // before the work
  }
  const auto soft = encode(input, title);
  check_rows(soft.shape()[0]);
  MediaItem item;
  item.kind = input.kind;
  item.rows = soft.shape()[0];
  item.width = soft.shape()[1];
  item.values.assign(soft.begin(), soft.end());
  done_.push_back(std::move(item));
  places_.take(placeholders);
  ++run_;
}

}  // namespace

bool is_raw(const MediaItem& item) {
  return item.values.empty();
}

CaseInput encode_media(const CaseInput& input, const std::vector<TokenType>& types,
                       const MediaEncoder& encoder, const ProcessorConfig& processor, Taps& taps) {
  CaseInput encoded;
  encoded.ids = input.ids;
  encoded.token_types = input.token_types;
  encoded.positions = input.positions;
  encoded.valid = input.valid;
  encoded.draft = input.draft;
  CaseMedia media(encoder, processor, types, taps);
  for (const MediaItem& item : input.media) {
    media.add(item);
  }
  encoded.media = std::move(media).done();
  return encoded;
}

}  // namespace assay::ASSAY_REFERENCE
