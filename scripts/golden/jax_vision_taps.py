# SPDX-License-Identifier: Apache-2.0
"""Taps of DeepMind's JAX vision encoder, one image at a time."""

import numpy as np

from jax_item_taps import ItemRecorder
from jax_package import Forward

RESULTS = {  # module of a block -> tap of its result
    "pre_attention_norm": "attn_norm",
    "q_einsum": "attn.q_proj",
    "query_norm": "attn.q_norm",
    "key_norm": "attn.k_norm",
    "value_norm": "attn.v_norm",
    "attn_vec_einsum": "attn.o_proj",
    "post_attention_norm": "attn_post_norm",
    "pre_ffw_norm": "ffn_norm",
    "linear": "mlp.down",
    "post_ffw_norm": "ffn_post_norm",
    "block": "out",
}
ARGUMENTS = {  # of its last argument
    "attn_vec_einsum": "attn.context",
    "pre_ffw_norm": "attn_residual",
    "linear": "mlp.act",
}
PROJECTOR = {"mm_pre_projection_norm": "pre_norm", "mm_input_projection": "out"}


class VisionRecorder(ItemRecorder):
    def __init__(self, package):
        super().__init__(package)
        self.rows, self.cells = np.zeros(0, int), None  # patches and cells that are no padding
        self.angles: list = []
        self.bounds: dict = {}  # of fused einsums (jax_encoders.own_bounds)
        self._install()

    def put_rows(self, name: str, value) -> None:
        """[1, S, ...]: the rows that are no padding."""
        if self.sees(value):
            self.put(name, value[0][self.rows])

    def layer_tap(self, name: str) -> str:
        return f"vision.layer.{self.layer}.{name}"

    # ---- module calls ------------------------------------------------------------------------

    def changed_arguments(self, module, args, kwargs):
        kind = type(module).__name__
        if kind == "VisionExit":  # a cell for each 3 x 3 patches, however many there are
            kwargs = kwargs | {"output_length_overrides": (args[0].shape[1] // 9,)}
        elif kind == "Block":
            self.layer += self.sees(kwargs["inputs"])
        return args, kwargs

    def call_module(self, module, next_function, args, kwargs):
        """Of a fused einsum whose linears have bounds of their own: once for each."""
        if module.name not in self.bounds:
            return next_function(*args, **kwargs)
        weight, parts = module.variables["params"]["w"], []
        for clips in self.bounds[module.name][self.layer]:
            clips = {side: self.jnp.asarray(v, weight.dtype) for side, v in clips.items()}
            one = type(module)(shape=module.shape, parent=None)
            parts.append(one.apply({"params": {"w": weight, **clips}}, *args))
        axis = 0 if module.name == "kv_einsum" else -2
        return self.jnp.stack([p.take(i, axis) for i, p in enumerate(parts)], axis)

    def see(self, name: str, args, result) -> None:
        if name in RESULTS:
            self.put_rows(self.layer_tap(RESULTS[name]), result)
        if name in ARGUMENTS:
            self.put_rows(self.layer_tap(ARGUMENTS[name]), args[-1])
        if name == "kv_einsum":
            self.put_rows(self.layer_tap("attn.k_proj"), result[0])
            self.put_rows(self.layer_tap("attn.v_proj"), result[1])
        elif name == "gating_einsum":
            self.put_rows(self.layer_tap("mlp.gate"), result[..., 0, :])
            self.put_rows(self.layer_tap("mlp.up"), result[..., 1, :])
        elif name == "input_projection":
            self.put_rows("vision.pixels_pm1", args[-1])
            self.put_rows("vision.patch_proj", result)
        elif name == "entry":
            self.put_rows("vision.patch_embed", result)
        elif name in PROJECTOR:
            self.put("vision.embed." + PROJECTOR[name], result[0][0])
        elif name == "standardize":
            self.put("vision.standardized", result[0][self.cells])
        elif name in ("exit", "vision_encoder"):
            leaf = {"exit": "pool_scaled", "vision_encoder": "tower_out"}[name]
            self.put("vision." + leaf, result[0][0][0][self.cells])

    # ---- no module boundary ------------------------------------------------------------------

    def _install(self) -> None:
        """Replaces names in the package's modules, once in a process."""
        package, jnp = self.package, self.jnp
        modules, layers, images = (
            getattr(package, "vision_" + leaf) for leaf in ("modules", "layers", "images")
        )
        for module in (package.vision_encoder, layers, images):
            module.jnp = Forward(jnp, float32=package.float32)
        modules.jnp = Forward(jnp, einsum=self._einsum)
        pool, embed = layers._utils.avg_pool_by_positions, images.factorized_posemb
        rope, sine = modules.apply_multidimensional_rope, package.rope.jnp.sin

        def seen_pool(*args, **kwargs):
            pooled, valid = pool(*args, **kwargs)
            if self.sees(valid):
                self.cells = np.nonzero(np.asarray(valid[0]))[0]
                self.put("vision.pool", pooled[0][self.cells])
            return pooled, valid

        def seen_embed(*args):
            result = embed(*args)
            self.put_rows("vision.pos_embed", result)
            return result

        def seen_rope(*args, **kwargs):
            self.angles.clear()
            result = rope(*args, **kwargs)
            self._keep_rotated(result)
            return result

        def seen_sine(angles):
            self.angles.append(angles)
            return sine(angles)

        layers._utils = Forward(layers._utils, avg_pool_by_positions=seen_pool)
        layers._images = Forward(images, factorized_posemb=seen_embed)
        modules.apply_multidimensional_rope = seen_rope
        package.rope.jnp = Forward(package.rope.jnp, sin=seen_sine)

    def _keep_rotated(self, rotated) -> None:
        """Of a layer, queries are rotated first."""
        if not self.sees(rotated):
            return
        queries = self.at + self.layer_tap("attn.q_rope") not in self.taps
        self.put_rows(self.layer_tap("attn.q_rope" if queries else "attn.k_rope"), rotated)
        x, y = (angles[:, :, 0] for angles in self.angles)
        self.put_rows("vision.rope.angles", self.jnp.concatenate([x, x, y, y], axis=-1))

    def _einsum(self, equation, *operands):
        result = self.jnp.einsum(equation, *operands)
        if equation == "btkgh,bskh->bkgts":
            self._keep_pairs("attn.logits", result)
        elif equation == "bkgts,bskh->btkgh":
            self._keep_pairs("attn.probs", operands[0])
        return result

    def _keep_pairs(self, name: str, square) -> None:
        if self.sees(square):
            self.put(self.layer_tap(name), square[0][:, 0][:, self.rows][:, :, self.rows])
