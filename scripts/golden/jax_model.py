# SPDX-License-Identifier: Apache-2.0
"""DeepMind's Transformer for a checkpoint and a case: the module and its parameter tree."""

import numpy as np

import jax_encoders
from jax_checkpoint import Config, flax_weights, transformer_arguments


def build_model(package, config: Config, encoders: dict | None = None):
    arguments = transformer_arguments(config) | (encoders or {})
    kinds = package.modules.AttentionType
    arguments["attention_types"] = tuple(
        kinds.GLOBAL if config.is_full(i) else kinds.LOCAL_SLIDING for i in range(config.num_layers)
    )
    if config.num_shared:  # half a layer less: the package rounds the number of own layers down
        fraction = (config.num_shared - 0.5) / config.num_layers
        arguments["kv_cache_sharing_config"] = package.config.KVCacheSharingConfig(
            frac_shared_layers=fraction, share_global=True, share_local=True
        )
    transformer_config = package.config.TransformerConfig(**arguments)
    return package.transformer.Transformer(
        config=transformer_config, dtype=package.dtype, tokens="tokens"
    )


def encoder_arguments(package, config: Config, encoded: list[str], soft_vision: bool) -> dict:
    """encoded: "vision", "audio"; soft_vision: vectors come from elsewhere."""
    vision, out = package.vision_encoder.VisionEncoder, {}
    if "vision" in encoded:
        out["vision_encoder"] = vision(**jax_encoders.vision_arguments(config.top["vision_config"]))
    elif soft_vision:  # has to be there, is never called
        out["vision_encoder"] = vision()
    if "audio" in encoded:
        own = jax_encoders.audio_arguments(config.top["audio_config"])
        out["audio_encoder"] = package.audio_modules.ConformerConfig(**own)
    return out


def nested(flat: dict) -> dict:
    tree: dict = {}
    for path, value in flat.items():
        *above, leaf = (part.replace(":", "/") for part in path.split("/"))
        node = tree
        for part in above:
            node = node.setdefault(part, {})
        node[leaf] = value
    return tree


def shapes_of(package, init) -> dict:
    """{path: shape} of what a module's init would make."""
    leaves = package.jax.tree_util.tree_flatten_with_path(package.jax.eval_shape(init)["params"])[0]
    return {"/".join(str(k.key) for k in path): leaf.shape for path, leaf in leaves}


def check_shapes(expected: dict, flat: dict) -> None:
    ours = {path.replace(":", "/"): array.shape for path, array in flat.items()}
    if expected != ours:
        differing = sorted(set(expected.items()) ^ set(ours.items()))
        raise ValueError(f"parameter tree differs from the package's: {differing[:6]}")


def text_weights(package, config: Config, stored: dict) -> dict:
    """Flat, after its names and shapes were compared with the package's own."""
    flat, model = flax_weights(config, stored), build_model(package, config)
    tokens, key = package.jax.numpy.ones((1, 2), np.int32), package.jax.random.PRNGKey(0)
    check_shapes(shapes_of(package, lambda: model.init(key, tokens)), flat)
    return flat


def encoder_weights(package, config: Config, stored: dict, kind: str) -> dict:
    """The same for an encoder, and the matrix that follows it."""
    jnp, key = package.jax.numpy, package.jax.random.PRNGKey(0)
    own = config.top[f"{kind}_config"]
    if kind == "vision":
        flat = jax_encoders.vision_weights(own, stored)
        module = package.vision_encoder.VisionEncoder(**jax_encoders.vision_arguments(own))
        width = 3 * module.patch_size**2
        given = jnp.zeros((1, module.max_patches, width)), jnp.zeros(
            (1, module.max_patches, 2), int
        )
    else:
        flat = jax_encoders.audio_weights(own, stored)
        conformer = package.audio_modules.ConformerConfig(**jax_encoders.audio_arguments(own))
        module = package.audio_model.AudioTokenizer(config=conformer)
        given = jnp.zeros((1, 1000), package.float32), jnp.array([1000])
    expected = shapes_of(package, lambda: module.init(key, *given))
    check_shapes({f"{kind}_encoder/{path}": shape for path, shape in expected.items()}, flat)
    path = {
        "vision": "embedder/mm_input_projection/w",
        "audio": "embedder/audio_input_projection/w",
    }
    return flat | jax_encoders.projector(path[kind], stored)
