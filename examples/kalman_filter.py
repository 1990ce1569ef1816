"""A Kalman filter in plain NumPy, differentiated as it is: the variances of its noise are fitted to the data.

A cart is pushed at random, and its position measured badly. The filter gives the likelihood of the measurements; its
gradient in both variances goes through all time steps.
"""

import numpy as np

import adjoint as ad

STEPS = 200
TRUE = {"push": 0.05, "measurement": 4.0}  # variances

MOTION = np.array([[1.0, 1.0], [0.0, 1.0]])  # of the state: position and velocity
PUSH = np.array([[0.25, 0.5], [0.5, 1.0]])  # what a push of variance 1 does to both
MEASURED = np.array([[1.0, 0.0]])


def simulate(rng: np.random.Generator) -> np.ndarray:
    """Measurements (STEPS,)."""
    state, measured = np.zeros(2), []
    for push, error in rng.standard_normal((STEPS, 2)):
        state = MOTION @ state + np.sqrt(TRUE["push"]) * push * np.array([0.5, 1.0])
        measured.append(state[0] + np.sqrt(TRUE["measurement"]) * error)
    return np.array(measured)


def negative_log_likelihood(logs, measured):
    """−log p(measurements) for the logarithms of the variances. Nothing here knows of derivatives."""
    push, error = np.exp(logs["push"]), np.exp(logs["measurement"])
    mean, covariance = np.zeros(2), np.eye(2)
    total = 0.0
    for z in measured:
        mean = MOTION @ mean
        covariance = MOTION @ covariance @ MOTION.T + push * PUSH
        surprise = z - MEASURED @ mean  # (1,)
        variance = MEASURED @ covariance @ MEASURED.T + error  # (1, 1)
        gain = np.linalg.solve(variance, MEASURED @ covariance).T  # (2, 1)
        mean = mean + gain @ surprise
        covariance = covariance - gain @ MEASURED @ covariance
        total = total + 0.5 * (np.log(2 * np.pi * variance) + surprise**2 / variance)
    return np.sum(total)


def main() -> None:
    measured = simulate(ad.random.const())
    start = {"push": 0.0, "measurement": 0.0}  # logarithms: both variances are 1
    value, gradient = ad.value_and_grad(negative_log_likelihood)(start, measured)
    print(f"start: {value:.3f}, slopes {gradient['push']:+.3f} and {gradient['measurement']:+.3f}")

    found = ad.optimize.minimize(negative_log_likelihood, start, (measured,))
    print(f"after {found.nit} steps: {found.fun:.3f}")

    # The inverse of the Hessian at the minimum tells how sure the data make us of the logarithms.
    hessian = ad.hessian(negative_log_likelihood)(found.x, measured)
    names = list(start)
    covariance = np.linalg.inv([[hessian[p][q] for q in names] for p in names])
    for name, variance in zip(names, np.diag(covariance), strict=True):
        low, high = np.exp(found.x[name] + np.array([-2.0, 2.0]) * np.sqrt(variance))
        print(f"variance of {name}: {np.exp(found.x[name]):.3f}, between {low:.3f} and {high:.3f} (true: {TRUE[name]})")


if __name__ == "__main__":
    main()
