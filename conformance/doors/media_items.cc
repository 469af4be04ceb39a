// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/media_items.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "reference/family/base/error.h"
#include "reference/family/preprocess/expand_media.h"
#include "reference/family/preprocess/target_size.h"

namespace assay::conformance {
namespace {

constexpr std::int32_t kText = 0;

// Hands out the placeholders of a prompt, in order.
class Placeholders {
 public:
  explicit Placeholders(const std::vector<std::int32_t>& types) : types_(types) {}

  // Where the next ones begin.
  std::size_t next() {
    while (at_ < types_.size() && types_[at_] == kText) {
      ++at_;
    }
    return at_;
  }
  // How many of a type stand there.
  std::size_t run(std::int32_t type) {
    const auto first = types_.begin() + static_cast<std::ptrdiff_t>(next());
    const auto end =
        std::find_if(first, types_.end(), [type](std::int32_t each) { return each != type; });
    return static_cast<std::size_t>(end - first);
  }
  void take(std::size_t count) { at_ += count; }

 private:
  const std::vector<std::int32_t>& types_;
  std::size_t at_ = 0;
};

class CaseMedia {
 public:
  CaseMedia(MediaCoder& coder, const ProcessorConfig& processor,
            const std::vector<std::int32_t>& types)
      : coder_(coder), processor_(processor), places_(types) {}

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

  void add_video(const MediaItem& item);
  void fill(RawMedia input);
  void settle_budget(RawMedia& input, std::size_t placeholders) const;
  MediaItem encode(const RawMedia& input, const std::string& title);

  MediaCoder& coder_;
  const ProcessorConfig& processor_;
  Placeholders places_;
  std::size_t run_ = 0;
  std::vector<MediaItem> done_;
};

void CaseMedia::add_video(const MediaItem& item) {
  Video video = video_of(item, name(), processor_);
  coder_.emit_video(video, run_);
  for (Image& frame : video.frames) {
    fill(frame_input(item, std::move(frame)));
  }
}

// The one budget that makes as many soft tokens as there are placeholders.
void CaseMedia::settle_budget(RawMedia& input, std::size_t placeholders) const {
  if (input.budget != 0) {
    return;
  }
  const auto makes = [&](std::size_t budget) {
    return image_soft_tokens(input.rgb->size, coder_.patch_options(input.kind, budget)) ==
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

MediaItem CaseMedia::encode(const RawMedia& input, const std::string& title) {
  try {
    return coder_.encode(input, run_);
  } catch (const Error& error) {
    throw Error(title + ": " + error.what());
  }
}

void CaseMedia::fill(RawMedia input) {
  const std::size_t at = places_.next();
  const std::size_t placeholders = places_.run(token_type_of(input.kind));
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
    const auto options = coder_.patch_options(input.kind, input.budget);
    check_rows(image_soft_tokens(input.rgb->size, options));  // before the work
  }
  done_.push_back(encode(input, title));
  check_rows(done_.back().rows);
  places_.take(placeholders);
  ++run_;
}

// One item of a prompt, encoded: what it tells the prompt, and its rows, a block for each frame.
struct EncodedItem {
  PromptMedia media;
  std::vector<MediaItem> soft;
};

EncodedItem encode_item(const MediaItem& item, const std::string& name,
                        const ProcessorConfig& processor, MediaCoder& coder) {
  EncodedItem encoded;
  if (item.kind == MediaKind::kVideo) {
    Video video = video_of(item, name, processor);
    encoded.media.kind = MediaKind::kVideo;
    encoded.media.seconds = video.seconds;
    for (Image& frame : video.frames) {
      encoded.soft.push_back(coder.encode(frame_input(item, std::move(frame)), 0));
      encoded.media.soft_tokens.push_back(encoded.soft.back().rows);
    }
    return encoded;
  }
  encoded.media.kind = item.kind == MediaKind::kAudio ? MediaKind::kAudio : MediaKind::kImage;
  encoded.soft.push_back(coder.encode(input_of(item, name), 0));
  encoded.media.soft_tokens = {encoded.soft.back().rows};
  return encoded;
}

StampTokens stamps_of(const std::vector<std::int32_t>& ids) {
  StampTokens stamps;
  if (ids.size() == stamps.digits.size() + 2) {
    std::copy_n(ids.begin(), stamps.digits.size(), stamps.digits.begin());
    stamps.colon = ids[stamps.digits.size()];
    stamps.space = ids.back();
  }
  return stamps;
}

}  // namespace

CaseInput encode_media(const CaseInput& input, const std::vector<std::int32_t>& types,
                       const ProcessorConfig& processor, MediaCoder& coder) {
  CaseInput encoded;
  encoded.ids = input.ids;
  encoded.token_types = input.token_types;
  encoded.positions = input.positions;
  encoded.valid = input.valid;
  encoded.draft = input.draft;
  CaseMedia media(coder, processor, types);
  for (const MediaItem& item : input.media) {
    media.add(item);
  }
  encoded.media = std::move(media).done();
  return encoded;
}

CaseInput expand_prompt(const PromptRequest& prompt, const ModelConfig& config, MediaCoder& coder) {
  std::vector<EncodedItem> items;
  std::vector<PromptMedia> media;
  for (std::size_t k = 0; k < prompt.media.size(); ++k) {
    const MediaItem& item = prompt.media[k];
    items.push_back(encode_item(item, item.name.empty() ? "media " + std::to_string(k) : item.name,
                                config.processor, coder));
    media.push_back(items.back().media);
  }
  const auto expanded =
      expand_media(prompt.ids, media, config.text.special, stamps_of(prompt.stamp_ids));
  CaseInput input;
  input.ids = expanded.ids;
  input.token_types = expanded.token_types;
  for (const std::size_t k : expanded.order) {
    std::move(items[k].soft.begin(), items[k].soft.end(), std::back_inserter(input.media));
  }
  return input;
}

}  // namespace assay::conformance
