// SPDX-License-Identifier: Apache-2.0
// A C port as an implementation of the registry.
#include "conformance/doors/port_abi.h"

#include <array>
#include <utility>

#include "conformance/compare/harness.h"
#include "conformance/doors/port_values.h"
#include "conformance/doors/status_of.h"
#include "reference/family/base/error.h"

namespace assay::conformance {
namespace {

constexpr std::size_t kMessageBytes = 4096;

// A table and who made it: the table as far as its version goes.
struct Port {
  const assay_port* made;
  assay_port table;
};

// Calls the other side; its code and its line become a status.
Status call(const std::function<int32_t(assay_message*)>& work) {
  std::array<char, kMessageBytes> text{};
  assay_message message{text.data(), text.size()};
  const StatusCode code = status_code(work(&message));
  text.back() = '\0';
  return {code, code == StatusCode::kOk ? "" : text.data()};
}

// What the port says to the suite's listener. Nothing that goes wrong here may reach its frames.
class Hearing {
 public:
  explicit Hearing(TapListener& listener) : listener_(listener) {}

  assay_listener lent() { return {sizeof(assay_listener), this, wants, on_tap}; }

  // Of a run that is over: the port's own status, or what it showed that is no tap.
  Status judged(Status status) const {
    return status.ok() && !fault_.ok() ? fault_ : std::move(status);
  }

 private:
  void guarded(const std::function<void()>& work) {
    if (Status status = status_of(work); !status.ok() && fault_.ok()) {
      fault_ = std::move(status);
    }
  }

  static int32_t wants(void* context, const char* tap) {
    auto& self = *static_cast<Hearing*>(context);
    bool wanted = false;
    self.guarded([&] { wanted = self.listener_.wants(text_or_empty(tap)); });
    return wanted ? 1 : 0;
  }

  static void on_tap(void* context, const assay_tensor* tap) {
    auto& self = *static_cast<Hearing*>(context);
    self.guarded([&] {
      const assay_tensor tensor = read_struct(tap, "tap");
      std::vector<std::size_t> shape;
      self.listener_.on_tap(view_of(tensor, shape));
    });
  }

  TapListener& listener_;
  Status fault_;
};

class PortImplementation : public Implementation {
 public:
  PortImplementation(std::shared_ptr<const Port> port, const std::string& precision)
      : port_(std::move(port)) {
    require_ok(call([&](assay_message* message) {
                 return port_->table.create(port_->made, precision.c_str(), &instance_, message);
               }),
               "", port_->table.name);
  }
  PortImplementation(const PortImplementation&) = delete;
  PortImplementation& operator=(const PortImplementation&) = delete;
  ~PortImplementation() override { port_->table.destroy(instance_); }

  Capabilities capabilities() const override {
    assay_capabilities can{};
    can.size = sizeof(can);
    port_->table.capabilities(instance_, &can);
    Capabilities read{text_or_empty(can.name), text_or_empty(can.precision), can.forced_taps != 0,
                      can.chunked_prefill != 0, can.drafting != 0};
    if (port_->table.shows != nullptr) {
      read.shows = [this](const std::string& tap) {
        return port_->table.shows(instance_, tap.c_str()) != 0;
      };
    }
    return read;
  }

  Status load(const std::string& checkpoint, const std::string& drafter) override {
    return call([&](assay_message* message) {
      return port_->table.load(instance_, checkpoint.c_str(), drafter.c_str(), message);
    });
  }

  Status run(const CaseInput& input, const RunOptions& options, TapListener& taps) override {
    Status status;
    const Status lending = status_of([&] {
      Lender lender;
      const assay_case& lent = lender.lend(input);
      const assay_run_options how = lend_options(options);
      Hearing hearing(taps);
      const assay_listener listener = hearing.lent();
      status = hearing.judged(call([&](assay_message* message) {
        return port_->table.run(instance_, &lent, &how, &listener, message);
      }));
    });
    return lending.ok() ? status : lending;
  }

 private:
  std::shared_ptr<const Port> port_;
  assay_instance* instance_ = nullptr;
};

assay_tensor empty_tensor() {
  assay_tensor tensor{};
  tensor.size = sizeof(tensor);
  return tensor;
}

Logits read_logits(const assay_tensor& tensor) {
  const assay_tensor read = read_struct(&tensor, "logits");
  Logits logits{0, read_reals(read, "logits")};
  if (read.rank != 2) {
    throw Error("logits: got " + std::to_string(read.rank) + " axes, expected [rows, vocabulary]");
  }
  logits.rows = static_cast<std::size_t>(read.shape[0]);
  return logits;
}

class PortSession : public Session {
 public:
  PortSession(std::shared_ptr<const Port> port, const std::string& precision,
              const SessionRequest& request)
      : port_(std::move(port)) {
    const assay_session_options options{sizeof(assay_session_options), precision.c_str(),
                                        request.checkpoint.c_str(),    request.drafter.c_str(),
                                        request.draft_steps,           request.profile.c_str()};
    require_ok(call([&](assay_message* message) {
                 return port_->table.open_session(port_->made, &options, &session_, message);
               }),
               "", port_->table.name);
  }
  PortSession(const PortSession&) = delete;
  PortSession& operator=(const PortSession&) = delete;
  ~PortSession() override { port_->table.close_session(session_); }

  Status begin(const PromptRequest& prompt, std::vector<std::int32_t>& expanded,
               Logits& last) override {
    return answer([&](assay_message* message) {
      Lender lender;
      assay_ids ids{};
      assay_tensor row = empty_tensor();
      const int32_t code = port_->table.begin(session_, &lender.lend(prompt), &ids, &row, message);
      if (code == ASSAY_OK) {
        expanded = read_ids(ids, "expanded");
        last = read_logits(row);
      }
      return code;
    });
  }

  Status extend(const std::vector<std::int32_t>& tokens, Logits& rows) override {
    return answer([&](assay_message* message) {
      assay_tensor tensor = empty_tensor();
      const int32_t code = port_->table.extend(session_, lend_ids(tokens), &tensor, message);
      if (code == ASSAY_OK) {
        rows = read_logits(tensor);
      }
      return code;
    });
  }

  Status take_back(std::size_t count) override {
    if (port_->table.take_back == nullptr) {
      return {StatusCode::kNotSupported, "take_back: the port has no such call"};
    }
    return answer(
        [&](assay_message* message) { return port_->table.take_back(session_, count, message); });
  }

  Status draft(std::int32_t token, std::size_t steps, std::vector<std::int32_t>& drafted) override {
    if (port_->table.draft == nullptr) {
      return {StatusCode::kNotSupported, "draft: the port has no such call"};
    }
    return answer([&](assay_message* message) {
      assay_ids ids{};
      const int32_t code = port_->table.draft(session_, token, steps, &ids, message);
      if (code == ASSAY_OK) {
        drafted = read_ids(ids, "drafted");
      }
      return code;
    });
  }

  std::size_t length() const override {
    return static_cast<std::size_t>(port_->table.length(session_));
  }

 private:
  // A call and the reading of what it hands out.
  static Status answer(const std::function<int32_t(assay_message*)>& work) {
    Status status;
    const Status reading = status_of([&] { status = call(work); });
    return reading.ok() ? status : reading;
  }

  std::shared_ptr<const Port> port_;
  assay_session* session_ = nullptr;
};

bool is_complete(const assay_port& table) {
  return table.name != nullptr && table.num_precisions > 0 && table.precisions != nullptr &&
         table.create != nullptr && table.destroy != nullptr && table.capabilities != nullptr &&
         table.load != nullptr && table.run != nullptr;
}

bool answers_prompts(const assay_port& table) {
  return table.open_session != nullptr && table.close_session != nullptr &&
         table.begin != nullptr && table.extend != nullptr && table.length != nullptr;
}

}  // namespace

ImplementationEntry entry_of_port(const assay_port& port) {
  const auto shared = std::make_shared<const Port>(Port{&port, read_struct(&port, "port")});
  const assay_port& table = shared->table;
  const std::string name = printable(text_or_empty(table.name));
  if (table.abi_version != ASSAY_PORT_ABI_VERSION) {
    throw Error("port '" + name + "': got ABI version " + std::to_string(table.abi_version) +
                ", expected " + std::to_string(ASSAY_PORT_ABI_VERSION));
  }
  if (!is_complete(table)) {
    throw Error("port '" + name +
                "': got an incomplete table, expected a name, a precision class, create, destroy, "
                "capabilities, load and run");
  }
  ImplementationEntry entry;
  entry.name = table.name;
  for (uint32_t i = 0; i < table.num_precisions; ++i) {
    entry.precisions.push_back(text_or_empty(table.precisions[i]));
  }
  entry.make = [shared](const std::string& precision) {
    return std::make_unique<PortImplementation>(shared, precision);
  };
  if (answers_prompts(table)) {
    entry.make_session = [shared](const std::string& precision, const SessionRequest& request) {
      return std::make_unique<PortSession>(shared, precision, request);
    };
  }
  if (table.use_threads != nullptr) {
    entry.use_threads = [shared](int threads) { shared->table.use_threads(shared->made, threads); };
  }
  return entry;
}

}  // namespace assay::conformance
