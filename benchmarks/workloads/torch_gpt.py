"""The small GPT in PyTorch's functions, on parameters by adjoint's names."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from benchmarks import data

Parameters = dict[str, torch.Tensor]


def _linear(params: Parameters, name: str, x: torch.Tensor) -> torch.Tensor:
    return F.linear(x, params[f"{name}.w"].T, params[f"{name}.b"])


def _norm(params: Parameters, name: str, x: torch.Tensor) -> torch.Tensor:
    return F.layer_norm(x, x.shape[-1:], params[f"{name}.gain"], params[f"{name}.bias"], eps=1e-5)


def _attention(params: Parameters, name: str, x: torch.Tensor) -> torch.Tensor:
    batch, time, width = x.shape
    parts = _linear(params, f"{name}.queries_keys_values", x).split(width, dim=-1)
    queries, keys, values = (part.view(batch, time, data.GPT["heads"], -1).transpose(1, 2) for part in parts)
    mixed = F.scaled_dot_product_attention(queries, keys, values, is_causal=True)
    return _linear(params, f"{name}.projection", mixed.transpose(1, 2).reshape(batch, time, width))


def loss(params: Parameters, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """The mean cross-entropy of the tokens t that follow the tokens x, both (batch, time)."""
    hidden = F.embedding(x, params["tokens"]) + params["positions"]
    for i in range(data.GPT["blocks"]):
        name = f"blocks.{i}"
        hidden = hidden + _attention(params, f"{name}.attention", _norm(params, f"{name}.attention_norm", hidden))
        inner = _linear(params, f"{name}.hidden", _norm(params, f"{name}.hidden_norm", hidden))
        hidden = hidden + _linear(params, f"{name}.output", F.gelu(inner, approximate="tanh"))
    logits = F.linear(_norm(params, "norm", hidden), params["head.w"].T)
    return F.cross_entropy(logits.flatten(0, 1), t.flatten())
