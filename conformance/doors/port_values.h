// SPDX-License-Identifier: Apache-2.0
// The plain data of the C ABI (interface/assay_port.h) and of the C++ interface, one from the
// other.
//
// "Lent" structs show what the C++ side holds: they live as long as the Lender and what was lent.
#pragma once

#include <algorithm>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "conformance/interface/assay_port.h"
#include "conformance/interface/implementation.h"
#include "conformance/interface/session.h"

namespace assay::conformance {

// A struct of the other side as far as it goes; what it lacks is 0. Throws Error for null and for a
// size that is none.
[[noreturn]] void refuse_null(const char* what);
void check_size(std::size_t size, const char* what);
template <class Struct>
Struct read_struct(const Struct* from, const char* what) {
  if (from == nullptr) {
    refuse_null(what);
  }
  check_size(from->size, what);
  Struct to{};
  std::memcpy(&to, from, std::min(from->size, sizeof(Struct)));
  to.size = sizeof(Struct);
  return to;
}

// The other way round: no more than the reader has room for.
template <class Struct>
void write_struct(Struct from, Struct* to, const char* what) {
  if (to == nullptr) {
    refuse_null(what);
  }
  check_size(to->size, what);
  from.size = to->size;
  std::memcpy(to, &from, std::min(to->size, sizeof(Struct)));
}

class Lender {
 public:
  const assay_case& lend(const CaseInput& input);
  const assay_prompt& lend(const PromptRequest& prompt);
  const assay_tensor& lend(const TensorView& view);

 private:
  const assay_media* lend(const MediaItem& item);
  const assay_request* lend(const TextRequest& request);
  const assay_tensor* lend(const MediaItem::Array& array);
  const assay_tensor* tensor(int32_t dtype, std::vector<uint64_t> shape, const void* data);
  void lend(const std::vector<MediaItem>& items, const assay_media* const*& media,
            std::size_t& count);

  // Deques: what stands in them stays where it is.
  std::deque<assay_case> cases_;
  std::deque<assay_prompt> prompts_;
  std::deque<assay_media> media_;
  std::deque<assay_draft> drafts_;
  std::deque<assay_request> requests_;
  std::deque<assay_tensor> tensors_;
  std::deque<std::vector<uint64_t>> shapes_;
  std::deque<std::vector<const assay_media*>> media_lists_;
  std::deque<std::vector<const assay_request*>> request_lists_;
  std::deque<std::string> names_;
};

assay_ids lend_ids(const std::vector<std::int32_t>& ids);
assay_run_options lend_options(const RunOptions& options);

// Copies of what the other side shows; checked, as it may come from anywhere.
CaseInput read_case_input(const assay_case* input);
PromptRequest read_prompt(const assay_prompt* prompt);
RunOptions read_options(const assay_run_options* options);
std::vector<std::int32_t> read_ids(assay_ids ids, const char* what);

// A tensor where it lies. `shape` keeps the axes for the view.
TensorView view_of(const assay_tensor& tensor, std::vector<std::size_t>& shape);

// f32 or f64 values, widened.
std::vector<double> read_reals(const assay_tensor& tensor, const char* what);

// "" for null.
std::string text_or_empty(const char* text);

int32_t code_of(StatusCode code);
StatusCode status_code(int32_t code);  // one that is unknown is a fault of the suite's partner

void write_message(const std::string& text, assay_message* message);

}  // namespace assay::conformance
