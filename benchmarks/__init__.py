"""Measures adjoint beside PyTorch, JAX and plain NumPy: ``python -m benchmarks`` from the repository's root."""
