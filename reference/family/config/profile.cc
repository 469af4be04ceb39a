// SPDX-License-Identifier: Apache-2.0
#include "reference/family/config/profile.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

#include "reference/family/base/error.h"

namespace assay {
namespace {

constexpr std::string_view kReference = "REF";

// How a switch is kept: the number of its value in ProfileSwitch::values.
struct Access {
  std::size_t (*get)(const Profile&);
  void (*set)(Profile&, std::size_t);
};

template <auto Member>
std::size_t get_value(const Profile& profile) {
  return static_cast<std::size_t>(profile.*Member);
}

template <auto Member>
void set_value(Profile& profile, std::size_t value) {
  profile.*Member = static_cast<std::remove_reference_t<decltype(profile.*Member)>>(value);
}

template <auto Member>
constexpr Access access_to() {
  return {get_value<Member>, set_value<Member>};
}

// In the order of the table below; the values stand in the order of their enumeration.
constexpr std::array<Access, 8> kAccess = {
    access_to<&Profile::audio_window_keys>(), access_to<&Profile::audio_embed_order>(),
    access_to<&Profile::audio_hann>(),        access_to<&Profile::audio_left_pad>(),
    access_to<&Profile::audio_log_floor>(),   access_to<&Profile::image_resample>(),
    access_to<&Profile::vision_pad_mask>(),   access_to<&Profile::text_vision_mask>(),
};

const std::array<ProfileSwitch, kAccess.size()>& switches() {
  static const std::array<ProfileSwitch, kAccess.size()> table = {{
      {"audio.window_keys", {"12", "13"}, "DIV-M04"},
      {"audio.embed_order", {"norm_proj", "proj_norm"}, "DIV-M01"},
      {"audio.hann", {"periodic", "half_sample"}, "DIV-M05"},
      {"audio.left_pad", {"160", "0"}, "DIV-M06"},
      {"audio.log_floor", {"add", "max"}, "DIV-M07"},
      {"image.resample", {"u8_two_pass", "torchvision", "float"}, "DIV-M12"},
      {"vision.pad_mask", {"exclude", "additive_bool"}, "DIV-M02"},
      {"text.vision_mask",
       {"sliding_clamped", "sliding_past_clamped", "sliding_unclamped", "all_layers"},
       "DIV-M17"},
  }};
  return table;
}

// "a, b or c"
std::string alternatives(std::span<const std::string_view> words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) {
      text += i + 1 < words.size() ? ", " : " or ";
    }
    text += words[i];
  }
  return text;
}

std::size_t find_switch(std::string_view key) {
  std::vector<std::string_view> known;
  for (std::size_t i = 0; i < switches().size(); ++i) {
    if (switches()[i].key == key) {
      return i;
    }
    known.push_back(switches()[i].key);
  }
  throw Error("profile: got the switch \"" + printable(key) + "\", expected " +
              alternatives(known));
}

std::size_t find_value(const ProfileSwitch& of, std::string_view value) {
  for (std::size_t i = 0; i < of.values.size(); ++i) {
    if (of.values[i] == value) {
      return i;
    }
  }
  throw Error("profile: " + std::string(of.key) + ": got \"" + printable(value) + "\", expected " +
              alternatives(of.values));
}

}  // namespace

std::span<const ProfileSwitch> profile_switches() {
  return switches();
}

Profile parse_profile(std::string_view text) {
  Profile profile;
  if (text == kReference) {
    return profile;
  }
  std::array<bool, kAccess.size()> given = {};
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view setting = text.substr(begin, end - begin);
    const std::size_t equals = setting.find('=');
    if (equals == std::string_view::npos) {
      throw Error("profile: got \"" + printable(setting) + "\", expected REF or switch=value");
    }
    const std::size_t i = find_switch(setting.substr(0, equals));
    if (given[i]) {
      throw Error("profile: " + std::string(switches()[i].key) + ": got it twice, expected once");
    }
    given[i] = true;
    kAccess[i].set(profile, find_value(switches()[i], setting.substr(equals + 1)));
    begin = end + 1;
  }
  return profile;
}

std::string profile_text(const Profile& profile) {
  std::string text;
  for (std::size_t i = 0; i < switches().size(); ++i) {
    const std::size_t value = kAccess[i].get(profile);
    if (value > 0) {
      text += text.empty() ? "" : ",";
      text += std::string(switches()[i].key) + "=" + std::string(switches()[i].values[value]);
    }
  }
  return text.empty() ? std::string(kReference) : text;
}

}  // namespace assay
