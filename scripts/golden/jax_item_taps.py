# SPDX-License-Identifier: Apache-2.0
"""What the recorders of DeepMind's JAX encoders share.

`intercept` goes into `flax.linen.intercept_methods` and sees every call of a flax module while an
item of media is being encoded; what is no module boundary is seen by replacing names in the
package's modules. Taps have the package's shapes without the batch axis: heads are not flattened.
"""

import numpy as np


class ItemRecorder:
    """Silent while `at` is None; `at` is "media.3." while that item is encoded."""

    root = ""  # name of the encoder's module

    def __init__(self, package):
        self.package, self.jax, self.jnp = package, package.jax, package.jax.numpy
        self.at, self.taps, self.above, self.layer = None, {}, [], -1

    def start(self, at: str) -> None:
        self.at, self.above, self.layer = at, [], -1

    def stop(self) -> None:
        self.at = None

    def sees(self, value) -> bool:
        """nn.scan runs its body once more, on no numbers, to see what does not change."""
        return self.at is not None and not isinstance(value, self.jax.core.Tracer)

    def put(self, name: str, value) -> None:
        if self.sees(value):
            self.taps[self.at + name] = np.asarray(value).astype(np.float64)

    def intercept(self, next_function, args, kwargs, context):
        if self.at is None:
            return next_function(*args, **kwargs)
        module, name = context.module, context.module.name
        if context.method_name != "__call__":
            return self.call_method(context.method_name, module, next_function, args, kwargs)
        args, kwargs = self.changed_arguments(module, args, kwargs)
        self.above.append(name)
        result = self.call_module(module, next_function, args, kwargs)
        self.above.pop()
        self.see(name, args, result)
        return result

    def call_method(self, method: str, module, next_function, args, kwargs):
        return next_function(*args, **kwargs)

    def call_module(self, module, next_function, args, kwargs):
        return next_function(*args, **kwargs)

    def changed_arguments(self, module, args, kwargs):
        return args, kwargs

    def see(self, name: str, args, result) -> None:
        raise NotImplementedError
