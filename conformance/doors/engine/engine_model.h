// SPDX-License-Identifier: Apache-2.0
// A model from its files, for the engines of optimized/: what their adapters and sessions share.
//
// An engine is described by a type `Kind`:
//
//   Runner, Options, Model, Engine, MediaEncoder, KvCache, Drafter, ForwardResult
//   kName                          as the registry has it
//   kTitle                         in sentences
//   make_runner()                  threads, or a device's stream
//   options_of(precision)
//   executed_on()                  "": on the machine that runs the suite
//   values<Number>(engine, rows)   rows of a result, one after the other
//   last_row(engine, rows)         floats
#pragma once

#include <optional>
#include <string>

#include "reference/family/base/error.h"
#include "reference/family/checkpoint/checkpoint.h"
#include "reference/family/config/drafter_target.h"

namespace assay::conformance {

inline Checkpoint open_target(const std::string& path) {
  Checkpoint checkpoint = Checkpoint::open(path);
  if (checkpoint.config().drafter) {
    throw Error(path + ": got a drafter, expected the target model");
  }
  return checkpoint;
}

// A model and what it needs to run, with a drafter or without; not to be moved.
template <class Kind>
struct EngineModel {
  EngineModel(const std::string& path, const std::string& drafter_path,
              const typename Kind::Options& options)
      : runner(Kind::make_runner()),
        checkpoint(open_target(path)),
        model(checkpoint, runner),
        engine(model, options, runner),
        media(checkpoint, runner) {
    if (!drafter_path.empty()) {
      drafter_checkpoint.emplace(Checkpoint::open(drafter_path));
      check_drafter_fits(drafter_checkpoint->config(), drafter_checkpoint->path().string(),
                         model.config());
      drafter.emplace(*drafter_checkpoint, runner);
    }
  }

  typename Kind::Runner runner;
  Checkpoint checkpoint;
  typename Kind::Model model;
  typename Kind::Engine engine;
  typename Kind::MediaEncoder media;
  std::optional<Checkpoint> drafter_checkpoint;
  std::optional<typename Kind::Model> drafter;
};

}  // namespace assay::conformance
