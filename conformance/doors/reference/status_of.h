// SPDX-License-Identifier: Apache-2.0
// Nothing throws across the interface: what happens inside becomes a status.
#pragma once

#include <exception>
#include <functional>
#include <new>

#include "conformance/doors/reference/media_forms.h"
#include "conformance/interface/implementation.h"

namespace assay::ASSAY_REFERENCE {

inline conformance::Status status_of(const std::function<void()>& work) {
  using conformance::StatusCode;
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

}  // namespace assay::ASSAY_REFERENCE
