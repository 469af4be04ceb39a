# SPDX-License-Identifier: Apache-2.0
"""GGUF files of architecture gemma4, written and read with the gguf package.

Names and shapes go from Hugging Face's to ggml's and back by one table. Nothing is transposed and
nothing permuted: a shape is only listed the other way round, which the package does.
"""

from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFReader, GGUFWriter

import ggml_blocks
from topologies import Topology

GLOBAL = {
    "embed_tokens.weight": "token_embd.weight",
    "embed_tokens_per_layer.weight": "per_layer_token_embd.weight",
    "per_layer_model_projection.weight": "per_layer_model_proj.weight",
    "per_layer_projection_norm.weight": "per_layer_proj_norm.weight",
    "norm.weight": "output_norm.weight",
}
LAYER = {
    "input_layernorm.weight": "attn_norm.weight",
    "self_attn.q_proj.weight": "attn_q.weight",
    "self_attn.k_proj.weight": "attn_k.weight",
    "self_attn.v_proj.weight": "attn_v.weight",
    "self_attn.o_proj.weight": "attn_output.weight",
    "self_attn.q_norm.weight": "attn_q_norm.weight",
    "self_attn.k_norm.weight": "attn_k_norm.weight",
    "post_attention_layernorm.weight": "post_attention_norm.weight",
    "pre_feedforward_layernorm.weight": "ffn_norm.weight",
    "post_feedforward_layernorm.weight": "post_ffw_norm.weight",
    "mlp.gate_proj.weight": "ffn_gate.weight",
    "mlp.up_proj.weight": "ffn_up.weight",
    "mlp.down_proj.weight": "ffn_down.weight",
    "layer_scalar": "layer_output_scale.weight",
    "per_layer_input_gate.weight": "inp_gate.weight",
    "per_layer_projection.weight": "proj.weight",
    "post_per_layer_input_norm.weight": "post_norm.weight",
    "router.proj.weight": "ffn_gate_inp.weight",
    "router.scale": "ffn_gate_inp.scale",
    "router.per_expert_scale": "ffn_down_exps.scale",
    "experts.gate_up_proj": "ffn_gate_up_exps.weight",
    "experts.down_proj": "ffn_down_exps.weight",
    "post_feedforward_layernorm_1.weight": "post_ffw_norm_1.weight",
    "pre_feedforward_layernorm_2.weight": "pre_ffw_norm_2.weight",
    "post_feedforward_layernorm_2.weight": "post_ffw_norm_2.weight",
}
FROM_GLOBAL = {ggml: hf for hf, ggml in GLOBAL.items()}
FROM_LAYER = {ggml: hf for hf, ggml in LAYER.items()}
NOT_A_WEIGHT = "rope_freqs.weight"  # proportional RoPE, said as a tensor
UNROTATED = 1e30  # a divisor that makes the frequency zero


def to_ggml(name: str) -> str:
    """A name without its prefix."""
    if not name.startswith("layers."):
        return GLOBAL[name]
    _, layer, rest = name.split(".", 2)
    return f"blk.{layer}.{LAYER[rest]}"


def from_ggml(name: str) -> str:
    if not name.startswith("blk."):
        return FROM_GLOBAL[name]
    _, layer, rest = name.split(".", 2)
    return f"layers.{layer}.{FROM_LAYER[rest]}"


def add_metadata(writer: GGUFWriter, t: Topology) -> None:
    """The keys with which llama.cpp loads a gemma4 without a tokenizer."""
    full = [kind == "F" for kind in t.layers]
    writer.add_string("general.name", t.name)
    writer.add_block_count(len(t.layers))
    writer.add_context_length(4096)
    writer.add_embedding_length(t.width)
    wide = [2 * t.ffn if t.double_wide and i >= t.first_shared else t.ffn for i in range(len(full))]
    writer.add_feed_forward_length(wide if t.double_wide else t.ffn)
    writer.add_head_count(t.heads)
    writer.add_head_count_kv([t.kv_heads[f if t.k_eq_v else 0] for f in full])
    for add, dim in ((writer.add_key_length, 1), (writer.add_value_length, 1)):
        add(t.head_dim[dim])
    writer.add_key_length_swa(t.head_dim[0])
    writer.add_value_length_swa(t.head_dim[0])
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_sliding_window(t.window)
    writer.add_array("gemma4.attention.sliding_window_pattern", [not f for f in full])
    writer.add_uint32("gemma4.attention.shared_kv_layers", t.shared)
    writer.add_rope_freq_base(1e6)
    writer.add_float32("gemma4.rope.freq_base_swa", 1e4)
    writer.add_rope_dimension_count(t.head_dim[1])
    writer.add_uint32("gemma4.rope.dimension_count_swa", t.head_dim[0])
    writer.add_final_logit_softcapping(t.softcap)
    writer.add_uint32("gemma4.embedding_length_per_layer_input", t.ple)
    writer.add_vocab_size(t.vocab)
    if t.moe:
        experts, active, width = t.moe
        writer.add_expert_count(experts)
        writer.add_expert_used_count(active)
        writer.add_expert_feed_forward_length(width)
    writer.add_tokenizer_model("no_vocab")


def rope_freqs(t: Topology) -> np.ndarray:
    pairs = t.head_dim[1] // 2
    rotated = int(t.rotated * t.head_dim[1] // 2)
    return np.where(np.arange(pairs) < rotated, 1.0, UNROTATED).astype(np.float32)


def write(path: Path, t: Topology, tensors: dict, type_of) -> None:
    """tensors: name without prefix -> float32; type_of(ggml name, shape): the type it is kept in."""
    writer = GGUFWriter(path, "gemma4")
    add_metadata(writer, t)
    writer.add_tensor(NOT_A_WEIGHT, rope_freqs(t))
    for name, values in tensors.items():
        ggml = to_ggml(name)
        kind = type_of(ggml, values.shape)
        writer.add_tensor(ggml, ggml_blocks.quantise(values, kind), raw_dtype=Type[kind])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def read(path: Path) -> dict[str, np.ndarray]:
    """ggml name -> exact float64, in the shape that Hugging Face gives it."""
    out = {}
    for tensor in GGUFReader(path).tensors:
        kind = tensor.tensor_type.name
        shape = [int(n) for n in reversed(tensor.shape)]
        stored = np.ascontiguousarray(tensor.data).view(np.uint8).reshape(*shape[:-1], -1)
        exact = ggml_blocks.dequantise(stored, kind).reshape(shape)
        ggml_blocks.check_blocks(stored, kind, exact)
        out[tensor.name] = exact
    return out
