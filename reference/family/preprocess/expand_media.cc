// SPDX-License-Identifier: Apache-2.0
#include "reference/family/preprocess/expand_media.h"

#include <algorithm>
#include <string>

#include "reference/family/base/error.h"
#include "reference/family/preprocess/video_frames.h"

namespace assay {
namespace {

constexpr std::array kKinds = {MediaKind::kImage, MediaKind::kVideo, MediaKind::kAudio};

std::int32_t placeholder_of(MediaKind kind, const SpecialTokens& special) {
  return kind == MediaKind::kImage   ? special.image
         : kind == MediaKind::kVideo ? special.video
                                     : special.audio;
}

void check_item(const PromptMedia& item, std::size_t index) {
  const std::string thing =
      "item " + std::to_string(index) + " (" + media_kind_name(item.kind) + ")";
  if (item.kind == MediaKind::kFrame) {
    throw Error(thing + ": got a frame alone, expected an image or a whole video");
  }
  const bool video = item.kind == MediaKind::kVideo;
  if (video ? item.soft_tokens.empty() : item.soft_tokens.size() != 1) {
    throw Error(thing + ": got " + std::to_string(item.soft_tokens.size()) +
                " counts of soft tokens, expected " + (video ? "one for each frame" : "one"));
  }
  if (std::ranges::find(item.soft_tokens, 0u) != item.soft_tokens.end()) {
    throw Error(thing + ": got no soft tokens, expected at least one");
  }
  if (video && item.seconds.size() != item.soft_tokens.size()) {
    throw Error(thing + ": got " + std::to_string(item.seconds.size()) + " time stamps, expected " +
                std::to_string(item.soft_tokens.size()) + ", one for each frame");
  }
}

// The items of one kind, in order.
std::vector<std::size_t> queue_of(std::span<const PromptMedia> items, MediaKind kind) {
  std::vector<std::size_t> queue;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].kind == kind) {
      queue.push_back(i);
    }
  }
  return queue;
}

class Writer {
 public:
  Writer(const SpecialTokens& special, const StampTokens& stamps)
      : special_(special), stamps_(stamps) {}

  void text(std::int32_t id) {
    out.ids.push_back(id);
    out.token_types.push_back(0);
  }

  void item(const PromptMedia& item) {
    if (item.kind == MediaKind::kVideo) {
      frames(item);
    } else {
      run(item.kind, item.soft_tokens.front());
    }
  }

  ExpandedPrompt out;

 private:
  void run(MediaKind kind, std::size_t soft_tokens) {
    const bool audio = kind == MediaKind::kAudio;
    text(audio ? special_.boa : special_.boi);
    out.ids.insert(out.ids.end(), soft_tokens, placeholder_of(kind, special_));
    out.token_types.insert(out.token_types.end(), soft_tokens, token_type_of(kind));
    text(audio ? special_.eoa : special_.eoi);
  }

  void frames(const PromptMedia& video) {
    for (std::size_t j = 0; j < video.soft_tokens.size(); ++j) {
      if (j > 0) {
        text(stamps_.space);
      }
      for (const char c : timestamp(video.seconds[j])) {
        text(c == ':' ? stamps_.colon : stamps_.digits.at(static_cast<std::size_t>(c - '0')));
      }
      text(stamps_.space);
      run(video.kind, video.soft_tokens[j]);
    }
  }

  const SpecialTokens& special_;
  const StampTokens& stamps_;
};

}  // namespace

ExpandedPrompt expand_media(std::span<const std::int32_t> ids, std::span<const PromptMedia> items,
                            const SpecialTokens& special, const StampTokens& stamps) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    check_item(items[i], i);
  }
  std::array<std::vector<std::size_t>, kKinds.size()> queues;
  for (std::size_t k = 0; k < kKinds.size(); ++k) {
    queues[k] = queue_of(items, kKinds[k]);
    const auto wanted =
        static_cast<std::size_t>(std::ranges::count(ids, placeholder_of(kKinds[k], special)));
    if (wanted != queues[k].size()) {
      throw Error(std::string("prompt: got ") + std::to_string(wanted) + " placeholders of kind " +
                  media_kind_name(kKinds[k]) + ", expected " + std::to_string(queues[k].size()) +
                  ", one for each item");
    }
    std::ranges::reverse(queues[k]);  // the next one is the last
  }
  Writer writer(special, stamps);
  for (const std::int32_t id : ids) {
    const auto kind = std::ranges::find_if(
        kKinds, [&](MediaKind each) { return id == placeholder_of(each, special); });
    if (kind == kKinds.end()) {
      writer.text(id);
      continue;
    }
    auto& queue = queues.at(static_cast<std::size_t>(kind - kKinds.begin()));
    writer.out.order.push_back(queue.back());
    writer.item(items[queue.back()]);
    queue.pop_back();
  }
  return std::move(writer.out);
}

}  // namespace assay
