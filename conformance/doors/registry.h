// SPDX-License-Identifier: Apache-2.0
// The implementations that can be judged, by name.
//
// A door registers its entry when the program starts (a `const bool` of its file initialised by
// register_implementation), a test whenever it likes. `verify`, `dump`, `run`, calibration and the
// judges know implementations by this registry alone.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "conformance/interface/implementation.h"
#include "conformance/interface/session.h"

namespace assay::conformance {

struct ImplementationEntry {
  using Make = std::function<std::unique_ptr<Implementation>(const std::string& precision)>;
  // May throw: a checkpoint that cannot be used is an assay::Error.
  using MakeSession = std::function<std::unique_ptr<Session>(const std::string& precision,
                                                             const SessionRequest& request)>;

  std::string name;                     // as --impl takes it
  std::vector<std::string> precisions;  // classes it computes in; the first where none is named
  Make make;                            // nothing is loaded yet
  MakeSession make_session = {};        // empty: it answers no prompts
  std::function<void(int)> use_threads = {};  // of its matrix products; may be empty
  // Holds it to an instruction set and those below, in everything that is made from now on. Throws
  // Error for a name that this machine has not, naming those that it has. Empty: there is nothing
  // to choose.
  std::function<void(const std::string& target)> use_target = {};
  // Those of its classes that a checkpoint can tell apart; the others compute the same there and
  // are judged only when asked for. Empty: all of them differ.
  std::function<std::vector<std::string>(const std::string& checkpoint)> distinct_precisions = {};
  // Why nothing of it runs on this machine; "" where it does. Empty: it always does.
  std::function<std::string()> unavailable = {};
  // Its f64 build is the judge of replay and, with its f32 build, measures floors. The judge is not
  // judged by itself: replay of an oracle's runs is done only when asked for.
  bool is_oracle = false;
};

// Throws Error when the name is taken or the entry lacks a name, a class or a factory. Returns
// true.
bool register_implementation(ImplementationEntry entry);

// By name; references stay valid.
const std::map<std::string, ImplementationEntry>& registered_implementations();

// Null: no such name.
const ImplementationEntry* find_implementation(const std::string& name);

// The entry that judges. Throws Error when none was built.
const ImplementationEntry& oracle_entry();

// "cpu, cuda, reference": the names that --impl takes.
std::string implementation_names();

// "f32 or f64": the classes of an entry.
std::string precision_names(const ImplementationEntry& entry);

}  // namespace assay::conformance
