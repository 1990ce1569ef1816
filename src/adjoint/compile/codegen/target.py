"""What a kernel must know of the processor that it is written for: widths, registers, which vector forms are cheap."""

from __future__ import annotations

from dataclasses import dataclass

from adjoint.compile.codegen import llvm

__all__ = ["Target"]


@dataclass(frozen=True)
class Target:
    """The vectors of a processor; `cpu` and `features` are LLVM's names, and part of the key of cached machine code.

    >>> Target(vector_bytes=32, registers=16, fma=True, masks=False).lanes(4)
    8
    """

    vector_bytes: int
    registers: int
    fma: bool
    """Whether `llvm.fma` is one instruction; elsewhere it is a library call per lane."""
    masks: bool
    """Whether masked loads and stores cost no more than plain ones."""
    cpu: str = ""
    features: str = ""

    def lanes(self, bytes_per_lane: int) -> int:
        """How many scalars of that size one vector register holds."""
        return self.vector_bytes // bytes_per_lane

    def attributes(self) -> str:
        """The attributes of every function: some tunings would split vectors of 64 bytes unless told the width."""
        return f'nounwind "prefer-vector-width"="{8 * self.vector_bytes}"'

    @staticmethod
    def host() -> Target:
        """The processor that this runs on."""
        cpu, features = llvm.host()
        present = {feature[1:] for feature in features.split(",") if feature.startswith("+")}
        if present >= {"avx512f", "avx512bw", "avx512dq", "avx512vl"}:
            return Target(64, 32, fma=True, masks=True, cpu=cpu, features=features)
        if "avx2" in present:
            return Target(32, 16, fma="fma" in present, masks=False, cpu=cpu, features=features)
        if "neon" in present:
            return Target(16, 32, fma=True, masks=False, cpu=cpu, features=features)
        return Target(16, 16, fma="fma" in present, masks=False, cpu=cpu, features=features)
