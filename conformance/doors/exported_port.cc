// SPDX-License-Identifier: Apache-2.0
// An implementation of the registry as a C port.
#include <array>
#include <utility>

#include "conformance/doors/port_abi.h"
#include "conformance/doors/port_values.h"
#include "conformance/doors/status_of.h"
#include "reference/family/base/error.h"

namespace assay::conformance {

struct ExportedPort::Impl {
  ImplementationEntry entry;
  std::vector<const char*> precisions;
  assay_port table{};
};

namespace {

struct Instance {
  std::unique_ptr<Implementation> implementation;
  Capabilities can;
};

// What a session handed out last.
struct OpenSession {
  std::unique_ptr<Session> session;
  std::vector<std::int32_t> ids;
  Logits logits;
  std::array<uint64_t, 2> shape{};
};

// The C side sees these two under names of its own, and never looks inside.
// NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast)
assay_instance* handle(Instance* instance) {
  return reinterpret_cast<assay_instance*>(instance);
}
Instance& from(assay_instance* handle) {
  return *reinterpret_cast<Instance*>(handle);
}
assay_session* handle(OpenSession* session) {
  return reinterpret_cast<assay_session*>(session);
}
OpenSession& from(assay_session* handle) {
  return *reinterpret_cast<OpenSession*>(handle);
}
// NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)

const ImplementationEntry& entry_of(const assay_port* port) {
  return static_cast<const ExportedPort::Impl*>(port->context)->entry;
}

int32_t answer(assay_message* message, const std::function<Status()>& work) {
  Status status;
  if (Status thrown = status_of([&] { status = work(); }); !thrown.ok()) {
    status = std::move(thrown);
  }
  if (!status.ok()) {
    write_message(status.message, message);
  }
  return code_of(status.code);
}

class Listener : public TapListener {
 public:
  explicit Listener(const assay_listener& listener) : listener_(listener) {}
  bool wants(const std::string& name) const override {
    return listener_.wants(listener_.context, name.c_str()) != 0;
  }
  void on_tap(const TensorView& tap) override {
    Lender lender;
    listener_.on_tap(listener_.context, &lender.lend(tap));
  }

 private:
  const assay_listener& listener_;
};

int32_t create(const assay_port* port, const char* precision, assay_instance** instance,
               assay_message* message) {
  return answer(message, [&]() -> Status {
    auto made = std::make_unique<Instance>();
    made->implementation = entry_of(port).make(text_or_empty(precision));
    made->can = made->implementation->capabilities();
    *instance = handle(made.release());
    return {};
  });
}

void destroy(assay_instance* instance) {
  delete &from(instance);
}

void capabilities(assay_instance* instance, assay_capabilities* to) {
  const Capabilities& can = from(instance).can;
  answer(nullptr, [&]() -> Status {
    write_struct({sizeof(assay_capabilities), can.name.c_str(), can.precision.c_str(),
                  can.forced_taps, can.chunked_prefill, can.drafting},
                 to, "capabilities");
    return {};
  });
}

int32_t load(assay_instance* instance, const char* checkpoint, const char* drafter,
             assay_message* message) {
  return answer(message, [&] {
    return from(instance).implementation->load(text_or_empty(checkpoint), text_or_empty(drafter));
  });
}

int32_t run(assay_instance* instance, const assay_case* input, const assay_run_options* options,
            const assay_listener* listener, assay_message* message) {
  return answer(message, [&] {
    const CaseInput question = read_case_input(input);
    const RunOptions how = read_options(options);
    const assay_listener told = read_struct(listener, "listener");
    if (told.wants == nullptr || told.on_tap == nullptr) {
      throw Error("listener: got none of its calls, expected wants and on_tap");
    }
    Listener taps(told);
    return from(instance).implementation->run(question, how, taps);
  });
}

int32_t open_session(const assay_port* port, const assay_session_options* options,
                     assay_session** session, assay_message* message) {
  return answer(message, [&]() -> Status {
    const assay_session_options read = read_struct(options, "session options");
    SessionRequest request;
    request.checkpoint = text_or_empty(read.checkpoint);
    request.drafter = text_or_empty(read.drafter);
    request.draft_steps = static_cast<std::size_t>(read.draft_steps);
    request.profile = read.profile == nullptr ? request.profile : read.profile;
    auto made = std::make_unique<OpenSession>();
    made->session = entry_of(port).make_session(text_or_empty(read.precision), request);
    *session = handle(made.release());
    return {};
  });
}

void close_session(assay_session* session) {
  delete &from(session);
}

void hand_out_logits(OpenSession& open, assay_tensor* to) {
  open.shape = {open.logits.rows, open.logits.vocabulary()};
  write_struct({sizeof(assay_tensor), nullptr, ASSAY_F64, 2, open.shape.data(),
                open.logits.values.data(), nullptr},
               to, "logits");
}

int32_t begin(assay_session* session, const assay_prompt* prompt, assay_ids* expanded,
              assay_tensor* last, assay_message* message) {
  return answer(message, [&] {
    OpenSession& open = from(session);
    Status status = open.session->begin(read_prompt(prompt), open.ids, open.logits);
    if (status.ok()) {
      *expanded = lend_ids(open.ids);
      hand_out_logits(open, last);
    }
    return status;
  });
}

int32_t extend(assay_session* session, assay_ids tokens, assay_tensor* rows,
               assay_message* message) {
  return answer(message, [&] {
    OpenSession& open = from(session);
    Status status = open.session->extend(read_ids(tokens, "tokens"), open.logits);
    if (status.ok()) {
      hand_out_logits(open, rows);
    }
    return status;
  });
}

int32_t take_back(assay_session* session, uint64_t count, assay_message* message) {
  return answer(message,
                [&] { return from(session).session->take_back(static_cast<std::size_t>(count)); });
}

int32_t draft(assay_session* session, int32_t token, uint64_t steps, assay_ids* drafted,
              assay_message* message) {
  return answer(message, [&] {
    OpenSession& open = from(session);
    Status status = open.session->draft(token, static_cast<std::size_t>(steps), open.ids);
    if (status.ok()) {
      *drafted = lend_ids(open.ids);
    }
    return status;
  });
}

uint64_t length(assay_session* session) {
  return from(session).session->length();
}

void use_threads(const assay_port* port, int32_t threads) {
  entry_of(port).use_threads(threads);
}

int32_t shows(assay_instance* instance, const char* tap) {
  bool shown = true;
  answer(nullptr, [&]() -> Status {
    shown = !from(instance).can.never_shows(text_or_empty(tap));
    return {};
  });
  return shown ? 1 : 0;
}

}  // namespace

ExportedPort::ExportedPort(ImplementationEntry entry) : impl_(std::make_unique<Impl>()) {
  impl_->entry = std::move(entry);
  for (const std::string& precision : impl_->entry.precisions) {
    impl_->precisions.push_back(precision.c_str());
  }
  assay_port& table = impl_->table;
  table.size = sizeof(table);
  table.abi_version = ASSAY_PORT_ABI_VERSION;
  table.num_precisions = static_cast<uint32_t>(impl_->precisions.size());
  table.name = impl_->entry.name.c_str();
  table.precisions = impl_->precisions.data();
  table.context = impl_.get();
  table.create = create;
  table.destroy = destroy;
  table.capabilities = capabilities;
  table.load = load;
  table.run = run;
  table.shows = shows;
  if (impl_->entry.make_session) {
    table.open_session = open_session;
    table.close_session = close_session;
    table.begin = begin;
    table.extend = extend;
    table.take_back = take_back;
    table.draft = draft;
    table.length = length;
  }
  if (impl_->entry.use_threads) {
    table.use_threads = use_threads;
  }
}

ExportedPort::~ExportedPort() = default;

const assay_port& ExportedPort::port() const {
  return impl_->table;
}

}  // namespace assay::conformance
