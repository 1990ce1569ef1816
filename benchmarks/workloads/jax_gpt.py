"""The small GPT in JAX, on parameters by adjoint's names."""

from __future__ import annotations

import jax
from jax import numpy as jnp

from benchmarks import data


def _linear(params: dict, name: str, x: jax.Array) -> jax.Array:
    return x @ params[f"{name}.w"] + params[f"{name}.b"]


def _norm(params: dict, name: str, x: jax.Array) -> jax.Array:
    centred = x - jnp.mean(x, axis=-1, keepdims=True)
    variance = jnp.mean(centred * centred, axis=-1, keepdims=True)
    return centred * jax.lax.rsqrt(variance + 1e-5) * params[f"{name}.gain"] + params[f"{name}.bias"]


def _attention(params: dict, name: str, x: jax.Array) -> jax.Array:
    batch, time, width = x.shape
    heads = data.GPT["heads"]
    parts = jnp.split(_linear(params, f"{name}.queries_keys_values", x), 3, axis=-1)
    queries, keys, values = (part.reshape(batch, time, heads, -1).transpose(0, 2, 1, 3) for part in parts)
    scores = queries @ keys.transpose(0, 1, 3, 2) * (width // heads) ** -0.5
    earlier = jnp.tril(jnp.ones((time, time), bool))
    mixed = jax.nn.softmax(jnp.where(earlier, scores, -1e9), axis=-1) @ values
    return _linear(params, f"{name}.projection", mixed.transpose(0, 2, 1, 3).reshape(batch, time, width))


def loss(params: dict, x: jax.Array, t: jax.Array) -> jax.Array:
    """The mean cross-entropy of the tokens t that follow the tokens x, both (batch, time)."""
    hidden = params["tokens"][x] + params["positions"]
    for i in range(data.GPT["blocks"]):
        name = f"blocks.{i}"
        hidden = hidden + _attention(params, f"{name}.attention", _norm(params, f"{name}.attention_norm", hidden))
        inner = _linear(params, f"{name}.hidden", _norm(params, f"{name}.hidden_norm", hidden))
        hidden = hidden + _linear(params, f"{name}.output", jax.nn.gelu(inner, approximate=True))
    logs = jax.nn.log_softmax(_norm(params, "norm", hidden) @ params["head.w"])
    return -jnp.mean(jnp.take_along_axis(logs, t[..., None], axis=-1))
