// SPDX-License-Identifier: Apache-2.0
// What the checks of a property found.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "conformance/compare/verdict.h"

namespace assay::conformance {

// Ends a property before all its checks are done: kNotSupported, kResourceError, …
class Stopped : public std::runtime_error {
 public:
  Stopped(Verdict verdict, const std::string& message)
      : std::runtime_error(message), verdict_(verdict) {}
  Verdict verdict() const { return verdict_; }

 private:
  Verdict verdict_;
};

class Findings {
 public:
  // Counts a check. `what` is called for one that fails only: "text.logits, row 3: got 0.2,
  // expected at most 5e-05".
  template <class What>
  void expect(bool holds, const What& what) {
    ++checks_;
    if (!holds) {
      fail(what());
    }
  }

  // A comparison that was left out: rounding of the class could hide what it looks for.
  void leave(const std::string& what) {
    if (left_++ == 0) {
      first_left_ = what;
    }
  }

  std::size_t left() const { return left_; }
  const std::string& first_left() const { return first_left_; }
  std::size_t checks() const { return checks_; }
  std::size_t failed() const { return failed_; }
  const std::vector<std::string>& first() const { return first_; }  // of those that failed

 private:
  void fail(std::string what) {
    constexpr std::size_t kKept = 8;
    ++failed_;
    if (first_.size() < kKept) {
      first_.push_back(std::move(what));
    }
  }

  std::size_t checks_ = 0;
  std::size_t failed_ = 0;
  std::size_t left_ = 0;
  std::string first_left_;
  std::vector<std::string> first_;
};

// "got 0.2, expected at most 5e-05".
std::string at_most(double got, double bound);
std::string more_than(double got, double bound);
// "got 0.2, expected 0.1 to 0.15".
std::string between(double got, double least, double most);

}  // namespace assay::conformance
