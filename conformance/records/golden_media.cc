// SPDX-License-Identifier: Apache-2.0
#include "conformance/records/golden_media.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "conformance/records/checked_arrays.h"
#include "reference/family/config/soft_tokens.h"

namespace assay::conformance {
namespace {

constexpr const char* kGroup = "/inputs/media";
constexpr std::int64_t kMaxFrames = 4096;
constexpr std::size_t kMelBins = 128;

MediaItem::Array array_of(Hdf5Array from) {
  return {std::move(from.shape), std::move(from.values)};
}

void read_file(Hdf5File& file, const std::string& path, MediaItem& item) {
  const auto bytes =
      read_whole_numbers(file, path + "/file", {{0}, "the bytes of a file"}, {0, 255});
  item.file.resize(bytes.values.size());
  std::ranges::transform(bytes.values, item.file.begin(),
                         [](double byte) { return static_cast<std::uint8_t>(byte); });
}

void read_rgb(Hdf5File& file, const std::string& path, MediaItem& item) {
  item.rgb = array_of(read_whole_numbers(file, path + "/rgb", {{0, 0, 3}, "[h, w, 3]"}, {0, 255}));
}

// (x, y) of a patch, or (-1, -1) of a padding slot.
void check_positions(const Hdf5File& file, const std::string& path, const MediaItem& item) {
  const auto& values = item.positions.values;
  for (std::size_t i = 0; i < values.size(); i += 2) {
    if ((values[i] < 0) != (values[i + 1] < 0)) {
      file.fail(path + "/positions[" + std::to_string(i / 2) + "]", "one coordinate of -1",
                "both or none");
    }
  }
}

void read_patches(Hdf5File& file, const std::string& path, MediaItem& item) {
  item.patches = array_of(read_finite_numbers(file, path + "/patches", {{0, 0}, "[N, C]"}));
  const std::size_t count = item.patches.shape[0];
  if (file.kind(path + "/positions") != Hdf5Kind::kDataset) {
    file.fail(path + "/positions", "nothing", "[N, 2] beside the patches");
  }
  const std::string wanted = "[" + std::to_string(count) + ", 2], one for each patch";
  item.positions =
      array_of(read_whole_numbers(file, path + "/positions", {{count, 2}, wanted}, {.least = -1}));
  check_positions(file, path, item);
}

void read_samples(Hdf5File& file, const std::string& path, MediaItem& item) {
  item.samples = array_of(read_finite_numbers(file, path + "/samples", {{0}, "[n]"}));
}

void read_mel(Hdf5File& file, const std::string& path, MediaItem& item) {
  item.mel = array_of(read_finite_numbers(file, path + "/mel", {{0, kMelBins}, "[F, 128]"}));
  const std::string mask = path + "/mel_mask";
  if (file.kind(mask) == Hdf5Kind::kAbsent) {
    return;
  }
  const std::size_t frames = item.mel.shape[0];
  const std::string wanted = "[" + std::to_string(frames) + "], one for each frame";
  item.mel_mask = array_of(read_whole_numbers(file, mask, {{frames}, wanted}, {0, 1}));
  const auto& values = item.mel_mask.values;
  if (!std::is_sorted(values.rbegin(), values.rend())) {
    file.fail(mask, "a valid frame after padding", "valid frames first");
  }
}

void read_audio_rows(Hdf5File& file, const std::string& path, MediaItem& item) {
  item.audio_rows = array_of(read_finite_numbers(file, path + "/rows", {{0, 0}, "[n, 640]"}));
}

void read_soft(Hdf5File& file, const std::string& path, MediaItem& item) {
  Hdf5Array array = read_finite_numbers(file, path + "/soft", {{0, 0}, "[n, D]"});
  item.rows = array.shape[0];
  item.width = array.shape[1];
  item.values = std::move(array.values);
}

struct Form {
  std::string_view name;  // of the dataset
  bool image;             // kinds it fits
  bool video;
  bool audio;
  void (*read)(Hdf5File&, const std::string&, MediaItem&);
};

constexpr std::array<Form, 7> kForms = {{
    {"file", true, true, true, read_file},
    {"rgb", true, false, false, read_rgb},
    {"patches", true, false, false, read_patches},
    {"samples", false, false, true, read_samples},
    {"mel", false, false, true, read_mel},
    {"rows", false, false, true, read_audio_rows},
    {"soft", true, false, true, read_soft},
}};

bool is_image(MediaKind kind) {
  return kind == MediaKind::kImage || kind == MediaKind::kFrame;
}

bool fits(const Form& form, MediaKind kind) {
  return is_image(kind) ? form.image : kind == MediaKind::kVideo ? form.video : form.audio;
}

std::string names_of_forms(MediaKind kind) {
  std::string names;
  for (const Form& form : kForms) {
    if (fits(form, kind)) {
      names.append(names.empty() ? "" : ", ").append(form.name);
    }
  }
  return names;
}

// The one form an item has.
const Form& form_of(const Hdf5File& file, const std::string& path, MediaKind kind) {
  const Form* only = nullptr;
  for (const Form& form : kForms) {
    const std::string dataset = path + "/" + std::string(form.name);
    if (file.kind(dataset) == Hdf5Kind::kAbsent) {
      continue;
    }
    if (only != nullptr) {
      file.fail(path, std::string(only->name) + " and " + std::string(form.name), "one of the two");
    }
    if (!fits(form, kind)) {
      file.fail(dataset, std::string("a form that is not of kind ") + media_kind_name(kind),
                names_of_forms(kind));
    }
    only = &form;
  }
  if (only == nullptr) {
    file.fail(path, "no data", "one of " + names_of_forms(kind));
  }
  return *only;
}

MediaKind read_kind(const Hdf5File& file, const std::string& path) {
  const auto kind = file.text(path, "kind");
  const char* const wanted = "image, frame, video or audio";
  if (!kind) {
    file.fail(path + "@kind", "nothing", wanted);
  }
  const auto known = find_media_kind(*kind);
  if (!known) {
    file.fail(path + "@kind", "\"" + *kind + "\"", wanted);
  }
  return *known;
}

std::size_t read_budget(const Hdf5File& file, const std::string& path, MediaKind kind) {
  const std::int64_t budget = read_count(file, path, "budget", {0, kSoftTokenBudgets.back()});
  if (budget != 0 && !is_budget(static_cast<std::size_t>(budget))) {
    file.fail(path + "@budget", std::to_string(budget), budgets_text());
  }
  if (budget != 0 && kind == MediaKind::kAudio) {
    file.fail(path + "@budget", std::to_string(budget), "none for an audio clip");
  }
  return static_cast<std::size_t>(budget);
}

MediaItem read_item(Hdf5File& file, const std::string& path) {
  MediaItem item;
  item.kind = read_kind(file, path);
  item.budget = read_budget(file, path, item.kind);
  item.num_frames = static_cast<std::size_t>(read_count(file, path, "num_frames", {1, kMaxFrames}));
  if (item.num_frames != 0 && item.kind != MediaKind::kVideo) {
    file.fail(path + "@num_frames", std::to_string(item.num_frames), "none but for a video");
  }
  form_of(file, path, item.kind).read(file, path, item);
  return item;
}

// The members' names as run numbers, in their order.
std::vector<std::size_t> run_numbers(const Hdf5File& file) {
  std::vector<std::size_t> runs;
  for (const std::string& name : file.children(kGroup)) {
    std::size_t run = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), run);
    const bool plain = error == std::errc() && std::to_string(run) == name;
    const std::string path = std::string(kGroup) + "/" + name;
    if (!plain || end != name.data() + name.size()) {
      file.fail(path, "a name that is no number", "the number of a run of placeholders");
    }
    if (file.kind(path) != Hdf5Kind::kGroup) {
      file.fail(path, "no group", "a group");
    }
    runs.push_back(run);
  }
  std::ranges::sort(runs);
  return runs;
}

// `next` is the run after which the following item's name comes; a video is as long as it says.
void check_run(const Hdf5File& file, std::size_t run, std::size_t next, MediaItem* before) {
  const bool open_video =
      before != nullptr && before->kind == MediaKind::kVideo && before->num_frames == 0;
  if (open_video && run >= next && run - next < kMaxFrames) {
    before->num_frames = run - next + 1;
  } else if (run != next) {
    file.fail(std::string(kGroup) + "/" + std::to_string(run), "run " + std::to_string(run),
              "run " + std::to_string(next) + " next");
  }
}

bool is_soft(const MediaItem& item) {
  return item.rows > 0;
}

void check_widths(const Hdf5File& file, const std::vector<MediaItem>& media,
                  const std::vector<std::size_t>& runs) {
  const auto first = std::ranges::find_if(media, is_soft);
  for (std::size_t k = 0; k < media.size(); ++k) {
    if (is_soft(media[k]) && media[k].width != first->width) {
      const auto at = static_cast<std::size_t>(first - media.begin());
      file.fail(std::string(kGroup) + "/" + std::to_string(runs[k]) + "/soft",
                "width " + std::to_string(media[k].width),
                std::to_string(first->width) + " as in item " + std::to_string(runs[at]));
    }
  }
}

}  // namespace

std::vector<MediaItem> read_media(Hdf5File& file) {
  std::vector<MediaItem> media;
  if (file.kind(kGroup) == Hdf5Kind::kAbsent) {
    return media;
  }
  const std::vector<std::size_t> runs = run_numbers(file);
  std::size_t next = 0;
  for (const std::size_t run : runs) {
    check_run(file, run, next, media.empty() ? nullptr : &media.back());
    media.push_back(read_item(file, std::string(kGroup) + "/" + std::to_string(run)));
    next = run + std::max<std::size_t>(media.back().num_frames, 1);
  }
  check_widths(file, media, runs);
  return media;
}

void check_placeholders(const Hdf5File& file, const CaseInput& input) {
  const std::vector<std::int32_t>& types = input.token_types;
  if (types.empty()) {
    return;
  }
  std::size_t t = 0;
  const auto skip_text = [&] {
    while (t < types.size() && types[t] == 0) {
      ++t;
    }
  };
  for (std::size_t k = 0; k < input.media.size(); ++k) {
    const MediaItem& item = input.media[k];
    if (!is_soft(item)) {
      return;
    }
    skip_text();
    std::size_t placeholders = 0;
    while (placeholders < item.rows && t < types.size() && types[t] == token_type_of(item.kind)) {
      ++placeholders;
      ++t;
    }
    if (placeholders != item.rows) {
      file.fail(std::string(kGroup) + "/" + std::to_string(k) + "/soft",
                std::to_string(item.rows) + " rows",
                std::to_string(placeholders) + ", the placeholders of kind " +
                    media_kind_name(item.kind) + " there");
    }
  }
  skip_text();
  if (t != types.size()) {
    file.fail(kGroup, std::to_string(input.media.size()) + " items",
              "one more for the placeholder at position " + std::to_string(t));
  }
}

}  // namespace assay::conformance
