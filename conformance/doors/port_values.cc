// SPDX-License-Identifier: Apache-2.0
#include "conformance/doors/port_values.h"

#include <limits>
#include <optional>

#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

constexpr uint32_t kMostAxes = 8;
constexpr std::size_t kMostElements = std::size_t{1} << 40;
constexpr std::size_t kMostItems = std::size_t{1} << 20;

std::size_t element_bytes(int32_t dtype, const std::string& what) {
  switch (dtype) {
    case ASSAY_F32:
    case ASSAY_I32:
      return 4;
    case ASSAY_F64:
      return 8;
    case ASSAY_U8:
      return 1;
    default:
      throw Error(what + ": got dtype " + std::to_string(dtype) + ", expected f32, f64, i32 or u8");
  }
}

std::string name_of(const assay_tensor& tensor, const char* otherwise) {
  return tensor.name == nullptr ? otherwise : printable(tensor.name);
}

// The axes, checked, so that their product can be trusted.
std::vector<std::size_t> shape_of(const assay_tensor& tensor, const std::string& what) {
  element_bytes(tensor.dtype, what);
  if (tensor.rank > kMostAxes || (tensor.rank > 0 && tensor.shape == nullptr)) {
    throw Error(what + ": got " + std::to_string(tensor.rank) + " axes" +
                (tensor.rank > kMostAxes ? "" : " without a shape") + ", expected at most " +
                std::to_string(kMostAxes) + " with one");
  }
  std::vector<std::size_t> shape;
  std::size_t elements = 1;
  for (uint32_t axis = 0; axis < tensor.rank; ++axis) {
    const uint64_t extent = tensor.shape[axis];
    if (extent > kMostElements || (extent != 0 && elements > kMostElements / extent)) {
      throw Error(what + ": got an axis of " + std::to_string(extent) +
                  ", expected at most 2^40 elements in all");
    }
    elements *= static_cast<std::size_t>(extent);
    shape.push_back(static_cast<std::size_t>(extent));
  }
  if (elements > 0 && tensor.data == nullptr) {
    throw Error(what + ": got no data, expected " + std::to_string(elements) + " elements");
  }
  return shape;
}

std::size_t product(const std::vector<std::size_t>& shape) {
  std::size_t elements = 1;
  for (const std::size_t extent : shape) {
    elements *= extent;
  }
  return elements;
}

template <class Value>
std::vector<double> widened(const void* data, std::size_t count) {
  const auto* first = static_cast<const Value*>(data);
  return {first, first + count};
}

MediaItem::Array read_array(const assay_tensor* tensor, const std::string& what) {
  if (tensor == nullptr) {
    return {};
  }
  const assay_tensor read = read_struct(tensor, what.c_str());
  MediaItem::Array array{shape_of(read, what), {}};
  const std::size_t count = product(array.shape);
  array.values = read.dtype == ASSAY_F32   ? widened<float>(read.data, count)
                 : read.dtype == ASSAY_F64 ? widened<double>(read.data, count)
                 : read.dtype == ASSAY_I32 ? widened<std::int32_t>(read.data, count)
                                           : widened<std::uint8_t>(read.data, count);
  return array;
}

void read_file(const assay_tensor* tensor, const std::string& what, MediaItem& item) {
  if (tensor == nullptr) {
    return;
  }
  const assay_tensor read = read_struct(tensor, what.c_str());
  const std::size_t count = product(shape_of(read, what));
  if (read.dtype != ASSAY_U8) {
    throw Error(what + ": got another dtype, expected u8");
  }
  const auto* bytes = static_cast<const std::uint8_t*>(read.data);
  item.file.assign(bytes, bytes + count);
}

MediaItem read_item(const assay_media* media, std::size_t number) {
  const std::string what = "media " + std::to_string(number);
  const assay_media read = read_struct(media, what.c_str());
  if (read.kind < ASSAY_IMAGE || read.kind > ASSAY_AUDIO) {
    throw Error(what + ": got kind " + std::to_string(read.kind) +
                ", expected image, frame, video or audio");
  }
  MediaItem item;
  item.kind = static_cast<MediaKind>(read.kind);
  item.name = text_or_empty(read.name);
  item.budget = static_cast<std::size_t>(read.budget);
  item.num_frames = static_cast<std::size_t>(read.num_frames);
  item.frame_rate = read.frame_rate;
  MediaItem::Array soft = read_array(read.soft, what + ": soft");
  if (soft.given()) {
    if (soft.shape.size() != 2) {
      throw Error(what + ": soft: got shape " + shape_string(soft.shape) + ", expected [rows, D]");
    }
    item.rows = soft.shape[0];
    item.width = soft.shape[1];
    item.values = std::move(soft.values);
  }
  read_file(read.file, what + ": file", item);
  item.rgb = read_array(read.rgb, what + ": rgb");
  item.patches = read_array(read.patches, what + ": patches");
  item.positions = read_array(read.positions, what + ": positions");
  item.samples = read_array(read.samples, what + ": samples");
  item.mel = read_array(read.mel, what + ": mel");
  item.mel_mask = read_array(read.mel_mask, what + ": mel_mask");
  item.audio_rows = read_array(read.audio_rows, what + ": audio_rows");
  return item;
}

std::string read_text(assay_text text, const std::string& what) {
  if (text.length > kMostElements || (text.length > 0 && text.bytes == nullptr)) {
    throw Error(what + ": got a text without bytes, expected them");
  }
  return text.length == 0 ? "" : std::string(text.bytes, text.length);
}

TextRequest read_request(const assay_request* request, std::size_t number) {
  const std::string what = "request " + std::to_string(number);
  const assay_request read = read_struct(request, what.c_str());
  switch (read.kind) {
    case ASSAY_TOKENIZE:
      return TokenizeRequest{read_text(read.text, what)};
    case ASSAY_DECODE:
      return DecodeRequest{read_ids(read.ids, what.c_str())};
    case ASSAY_RENDER:
      return RenderRequest{read_text(read.text, what), read.large_template != 0};
    case ASSAY_PARSE:
      return ParseRequest{read_ids(read.ids, what.c_str()), read.in_thought != 0,
                          read_text(read.tools, what)};
    case ASSAY_STOP:
      return StopRequest{read_ids(read.ids, what.c_str())};
    default:
      throw Error(what + ": got kind " + std::to_string(read.kind) +
                  ", expected tokenize, decode, render, parse or stop");
  }
}

// A list of pointers of the other side.
template <class Item, class Read>
auto read_list(const Item* const* items, std::size_t count, const char* what, const Read& read) {
  std::vector<decltype(read(items[0], std::size_t{0}))> list;
  if (count > kMostItems || (count > 0 && items == nullptr)) {
    throw Error(std::string(what) + ": got " + std::to_string(count) +
                " entries, expected a list of them");
  }
  for (std::size_t k = 0; k < count; ++k) {
    list.push_back(read(items[k], k));
  }
  return list;
}

struct RequestLender {
  assay_request operator()(const TokenizeRequest& request) const {
    return {sizeof(assay_request), ASSAY_TOKENIZE, 0, 0, text(request.text), {}, {}};
  }
  assay_request operator()(const DecodeRequest& request) const {
    return {sizeof(assay_request), ASSAY_DECODE, 0, 0, {}, lend_ids(request.ids), {}};
  }
  assay_request operator()(const RenderRequest& request) const {
    const int32_t large = request.large ? 1 : 0;
    return {sizeof(assay_request), ASSAY_RENDER, large, 0, text(request.chat), {}, {}};
  }
  assay_request operator()(const ParseRequest& request) const {
    const int32_t open = request.in_thought ? 1 : 0;
    return {sizeof(assay_request), ASSAY_PARSE,        0, open, {},
            lend_ids(request.ids), text(request.tools)};
  }
  assay_request operator()(const StopRequest& request) const {
    return {sizeof(assay_request), ASSAY_STOP, 0, 0, {}, lend_ids(request.ids), {}};
  }
  static assay_text text(const std::string& text) { return {text.data(), text.size()}; }
};

[[noreturn]] void refuse_struct(const char* what, const std::string& got) {
  throw Error(std::string(what) + ": got " + got + ", expected a struct that begins with its size");
}

}  // namespace

void refuse_null(const char* what) {
  refuse_struct(what, "null");
}

void check_size(std::size_t size, const char* what) {
  if (size < sizeof(std::size_t)) {
    refuse_struct(what, "a size of " + std::to_string(size));
  }
}

const assay_tensor* Lender::tensor(int32_t dtype, std::vector<uint64_t> shape, const void* data) {
  shapes_.push_back(std::move(shape));
  const auto rank = static_cast<uint32_t>(shapes_.back().size());
  tensors_.push_back(
      {sizeof(assay_tensor), nullptr, dtype, rank, shapes_.back().data(), data, nullptr});
  return &tensors_.back();
}

const assay_tensor* Lender::lend(const MediaItem::Array& array) {
  return array.given()
             ? tensor(ASSAY_F64, {array.shape.begin(), array.shape.end()}, array.values.data())
             : nullptr;
}

const assay_media* Lender::lend(const MediaItem& item) {
  assay_media media{};
  media.size = sizeof(media);
  media.kind = static_cast<int32_t>(item.kind);
  media.name = item.name.c_str();
  media.budget = item.budget;
  media.num_frames = item.num_frames;
  media.frame_rate = item.frame_rate;
  if (!item.values.empty()) {
    media.soft = tensor(ASSAY_F64, {item.rows, item.width}, item.values.data());
  }
  if (!item.file.empty()) {
    media.file = tensor(ASSAY_U8, {item.file.size()}, item.file.data());
  }
  media.rgb = lend(item.rgb);
  media.patches = lend(item.patches);
  media.positions = lend(item.positions);
  media.samples = lend(item.samples);
  media.mel = lend(item.mel);
  media.mel_mask = lend(item.mel_mask);
  media.audio_rows = lend(item.audio_rows);
  media_.push_back(media);
  return &media_.back();
}

void Lender::lend(const std::vector<MediaItem>& items, const assay_media* const*& media,
                  std::size_t& count) {
  std::vector<const assay_media*> list;
  for (const MediaItem& item : items) {
    list.push_back(lend(item));
  }
  media_lists_.push_back(std::move(list));
  media = media_lists_.back().data();
  count = items.size();
}

const assay_request* Lender::lend(const TextRequest& request) {
  requests_.push_back(std::visit(RequestLender{}, request));
  return &requests_.back();
}

const assay_case& Lender::lend(const CaseInput& input) {
  assay_case lent{};
  lent.size = sizeof(lent);
  lent.ids = lend_ids(input.ids);
  lent.token_types = lend_ids(input.token_types);
  lent.positions = lend_ids(input.positions);
  lent.valid = lend_ids(input.valid);
  lend(input.media, lent.media, lent.num_media);
  if (input.draft) {
    drafts_.push_back({sizeof(assay_draft), input.draft->token,
                       input.draft->standard_window ? 1 : 0, input.draft->steps});
    lent.draft = &drafts_.back();
  }
  std::vector<const assay_request*> list;
  for (const TextRequest& request : input.requests) {
    list.push_back(lend(request));
  }
  request_lists_.push_back(std::move(list));
  lent.requests = request_lists_.back().data();
  lent.num_requests = input.requests.size();
  cases_.push_back(lent);
  return cases_.back();
}

const assay_prompt& Lender::lend(const PromptRequest& prompt) {
  assay_prompt lent{};
  lent.size = sizeof(lent);
  lent.ids = lend_ids(prompt.ids);
  lend(prompt.media, lent.media, lent.num_media);
  lent.stamp_ids = lend_ids(prompt.stamp_ids);
  prompts_.push_back(lent);
  return prompts_.back();
}

const assay_tensor& Lender::lend(const TensorView& view) {
  names_.emplace_back(view.name);
  const int32_t dtype = view.dtype == TensorDtype::kF32   ? ASSAY_F32
                        : view.dtype == TensorDtype::kF64 ? ASSAY_F64
                                                          : ASSAY_I32;
  tensor(dtype, {view.shape.begin(), view.shape.end()}, view.data);
  tensors_.back().name = names_.back().c_str();
  tensors_.back().forced = view.forced;
  return tensors_.back();
}

assay_ids lend_ids(const std::vector<std::int32_t>& ids) {
  return {ids.data(), ids.size()};
}

assay_run_options lend_options(const RunOptions& options) {
  return {sizeof(assay_run_options),     options.prefill_chunk,
          options.rounding.bf16_scales,  options.rounding.fp32_rope_angles,
          options.rounding.bf16_weights, options.profile.c_str()};
}

std::vector<std::int32_t> read_ids(assay_ids ids, const char* what) {
  if (ids.count > kMostElements || (ids.count > 0 && ids.values == nullptr)) {
    throw Error(std::string(what) + ": got " + std::to_string(ids.count) +
                " ids without values, expected them");
  }
  return ids.count == 0 ? std::vector<std::int32_t>{}
                        : std::vector<std::int32_t>(ids.values, ids.values + ids.count);
}

CaseInput read_case_input(const assay_case* input) {
  const assay_case read = read_struct(input, "case");
  CaseInput result;
  result.ids = read_ids(read.ids, "ids");
  result.token_types = read_ids(read.token_types, "token_types");
  result.positions = read_ids(read.positions, "positions");
  result.valid = read_ids(read.valid, "valid");
  result.media = read_list(read.media, read.num_media, "media", read_item);
  if (read.draft != nullptr) {
    const assay_draft draft = read_struct(read.draft, "draft");
    result.draft = DraftRequest{draft.token, static_cast<std::size_t>(draft.steps),
                                draft.standard_window != 0};
  }
  result.requests = read_list(read.requests, read.num_requests, "requests", read_request);
  return result;
}

PromptRequest read_prompt(const assay_prompt* prompt) {
  const assay_prompt read = read_struct(prompt, "prompt");
  PromptRequest result;
  result.ids = read_ids(read.ids, "prompt");
  result.media = read_list(read.media, read.num_media, "media", read_item);
  result.stamp_ids = read_ids(read.stamp_ids, "stamp_ids");
  return result;
}

RunOptions read_options(const assay_run_options* options) {
  const assay_run_options read = read_struct(options, "run options");
  RunOptions result;
  result.prefill_chunk = static_cast<std::size_t>(read.prefill_chunk);
  result.rounding = {read.bf16_scales != 0, read.fp32_rope_angles != 0, read.bf16_weights != 0};
  if (read.profile != nullptr) {
    result.profile = read.profile;
  }
  return result;
}

TensorView view_of(const assay_tensor& tensor, std::vector<std::size_t>& shape) {
  const std::string name = name_of(tensor, "a tap without a name");
  if (tensor.name == nullptr) {
    throw Error("tap: got no name, expected one");
  }
  shape = shape_of(tensor, name);
  if (tensor.dtype == ASSAY_U8) {
    throw Error(name + ": got dtype u8, expected f32, f64 or i32");
  }
  const TensorDtype dtype = tensor.dtype == ASSAY_F32   ? TensorDtype::kF32
                            : tensor.dtype == ASSAY_F64 ? TensorDtype::kF64
                                                        : TensorDtype::kI32;
  return {tensor.name, dtype, shape, tensor.data, tensor.forced};
}

std::vector<double> read_reals(const assay_tensor& tensor, const char* what) {
  const std::size_t count = product(shape_of(tensor, what));
  if (tensor.dtype != ASSAY_F32 && tensor.dtype != ASSAY_F64) {
    throw Error(std::string(what) + ": got another dtype, expected f32 or f64");
  }
  return tensor.dtype == ASSAY_F32 ? widened<float>(tensor.data, count)
                                   : widened<double>(tensor.data, count);
}

std::string text_or_empty(const char* text) {
  return text == nullptr ? "" : text;
}

int32_t code_of(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return ASSAY_OK;
    case StatusCode::kNotSupported:
      return ASSAY_NOT_SUPPORTED;
    case StatusCode::kBadInput:
      return ASSAY_BAD_INPUT;
    case StatusCode::kResourceError:
      return ASSAY_RESOURCE_ERROR;
    case StatusCode::kHarnessError:
      break;
  }
  return ASSAY_INTERNAL_ERROR;
}

StatusCode status_code(int32_t code) {
  switch (code) {
    case ASSAY_OK:
      return StatusCode::kOk;
    case ASSAY_NOT_SUPPORTED:
      return StatusCode::kNotSupported;
    case ASSAY_BAD_INPUT:
      return StatusCode::kBadInput;
    case ASSAY_RESOURCE_ERROR:
      return StatusCode::kResourceError;
    default:
      return StatusCode::kHarnessError;
  }
}

void write_message(const std::string& text, assay_message* message) {
  if (message == nullptr || message->text == nullptr || message->capacity == 0) {
    return;
  }
  const std::size_t length = std::min(text.size(), message->capacity - 1);
  std::memcpy(message->text, text.data(), length);
  message->text[length] = '\0';
}

}  // namespace assay::conformance
