// SPDX-License-Identifier: Apache-2.0
// For tests: a checkpoint in memory, changed by the steps of golden/tables/loading_forms.json,
// which scripts/golden/loading_forms.py defines.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "reference/family/base/json_object.h"
#include "reference/family/checkpoint/container.h"
#include "reference/family/checkpoint/safetensors_writer.h"

namespace assay {

struct FormTensor {
  DType dtype = DType::kF32;
  std::vector<std::size_t> shape;
  std::vector<std::byte> bytes;
};

class LoadingForm {
 public:
  using Tensors = std::map<std::string, FormTensor>;

  explicit LoadingForm(const std::filesystem::path& base)
      : config_(parse_json_file(base / "config.json", "config.json", kMaxConfigBytes)) {
    for (const auto& entry : std::filesystem::directory_iterator(base)) {
      if (entry.path().extension() == ".safetensors") {
        const Container file = Container::open(entry.path());
        for (const StoredTensor& tensor : file.tensors()) {
          const auto bytes = file.bytes(tensor);
          tensors_[tensor.name] = {tensor.dtype, tensor.shape, {bytes.begin(), bytes.end()}};
        }
      }
    }
  }

  Json& config() { return config_; }
  Tensors& tensors() { return tensors_; }

  void apply(const Json& step) {
    const std::string what = step[0].string();
    if (what == "set" || what == "unset") {
      change_config(step);
    } else if (what == "shards") {
      split(step[1].get<std::size_t>());
    } else if (what == "call") {
      file_ = step[1].string();
      config_["transformers_weights"] = file_;
    } else if (what == "unlist" || what == "list" || what == "twice" || what == "spoil") {
      change_shards(what, step);
    } else {
      change_tensors(what, step);
    }
  }

  void write(const std::filesystem::path& directory) const {
    std::filesystem::create_directories(directory);
    std::ofstream(directory / "config.json") << json_text(config_);
    if (shards_.empty()) {
      write_file(directory / file_, tensors_);
      return;
    }
    Json::Object map;
    for (const auto& [name, file] : index_) {
      map.emplace_back(name, file);
    }
    std::ofstream(directory / "model.safetensors.index.json")
        << json_text(Json::Object{{"weight_map", std::move(map)}});
    for (std::size_t i = 0; i < shards_.size(); ++i) {
      write_file(directory / shard_name(i), shards_[i]);
    }
  }

 private:
  static std::string shard_name(std::size_t i) {
    return "shard-" + std::to_string(i) + ".safetensors";
  }

  static void write_file(const std::filesystem::path& path, const Tensors& tensors) {
    std::vector<StoredTensor> header;
    for (const auto& [name, tensor] : tensors) {
      header.push_back({name, tensor.dtype, tensor.shape});
    }
    SafetensorsWriter writer(path, header);
    for (const auto& [name, tensor] : tensors) {
      writer.append(tensor.bytes);
    }
    writer.finish();
  }

  void change_config(const Json& step) {
    Json* place = &config_;
    const Json& path = step[1];
    for (std::size_t i = 0; i + 1 < path.size(); ++i) {
      place = &(*place)[path[i].string()];
    }
    const std::string& key = path[path.size() - 1].string();
    if (step[0] == "unset") {
      place->erase(key);
    } else {
      (*place)[key] = step[2];
    }
  }

  void split(std::size_t count) {
    shards_.resize(count);
    std::size_t i = 0;
    for (const auto& [name, tensor] : tensors_) {
      shards_[i % count][name] = tensor;
      index_[name] = shard_name(i % count);
      ++i;
    }
  }

  void change_shards(const std::string& what, const Json& step) {
    const std::string& name = step[1].string();
    if (what == "unlist") {
      const auto first = *index_.begin();
      std::erase_if(index_, [&](const auto& entry) { return entry.first.starts_with(name); });
      if (index_.empty()) {
        index_.insert(first);
      }
      return;
    }
    const auto shard = step[2].get<std::size_t>();
    if (what == "list") {
      index_[name] = shard_name(shard);
      return;
    }
    FormTensor& copy = shards_[shard][name] = tensors_.at(name);
    if (what == "spoil") {
      copy.bytes[0] ^= std::byte{1};
    }
  }

  void change_tensors(const std::string& what, const Json& step) {
    const std::string& name = step[1].string();
    if (what == "rename" || what == "drop") {
      Tensors changed;
      for (auto& [old, tensor] : tensors_) {
        const bool begins = old.starts_with(name);
        if (begins && what == "rename") {
          changed[step[2].string() + old.substr(name.size())] = std::move(tensor);
        } else if (!begins) {
          changed[old] = std::move(tensor);
        }
      }
      tensors_ = std::move(changed);
    } else if (what == "copy") {
      tensors_[step[2].string()] = tensors_.at(name);
    } else if (what == "flip") {
      tensors_.at(name).bytes[0] ^= std::byte{1};
    } else if (what == "fill") {
      fill(name, step);
    } else {
      change_matching(what, name, step[2]);
    }
  }

  void fill(const std::string& name, const Json& step) {
    FormTensor tensor{
        *dtype_from_name(step[2].string()), step[3].get<std::vector<std::size_t>>(), {}};
    tensor.bytes.resize(tensor_size(tensor.dtype, tensor.shape, name).bytes);
    tensors_[name] = std::move(tensor);
  }

  void change_matching(const std::string& what, const std::string& part, const Json& value) {
    for (auto& [name, tensor] : tensors_) {
      if (name.find(part) == std::string::npos) {
        continue;
      }
      if (what == "shape") {
        tensor.shape = value.get<std::vector<std::size_t>>();
      } else if (what == "cast" && is_floating(tensor.dtype)) {
        cast(tensor, *dtype_from_name(value.string()));
      }
    }
  }

  static void cast(FormTensor& tensor, DType dtype) {
    const TensorSize size = tensor_size(tensor.dtype, tensor.shape, "");
    std::vector<float> values(size.elements);
    widen(tensor.dtype, tensor.bytes, 0, values.size(), values.data());
    std::vector<std::byte> bytes(size.elements * dtype.info().block_bytes);
    if (dtype.info().from_float != nullptr) {
      narrow(dtype, values, bytes.data());
    } else {
      for (std::size_t i = 0; i < values.size(); ++i) {
        bytes[i] = nearest_byte(dtype, values[i]);
      }
    }
    tensor.dtype = dtype;
    tensor.bytes = std::move(bytes);
  }

  // Of the 256 values the nearest, of two the even code.
  static std::byte nearest_byte(DType dtype, float value) {
    std::byte best{};
    double least = std::numeric_limits<double>::infinity();
    for (int code = 0; code < 256; ++code) {
      const auto byte = static_cast<std::byte>(code);
      double candidate = 0;
      widen(dtype, {&byte, 1}, 0, 1, &candidate);
      const double distance = std::abs(candidate - double(value));
      const bool same_sign = std::signbit(candidate) == std::signbit(value);
      if (same_sign && (distance < least || (distance == least && code % 2 == 0))) {
        least = distance;
        best = byte;
      }
    }
    return best;
  }

  Json config_;
  Tensors tensors_;
  std::string file_ = "model.safetensors";
  std::vector<Tensors> shards_;
  std::map<std::string, std::string> index_;
};

}  // namespace assay
