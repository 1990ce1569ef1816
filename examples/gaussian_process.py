"""A Gaussian process: scale, length and noise are found from the data, with NumPy's linear algebra alone.

The likelihood of the data takes a Cholesky factor and a solution of equations, and both are differentiated. For this
model the gradient is known in closed form, ½ tr((ααᵀ − K⁻¹) ∂K/∂θ) with α = K⁻¹ t: the two agree.
Rasmussen and Williams, "Gaussian Processes for Machine Learning" (2006), chapter 5.
"""

import numpy as np

import adjoint as ad

NAMES = ("scale", "length", "noise")


def covariance(theta, a, b):
    """The squared exponential kernel of points (N,) and (M,), (N, M); theta holds logarithms."""
    distance = (a[:, None] - b) / np.exp(theta["length"])
    return np.exp(2.0 * theta["scale"]) * np.exp(-0.5 * distance**2)


def noisy_covariance(theta, x):
    return covariance(theta, x, x) + np.exp(2.0 * theta["noise"]) * np.eye(len(x))


def negative_log_likelihood(theta, x, t):
    """−log p(t | x) = ½ |L⁻¹ t|² + log det L + ½ N log 2π, with K = L Lᵀ."""
    factor = np.linalg.cholesky(noisy_covariance(theta, x))
    whitened = np.linalg.solve(factor, t)
    return 0.5 * np.sum(whitened**2) + np.sum(np.log(np.diag(factor))) + 0.5 * len(x) * np.log(2 * np.pi)


def gradient_by_formula(theta: dict, x: np.ndarray, t: np.ndarray) -> dict:
    inverse = np.linalg.inv(noisy_covariance(theta, x))
    alpha = inverse @ t
    outer = np.outer(alpha, alpha) - inverse
    kernel = covariance(theta, x, x)
    distance = (x[:, None] - x) / np.exp(theta["length"])
    derivatives = {
        "scale": 2.0 * kernel,
        "length": kernel * distance**2,
        "noise": 2.0 * np.exp(2.0 * theta["noise"]) * np.eye(len(x)),
    }
    return {name: -0.5 * np.sum(outer * derivatives[name]) for name in NAMES}


def predict(theta: dict, x: np.ndarray, t: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The mean of the process at new points (M,), given the data."""
    return covariance(theta, new, x) @ np.linalg.solve(noisy_covariance(theta, x), t)


def main() -> None:
    rng = ad.random.const()
    x = np.sort(rng.uniform(0.0, 10.0, 60))
    t = 2.0 * np.sin(x) + 0.3 * rng.standard_normal(60)

    start = dict.fromkeys(NAMES, 0.0)
    value, gradient = ad.value_and_grad(negative_log_likelihood)(start, x, t)
    known = gradient_by_formula(start, x, t)
    print(f"start: {value:.3f}, gradient off by {max(abs(gradient[name] - known[name]) for name in NAMES):.0e}")

    found = ad.optimize.minimize(negative_log_likelihood, start, (x, t), method="trust-ncg")
    print(f"after {found.nit} steps: {found.fun:.3f}")
    for name in NAMES:
        print(f"{name}: {np.exp(found.x[name]):.3f}")

    new = np.linspace(0.5, 9.5, 50)
    error = np.sqrt(np.mean((predict(found.x, x, t, new) - 2.0 * np.sin(new)) ** 2))
    print(f"error of the prediction: {error:.3f}")


if __name__ == "__main__":
    main()
