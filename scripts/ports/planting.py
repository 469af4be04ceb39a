# SPDX-License-Identifier: Apache-2.0
"""What a planted bug is, and the tools to patch a transformers model with one.

Each bug says where it must be named: the first tap of a typical dump (no scores, no rotated
tensors, no per-layer input) that its own parents do not explain.
"""

from dataclasses import dataclass
from typing import Callable

SIZES = ["e2b", "e4b", "12b", "26b", "31b"]
PLE, EQUAL, MOE = ["e2b", "e4b"], ["12b", "26b", "31b"], ["26b"]


@dataclass
class Bug:
    name: str
    mistake: str
    tap: str  # kind; layer-level kinds go with a layer set
    layers: str  # "" for a model-level tap, else a name that layer_set knows
    sizes: list
    needs: str  # what the case must have: "", "long" (T > W), "vision", "media"
    apply: Callable
    omit: tuple = ()  # taps that a port with this mistake does not have

    def plant(self, loaded):
        """Patch the model; returns the undo for what outlives the model."""
        return self.apply(loaded) or (lambda: None)

    def expected(self, loaded):
        """The exact tap names that must be blamed on this model."""
        if not self.layers:
            return [self.tap]
        return [f"text.layer.{i}.{self.tap}" for i in layer_set(self.layers, loaded)]


BUGS = {}


def bug(tap, layers="", sizes=None, needs="", omit=()):
    """Register a function as the bug of its name; its docstring is the mistake."""

    def register(apply):
        entry = Bug(apply.__name__, apply.__doc__, tap, layers, sizes or SIZES, needs, apply, omit)
        BUGS[entry.name] = entry
        return apply

    return register


def has_blocks(loaded):
    return loaded.config.use_bidirectional_attention == "vision"


def size_of(loaded):
    """Which of the five topologies a config has (31b and 12b differ only in size and class)."""
    config = loaded.config
    if getattr(config, "enable_moe_block", False):
        return "26b"
    if getattr(config, "hidden_size_per_layer_input", 0):
        return "e2b" if config.use_double_wide_mlp else "e4b"
    return "12b" if config.model_type.startswith("gemma4_unified") else "31b"


def layer_set(name, loaded):
    """Indices of the layers that show a mistake, by the name of the set."""
    layers = list(loaded.text.layers)
    attention = [layer.self_attn for layer in layers]
    first = {a.layer_type: i for i, a in reversed(list(enumerate(attention)))}
    last = {a.layer_type: i for i, a in enumerate(attention) if not a.is_kv_shared_layer}
    heads = loaded.config.num_attention_heads
    member = {
        "all": lambda i, a: True,
        "middle": lambda i, a: i == len(layers) // 2,
        "sliding": lambda i, a: a.is_sliding,
        "full": lambda i, a: not a.is_sliding,
        "own_kv": lambda i, a: not a.is_kv_shared_layer,
        "shared": lambda i, a: a.is_kv_shared_layer,
        "shared_far": lambda i, a: a.is_kv_shared_layer
        and first[a.layer_type] != last[a.layer_type],
        "k_eq_v": lambda i, a: not a.is_kv_shared_layer and a.v_proj is None,
        "grouped": lambda i, a: 1 < a.num_key_value_groups < heads,
    }[name]
    return [i for i, a in enumerate(attention) if member(i, a)]


def chosen(loaded, name="all"):
    return [loaded.text.layers[i] for i in layer_set(name, loaded)]


def replace(module, make):
    """module.forward = make(the old forward): hooks on the module see the new result."""
    module.forward = make(module.forward)


def before(module, change):
    """change(args, kwargs) -> (args, kwargs), ahead of every call of the module."""
    module.register_forward_pre_hook(lambda _, args, kwargs: change(args, kwargs), with_kwargs=True)


def watch(module, pick):
    """A dict whose "now" is pick(args, kwargs) of the module's latest call."""
    seen = {}

    def look(_, args, kwargs):
        seen["now"] = pick(args, kwargs)

    module.register_forward_pre_hook(look, with_kwargs=True)
    return seen


def patch_namespace(loaded, name, make):
    """Replace a function of transformers' own file; returns the undo."""
    space = loaded.namespace
    old = getattr(space, name)
    setattr(space, name, make(old))
    return lambda: setattr(space, name, old)


def skip(module):
    module.forward = lambda x, *_: x
