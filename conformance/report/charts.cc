// SPDX-License-Identifier: Apache-2.0
#include "conformance/report/charts.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "conformance/catalogue/tap_name.h"
#include "conformance/report/figures.h"
#include "conformance/report/junit.h"

namespace assay::conformance {
namespace {

constexpr double kWidth = 960;      // of a chart, in pixels
constexpr double kHeight = 220;     // of the plot of errors
constexpr double kMargin = 56;      // left of it
constexpr double kLeast = -2;       // decades below a floor that are shown
constexpr double kCell = 14;        // of a heat map
constexpr double kLabels = 190;     // left of it
constexpr std::size_t kFewest = 3;  // taps that make a curve
constexpr std::size_t kMostColumns = 128;
constexpr std::size_t kMostRows = 240;  // of a strip

std::string measured(double value, const char* format) {
  return std::isnan(value) ? "–" : number(value, format);
}

std::string pixels(double value) {
  return number(value, "%.1f");
}

// An attribute and what it says: x="12.0".
std::string at(const char* name, double value) {
  return std::string(" ") + name + "=\"" + pixels(value) + "\"";
}

std::string text_at(double x, double y, const char* anchor, const std::string& text) {
  return "<text" + at("x", x) + at("y", y) + " text-anchor=\"" + anchor + "\">" +
         xml_escaped(text) + "</text>";
}

double limit_of(const TapResult& tap) {
  return tap.floor > 0 ? tap.budget / tap.floor : kNotMeasured;
}

bool is_drawn(const TapResult& tap) {
  return tap.verdict == Verdict::kFail || std::isfinite(tap.in_bound_units);
}

// "fail", "near" from half of the limit on, "untested", "pass".
const char* colour_of(const TapResult& tap) {
  if (tap.verdict == Verdict::kFail) {
    return "fail";
  }
  if (tap.verdict == Verdict::kNotTested) {
    return "untested";
  }
  return tap.verdict == Verdict::kWarning || tap.rel_l2 > tap.budget / 2 ? "near" : "pass";
}

// What is told of a tap when a pointer rests on it.
std::string hint(const TapResult& tap) {
  std::string text = tap.tap + ": " + verdict_name(tap.verdict);
  text += tap.code.empty() ? "" : " " + tap.code;
  if (std::isfinite(tap.in_bound_units)) {
    text += ", " + measured(tap.in_bound_units, "%.3g") + " × floor, limit " +
            measured(limit_of(tap), "%.3g");
  }
  text += "; relative L2 " + measured(tap.rel_l2, "%.2e") + ", largest difference " +
          measured(tap.max_abs, "%.2e");
  return "<title>" + xml_escaped(text) + "</title>";
}

class Plot {
 public:
  explicit Plot(const CaseResult& result) {
    for (const TapResult& tap : result.taps) {
      if (is_drawn(tap)) {
        taps_.push_back(&tap);
        most_ = std::max({most_, decade(tap.in_bound_units), decade(limit_of(tap))});
      }
    }
    most_ = std::ceil(most_ + 0.1);
    introduced_.insert(result.introduced_by.begin(), result.introduced_by.end());
  }

  bool empty() const { return taps_.size() < kFewest; }

  std::string svg() const {
    std::string out = "<svg class=\"plot\" viewBox=\"0 0 " + pixels(kWidth) + " " +
                      pixels(kHeight + 24) + "\" role=\"img\"><title>error by depth</title>";
    for (double d = kLeast; d <= most_; d += most_ > 8 ? 2 : 1) {
      out += "<line class=\"grid\"" + at("x1", kMargin) + at("x2", kWidth) + at("y1", y(d)) +
             at("y2", y(d)) + "/>" +
             text_at(kMargin - 6, y(d) + 4, "end", d == 0 ? "floor" : "1e" + number(d, "%.0f"));
    }
    out += limits();
    for (std::size_t i = 0; i < taps_.size(); ++i) {
      out += mark(i);
    }
    return out + text_at(kMargin, kHeight + 18, "start", taps_.front()->tap) +
           text_at(kWidth, kHeight + 18, "end", taps_.back()->tap) + "</svg>\n";
  }

 private:
  static double decade(double units) {
    return units > 0 && std::isfinite(units) ? std::max(std::log10(units), kLeast) : kLeast;
  }
  double y(double d) const { return 8 + (kHeight - 16) * (most_ - d) / (most_ - kLeast); }
  double x(std::size_t i) const {
    const double step = (kWidth - kMargin - 10) / static_cast<double>(taps_.size());
    return kMargin + 5 + step * (static_cast<double>(i) + 0.5);
  }

  std::string limits() const {
    std::string path;
    for (std::size_t i = 0; i < taps_.size(); ++i) {
      const double limit = limit_of(*taps_[i]);
      if (std::isfinite(limit)) {
        path += (path.empty() ? "M" : "L") + pixels(x(i)) + " " + pixels(y(decade(limit)));
      }
    }
    return path.empty() ? "" : "<path class=\"limit\" d=\"" + path + "\"/>";
  }

  // A failure without a size (NaN, a shape, a wrong choice) stands at the top.
  std::string mark(std::size_t i) const {
    const TapResult& tap = *taps_[i];
    const bool sized = std::isfinite(tap.in_bound_units);
    const bool entered = introduced_.contains(tap.tap);
    return std::string("<circle class=\"") + colour_of(tap) + (entered ? " entered" : "") + "\"" +
           at("cx", x(i)) + at("cy", sized ? y(decade(tap.in_bound_units)) : 6) +
           at("r", entered ? 5 : 2.5) + ">" + hint(tap) + "</circle>";
  }

  std::vector<const TapResult*> taps_;
  std::set<std::string> introduced_;
  double most_ = 1;
};

// Blocks of one kind and what they hold, in the order in which they came.
struct Map {
  std::vector<std::string> blocks;  // "text.layer.3."
  std::vector<std::string> leaves;
  std::map<std::pair<std::string, std::string>, const TapResult*> taps;  // by leaf and block
};

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) {
    names.push_back(name);
  }
}

// "3" of "text.layer.3.", "0.3" of "mtp.step.0.layer.3.".
std::string block_number(const std::string& prefix) {
  std::string text;
  for (std::size_t begin = 0; begin < prefix.size();) {
    const std::size_t dot = std::min(prefix.find('.', begin), prefix.size());
    const std::string segment = prefix.substr(begin, dot - begin);
    if (!segment.empty() && segment.find_first_not_of("0123456789") == std::string::npos) {
      text += (text.empty() ? "" : ".") + segment;
    }
    begin = dot + 1;
  }
  return text;
}

std::string heat_map(const std::string& kind, const Map& map) {
  const std::size_t columns = std::min(map.blocks.size(), kMostColumns);
  const double width = kLabels + kCell * static_cast<double>(columns) + 8;
  const double height = kCell * static_cast<double>(map.leaves.size() + 1) + 6;
  std::string out = "<figure><figcaption>" + xml_escaped(kind) + "</figcaption><svg class=\"map\"" +
                    at("width", width) + at("height", height) + " role=\"img\">";
  for (std::size_t c = 0; c < columns; ++c) {
    const double x = kLabels + kCell * (static_cast<double>(c) + 0.5);
    out += text_at(x, kCell - 3, "middle", block_number(map.blocks[c]));
  }
  for (std::size_t r = 0; r < map.leaves.size(); ++r) {
    const double y = kCell * static_cast<double>(r + 1);
    out += text_at(kLabels - 6, y + kCell - 4, "end", map.leaves[r]);
    for (std::size_t c = 0; c < columns; ++c) {
      const auto found = map.taps.find({map.leaves[r], map.blocks[c]});
      if (found != map.taps.end()) {
        out += std::string("<rect class=\"") + colour_of(*found->second) + "\"" +
               at("x", kLabels + kCell * static_cast<double>(c)) + at("y", y) +
               at("width", kCell - 1) + at("height", kCell - 1) + ">" + hint(*found->second) +
               "</rect>";
      }
    }
  }
  const std::size_t left_out = map.blocks.size() - columns;
  return out + "</svg>" +
         (left_out > 0 ? "<p>and " + std::to_string(left_out) + " more blocks</p>" : "") +
         "</figure>\n";
}

}  // namespace

std::string error_by_depth(const CaseResult& result) {
  const Plot plot(result);
  return plot.empty() ? "" : plot.svg();
}

std::string heat_maps(const CaseResult& result) {
  std::vector<std::string> kinds;
  std::map<std::string, Map> maps;
  for (const TapResult& tap : result.taps) {
    const std::string block = tap_prefix(tap.tap);
    if (block.empty()) {
      continue;
    }
    const std::string kind = tap_kind(block.substr(0, block.find_last_of('.', block.size() - 2)));
    add_once(kinds, kind);
    Map& map = maps[kind];
    add_once(map.blocks, block);
    add_once(map.leaves, tap_leaf(tap.tap));
    map.taps[{tap_leaf(tap.tap), block}] = &tap;
  }
  std::string out;
  for (const std::string& kind : kinds) {
    out += heat_map(kind, maps.at(kind));
  }
  return out;
}

std::string row_strip(const TapResult& tap) {
  if (tap.rows == 0 || tap.wrong_rows.empty()) {
    return "";
  }
  const std::size_t bins = std::min(tap.rows, kMostRows);
  std::vector<bool> wrong(bins);
  for (const std::size_t row : tap.wrong_rows) {
    if (row < tap.rows) {
      wrong[row * bins / tap.rows] = true;
    }
  }
  const double cell = std::min(10.0, 240.0 / static_cast<double>(bins));
  std::string out = "<svg class=\"strip\"" + at("width", cell * static_cast<double>(bins)) +
                    at("height", 10) + " role=\"img\"><title>" +
                    std::to_string(tap.wrong_rows.size()) + " of " + std::to_string(tap.rows) +
                    " rows are wrong</title>";
  for (std::size_t i = 0; i < bins; ++i) {
    out += std::string("<rect class=\"") + (wrong[i] ? "fail" : "pass") + "\"" +
           at("x", cell * static_cast<double>(i)) + at("width", cell) + at("height", 10) + "/>";
  }
  return out + "</svg>";
}

}  // namespace assay::conformance
