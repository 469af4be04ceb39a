// SPDX-License-Identifier: Apache-2.0
// Nothing throws across the interface: what happens inside becomes a status.
#pragma once

#include <exception>
#include <functional>
#include <new>

#include "conformance/interface/status.h"
#include "reference/family/base/error.h"

namespace assay::conformance {

// What a build lacks, through no fault of the case.
class NotBuilt : public Error {
 public:
  using Error::Error;
};

inline Status status_of(const std::function<void()>& work) {
  try {
    work();
    return {};
  } catch (const NotBuilt& error) {
    return {StatusCode::kNotSupported, error.what()};
  } catch (const Error& error) {
    return {StatusCode::kBadInput, error.what()};
  } catch (const std::bad_alloc&) {
    return {StatusCode::kResourceError, "out of memory"};
  } catch (const std::exception& error) {
    return {StatusCode::kHarnessError, error.what()};
  } catch (...) {
    return {StatusCode::kHarnessError, "an exception of unknown type"};
  }
}

}  // namespace assay::conformance
