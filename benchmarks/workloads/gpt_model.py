"""A small GPT, written in functions: tokens in, logits of the tokens that follow out.

Blocks normalise what they take in (Xiong et al., 2020), attention looks at no later token, and there is no dropout.
Radford et al., "Language models are unsupervised multitask learners", 2019.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import adjoint as ad
from adjoint import functions as F, layers as L, models


class LayerNorm(L.Layer):
    """(x − mean)/√(variance + 10⁻⁵) · gain + bias, over the last axis."""

    def __init__(self, width: int) -> None:
        self.gain = ad.Variable(np.ones(width, np.float32))
        self.bias = ad.Variable(np.zeros(width, np.float32))

    def forward(self, x: Any) -> ad.Variable:
        """x (..., width) → (..., width)"""
        centred = x - F.mean(x, axis=-1, keepdims=True)
        variance = F.mean(centred * centred, axis=-1, keepdims=True)
        return centred / F.sqrt(variance + 1e-5) * self.gain + self.bias


class Attention(L.Layer):
    """Causal self-attention: each head weighs the values of the tokens so far by how their keys fit its query."""

    def __init__(self, width: int, heads: int, rng: np.random.Generator) -> None:
        self._heads = heads
        self.queries_keys_values = L.Linear(3 * width, rng=rng)
        self.projection = L.Linear(width, rng=rng)

    def _split_heads(self, x: ad.Variable) -> ad.Variable:
        """(batch, time, width) → (batch, head, time, width / heads)"""
        batch, time, width = x.shape
        return F.transpose(F.reshape(x, (batch, time, self._heads, width // self._heads)), (0, 2, 1, 3))

    def forward(self, x: Any) -> ad.Variable:
        """x (batch, time, width) → the same shape"""
        time = x.shape[1]
        queries, keys, values = map(self._split_heads, F.split(self.queries_keys_values(x), 3, axis=-1))
        scores = F.matmul(queries, F.transpose(keys, (0, 1, 3, 2))) * (1.0 / math.sqrt(queries.shape[-1]))
        later = np.triu(np.ones((time, time), bool), 1)
        weights = F.softmax(F.masked_fill(scores, later, -1e9))
        mixed = F.transpose(F.matmul(weights, values), (0, 2, 1, 3))
        return self.projection(F.reshape(mixed, x.shape))


class Block(L.Layer):
    """Attention, then two layers with GELU between them for each token; each adds to what comes in."""

    def __init__(self, width: int, heads: int, rng: np.random.Generator) -> None:
        self.attention_norm = LayerNorm(width)
        self.attention = Attention(width, heads, rng)
        self.hidden_norm = LayerNorm(width)
        self.hidden = L.Linear(4 * width, rng=rng)
        self.output = L.Linear(width, rng=rng)

    def forward(self, x: Any) -> ad.Variable:
        """x (batch, time, width) → the same shape"""
        x = x + self.attention(self.attention_norm(x))
        return x + self.output(F.gelu(self.hidden(self.hidden_norm(x))))


class GPT(models.Model):
    """Embeddings of tokens and positions, blocks, a norm, and a linear map to logits. Parameters are float32.

    Args:
        vocabulary: how many different tokens there are.
        context: how many tokens the model sees at most.
        width: the size of a token's vector; a multiple of `heads`.
        heads: of each attention.
        blocks: how many.
        rng: where the initial parameters are drawn.
    """

    def __init__(
        self, vocabulary: int, context: int, width: int, heads: int, blocks: int, rng: np.random.Generator
    ) -> None:
        self.tokens = ad.Variable(0.02 * rng.standard_normal((vocabulary, width), np.float32))
        self.positions = ad.Variable(0.02 * rng.standard_normal((context, width), np.float32))
        self.blocks = [Block(width, heads, rng) for _ in range(blocks)]
        self.norm = LayerNorm(width)
        self.head = L.Linear(vocabulary, bias=False, rng=rng)

    def forward(self, tokens: Any) -> ad.Variable:
        """tokens (batch, time), whole numbers → logits (batch, time, vocabulary)"""
        x = F.take(self.tokens, tokens) + self.positions[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))
