// SPDX-License-Identifier: Apache-2.0
// For tests: a port in C99 that knows nothing of the suite but the ABI. Its model doubles the ids,
// adds one, and says which token is next.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/interface/assay_port.h"

struct assay_instance {
  int loaded;
};

static int32_t fail(int32_t code, const char* line, assay_message* message) {
  if (message != NULL && message->capacity > 0) {
    snprintf(message->text, message->capacity, "%s", line);
  }
  return code;
}

static int32_t create(const assay_port* port, const char* precision, assay_instance** instance,
                      assay_message* message) {
  (void)port;
  if (strcmp(precision, "f32") != 0) {
    return fail(ASSAY_NOT_SUPPORTED, "precision: got another, expected f32", message);
  }
  *instance = calloc(1, sizeof(struct assay_instance));
  return *instance == NULL ? fail(ASSAY_RESOURCE_ERROR, "out of memory", message) : ASSAY_OK;
}

static void destroy(assay_instance* instance) {
  free(instance);
}

static void capabilities(assay_instance* instance, assay_capabilities* can) {
  (void)instance;
  can->name = "c-port";
  can->precision = "f32";
  can->forced_taps = 1;
}

static int32_t load(assay_instance* instance, const char* checkpoint, const char* drafter,
                    assay_message* message) {
  (void)drafter;
  if (strcmp(checkpoint, "nowhere") == 0) {
    return fail(ASSAY_BAD_INPUT, "nowhere: got no folder, expected a checkpoint", message);
  }
  instance->loaded = 1;
  return ASSAY_OK;
}

static void tell(const assay_listener* listener, const char* name, size_t count, float* values) {
  uint64_t shape[1];
  assay_tensor tensor;
  if (!listener->wants(listener->context, name)) {
    return;
  }
  shape[0] = count;
  memset(&tensor, 0, sizeof(tensor));
  tensor.size = sizeof(tensor);
  tensor.name = name;
  tensor.dtype = ASSAY_F32;
  tensor.rank = 1;
  tensor.shape = shape;
  tensor.data = values;
  tensor.forced = values;
  listener->on_tap(listener->context, &tensor);
}

static int32_t run(assay_instance* instance, const assay_case* input,
                   const assay_run_options* options, const assay_listener* listener,
                   assay_message* message) {
  size_t t;
  size_t tokens = input->ids.count;
  float* values;
  (void)options;
  if (!instance->loaded) {
    return fail(ASSAY_INTERNAL_ERROR, "no checkpoint was loaded", message);
  }
  if (input->num_media > 0 || input->num_requests > 0 || tokens == 0) {
    return fail(ASSAY_NOT_SUPPORTED, "case: got media or requests, expected text", message);
  }
  values = malloc(tokens * sizeof(*values));
  if (values == NULL) {
    return fail(ASSAY_RESOURCE_ERROR, "out of memory", message);
  }
  for (t = 0; t < tokens; ++t) {
    values[t] = 2.0f * (float)input->ids.values[t];
  }
  tell(listener, "text.embed", tokens, values);
  for (t = 0; t < tokens; ++t) {
    values[t] += 1.0f;
  }
  tell(listener, "text.logits", tokens, values);
  free(values);
  return ASSAY_OK;
}

const assay_port* c_port(uint32_t abi_version) {
  static const char* const precisions[] = {"f32"};
  static assay_port port;
  if (abi_version != ASSAY_PORT_ABI_VERSION) {
    return NULL;
  }
  port.size = sizeof(port);
  port.abi_version = ASSAY_PORT_ABI_VERSION;
  port.name = "c-port";
  port.num_precisions = 1;
  port.precisions = precisions;
  port.create = create;
  port.destroy = destroy;
  port.capabilities = capabilities;
  port.load = load;
  port.run = run;
  return &port;
}
