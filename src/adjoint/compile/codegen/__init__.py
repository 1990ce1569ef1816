"""Native code: kernels as LLVM's textual IR, compiled and linked by llvmlite."""
