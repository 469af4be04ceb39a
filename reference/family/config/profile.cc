// SPDX-License-Identifier: Apache-2.0
#include "reference/family/config/profile.h"

#include <algorithm>
#include <set>
#include <vector>

#include "reference/family/base/error.h"

namespace assay {
namespace {

constexpr std::string_view kReference = "REF";

// "a, b or c"
std::string alternatives(const std::vector<std::string_view>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) {
      text += i + 1 < words.size() ? ", " : " or ";
    }
    text += words[i];
  }
  return text;
}

const ProfileSwitch& known_switch(std::string_view key) {
  if (const ProfileSwitch* found = find_profile_switch(key)) {
    return *found;
  }
  std::vector<std::string_view> known;
  for (const ProfileSwitch& each : kProfileSwitches) {
    known.push_back(each.key);
  }
  throw Error("profile: got the switch \"" + printable(key) + "\", expected " +
              alternatives(known));
}

std::size_t known_value(const ProfileSwitch& of, std::string_view value) {
  std::vector<std::string_view> known;
  for (const ProfileValue& each : of.values()) {
    if (each.name == value) {
      return known.size();
    }
    known.push_back(each.name);
  }
  throw Error("profile: " + std::string(of.key) + ": got \"" + printable(value) + "\", expected " +
              alternatives(known));
}

}  // namespace

const ProfileSwitch* find_profile_switch(std::string_view key) {
  const auto* const found = std::find_if(kProfileSwitches.begin(), kProfileSwitches.end(),
                                         [key](const auto& each) { return each.key == key; });
  return found == kProfileSwitches.end() ? nullptr : found;
}

Profile parse_profile(std::string_view text) {
  Profile profile;
  if (text == kReference) {
    return profile;
  }
  std::set<std::string_view> given;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view setting = text.substr(begin, end - begin);
    const std::size_t equals = setting.find('=');
    if (equals == std::string_view::npos) {
      throw Error("profile: got \"" + printable(setting) + "\", expected REF or switch=value");
    }
    const ProfileSwitch& chosen = known_switch(setting.substr(0, equals));
    if (!given.insert(chosen.key).second) {
      throw Error("profile: " + std::string(chosen.key) + ": got it twice, expected once");
    }
    chosen.set(profile, known_value(chosen, setting.substr(equals + 1)));
    begin = end + 1;
  }
  return profile;
}

std::string profile_text(const Profile& profile) {
  std::string text;
  for (const ProfileSwitch& each : kProfileSwitches) {
    const std::size_t value = each.get(profile);
    if (value > 0) {
      text += text.empty() ? "" : ",";
      text += std::string(each.key) + "=" + std::string(each.values()[value].name);
    }
  }
  return text.empty() ? std::string(kReference) : text;
}

}  // namespace assay
