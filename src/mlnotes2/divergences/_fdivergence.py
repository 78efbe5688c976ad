"""f-divergences as a critic sees them: generator, derivative, conjugate and variational bound."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

TensorMap = Callable[[Tensor], Tensor]


class MonteCarloEstimate(NamedTuple):
    """An estimate, and the standard deviation of its error as far as the samples tell."""

    estimate: Tensor
    standard_error: Tensor


@dataclass(frozen=True, repr=False)
class FDivergence:
    r"""An f-divergence $D_f(P \Vert Q) = \E_Q[f(p/q)]$ with all that a critic needs to estimate it.

    Every critic $T$ with values in the domain of the conjugate $f^*(t) = \sup_{u \ge 0} (ut - f(u))$ gives a
    lower bound, $D_f(P \Vert Q) \ge \E_P[T] - \E_Q[f^*(T)]$, which is attained by $T = f'(p/q)$. Where
    $q = 0 < p$, an outcome adds $p f'(\infty)$, and $f'(\infty)$ is the upper end of the domain.

    Args:
        name: How it is called.
        generator: $f$ on $[0, \infty)$, convex; elementwise, as all functions here.
        derivative: $f'$.
        conjugate: $f^*$; inf outside its domain.
        domain: The ends of the interval where $f^*$ is finite; the lower one is always -inf.
        activation: An increasing map from a network's output $v$ into the domain, equal to $f'(1)$ at
            $v = 0$, so that a well-trained $v$ is positive where $p > q$. Except for Pearson and TV it is
            $f'(e^v)$, and then $v$ estimates $\log(p/q)$.
        conjugate_of_activation: $v \mapsto f^*(\text{activation}(v))$, simplified by hand: it stays finite
            where the activation rounds to the end of the domain.

    Source:
        Nowozin, Cseke and Tomioka (2016), section 2; Nguyen, Wainwright and Jordan (2010), lemma 1.

    Example:
        >>> p, q = torch.tensor([0.5, 0.5]), torch.tensor([0.25, 0.75])
        >>> critic = KL.optimal_critic(p, q)
        >>> bound = (p * critic).sum() - (q * KL.conjugate(critic)).sum()
        >>> print(f"{KL.divergence(p, q):.6f} {bound:.6f}")
        0.143841 0.143841
    """

    name: str
    generator: TensorMap
    derivative: TensorMap
    conjugate: TensorMap
    domain: tuple[float, float]
    activation: TensorMap
    conjugate_of_activation: TensorMap

    def __repr__(self) -> str:
        return f"FDivergence({self.name})"

    def __reduce__(self) -> str:
        return self.name  # pickled by name, as functions are; a copy is the instance itself

    def divergence(
        self, p: Float[Tensor, "*batch k"], q: Float[Tensor, "*batch k"]
    ) -> Float[Tensor, "*batch"]:
        """The divergence of discrete distributions, differentiable where both are positive.

        It is computed in float64. Where p/q is above 1e300, q counts as 0.

        Args:
            p: Probabilities; each row sums to 1 within 1e-9 in float64, and within 1e-5 otherwise.
            q: Probabilities of the same shape.

        Raises:
            ValueError: If the shapes, dtypes or devices differ, or a row is empty, negative, NaN, or does not
                sum to 1.
            TypeError: If an argument is not a floating-point tensor.
        """
        _check_densities(p, q)
        tol = 1e-9 if p.dtype == torch.float64 else 1e-5
        for name, rows in (("p", p), ("q", q)):
            off = (rows.sum(-1) - 1).abs().max().item()
            if off > tol:
                raise ValueError(
                    f"{name} must sum to 1 along its last axis, got a sum that is off by {off:.3g}; "
                    f"divide it by its sum"
                )
        dtype, p, q = p.dtype, p.double(), q.double()
        inside = (q > 0) & (p <= 1e300 * q)
        ratio = torch.where(inside, p, 1.0) / torch.where(inside, q, 1.0)
        return self._terms(p, q, ratio, inside).sum(-1).to(dtype)

    def optimal_critic(self, p: Float[Tensor, "*n"], q: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
        """The critic $f'(p/q)$ that attains the divergence, from two densities at the same points.

        Computed in float64. Where both are 0 the critic's value does not matter; it is $f'(1)$ there.

        Raises:
            ValueError: If the shapes, dtypes or devices differ, or a density is empty, negative or NaN.
            TypeError: If an argument is not a floating-point tensor.
        """
        _check_densities(p, q)
        return self.derivative(torch.where(p == q, 1.0, p.double() / q.double())).to(p.dtype)

    def monte_carlo(
        self,
        log_p: Float[Tensor, "*batch n"],
        log_q: Float[Tensor, "*batch n"],
        log_m: Float[Tensor, "*batch n"],
    ) -> MonteCarloEstimate:
        r"""Estimate the divergence from densities at n independent samples $x_i$ of a distribution M.

        The mean of $\frac{q(x_i)}{m(x_i)} f\!\left( \frac{p(x_i)}{q(x_i)} \right)$, which is right on average if
        $m > 0$ wherever $p > 0$ or $q > 0$. For samples of P pass `log_p` as `log_m` too, for samples of Q
        `log_q`. With samples of both, half of each, $m = \frac12 (p + q)$, and the terms of JS, TV and HELLINGER
        are bounded. The standard error is $s / \sqrt n$, with the standard deviation s of the terms. It means
        nothing if their variance is infinite, and the samples do not tell whether it is.

        Args:
            log_p: Log-density of P at the samples, in nats; -inf where the density is 0.
            log_q: Log-density of Q at the samples.
            log_m: Log-density, finite, of the distribution that the samples come from.

        Returns:
            `.estimate`, which may be negative, and `.standard_error`, which is NaN if the estimate is infinite.

        Raises:
            ValueError: If the shapes, dtypes or devices differ, if n < 2, if a log-density is NaN or inf, or if
                the ratio of two positive densities is beyond float64.
            TypeError: If an argument is not a floating-point tensor.

        Example:
            >>> p, q = torch.distributions.Normal(0.0, 1.0), torch.distributions.Normal(1.0, 1.0)
            >>> x = torch.randn(10_000, generator=torch.Generator().manual_seed(0))  # from P
            >>> result = KL.monte_carlo(p.log_prob(x), q.log_prob(x), p.log_prob(x))
            >>> print(f"{result.estimate:.3f}, give or take {result.standard_error:.3f}")
            0.511, give or take 0.010
        """
        _check_log_densities(log_p, log_q, log_m)
        dtype, log_p, log_q, log_m = log_p.dtype, log_p.double(), log_q.double(), log_m.double()
        inside = (log_q > -math.inf) & (log_p - log_q < 690)
        ratio = torch.where(inside, log_p - log_q, 0.0).exp()
        terms = self._terms((log_p - log_m).exp(), (log_q - log_m).exp(), ratio, inside)
        both = (log_p > -math.inf) & (log_q > -math.inf)
        if not bool(terms[both].isfinite().all()):
            apart, over_m = (log_p - log_q)[both], (log_p - log_m)[both].max().item()
            raise ValueError(
                f"p/q and p/m must lie within the range of float64 for {self.name}, got log_p - log_q from "
                f"{apart.min().item():.4g} to {apart.max().item():.4g} and log_p - log_m up to {over_m:.4g}; "
                f"of KL, the mean of log_p - log_q at samples of P is an estimate too"
            )
        error = terms.std(-1) / math.sqrt(terms.shape[-1])
        return MonteCarloEstimate(terms.mean(-1).to(dtype), error.to(dtype))

    def _terms(self, p: Tensor, q: Tensor, ratio: Tensor, inside: Tensor) -> Tensor:
        """q f(p/q) inside; outside, where q is 0 or next to nothing beside p, what it tends to: p f'(inf)."""
        # A slope of inf stands only where it is wanted: its product with 0 would make gradients NaN.
        slope = torch.zeros_like(p).masked_fill(~inside & (p > 0), self.domain[1])
        return torch.where(inside, q * self.generator(ratio), p * slope)

    def variational_bound(self, t_p: Float[Tensor, "*n"], t_q: Float[Tensor, "*m"]) -> Float[Tensor, ""]:
        r"""The estimate $\E_P[T] - \E_Q[f^*(T)]$ from a critic's values at samples of P and of Q.

        The critic maximises it. With few samples the estimate can lie above the divergence; its mean cannot.

        Args:
            t_p: Values $T(x)$ in the domain at samples x of P, any shape.
            t_q: The same at samples of Q.

        Raises:
            ValueError: If a value is outside the domain, NaN or infinite, if there are none, or if the dtypes or
                devices differ.
            TypeError: If an argument is not a floating-point tensor.
        """
        _check_alike(t_p=t_p, t_q=t_q)
        for name, t in (("t_p", t_p), ("t_q", t_q)):
            _check_finite(name, t)
            if bool((t > self.domain[1]).any()):
                raise ValueError(
                    f"{name} must be at most {self.domain[1]:g} for {self.name}, got {t.max().item():g}; "
                    f"apply {self.name}.activation to the critic's output, or use raw_bound"
                )
        return t_p.mean() - self.conjugate(t_q).mean()

    def raw_bound(self, v_p: Float[Tensor, "*n"], v_q: Float[Tensor, "*m"]) -> Float[Tensor, ""]:
        """The variational bound from the critic's outputs before the activation: the form to train with.

        Args:
            v_p: Outputs at samples of P, any real numbers and any shape.
            v_q: Outputs at samples of Q.

        Raises:
            ValueError: If an output is NaN or infinite, if there are none, or if the dtypes or devices differ.
            TypeError: If an argument is not a floating-point tensor.

        Example:
            >>> print(GAN.raw_bound(torch.zeros(3), torch.zeros(5)))
            tensor(-1.3863)
        """
        _check_alike(v_p=v_p, v_q=v_q)
        _check_finite("v_p", v_p)
        _check_finite("v_q", v_q)
        return self.activation(v_p).mean() - self.conjugate_of_activation(v_q).mean()


def _check_densities(p: Tensor, q: Tensor) -> None:
    _check_alike(p=p, q=q)
    for name, values in (("p", p), ("q", q)):
        _check_finite(name, values)
        if bool((values < 0).any()):
            raise ValueError(f"{name} must not be negative, got {values.min().item():g}; is it a logarithm?")
    if p.shape != q.shape:
        raise ValueError(f"p and q must have one shape, got {tuple(p.shape)} and {tuple(q.shape)}")


def _check_log_densities(log_p: Tensor, log_q: Tensor, log_m: Tensor) -> None:
    _check_alike(log_p=log_p, log_q=log_q, log_m=log_m)
    _check_finite("log_m", log_m)
    for name, values in (("log_p", log_p), ("log_q", log_q)):
        if not bool((values < math.inf).all()):
            raise ValueError(f"{name} must be finite, or -inf for a density of 0, got a NaN or inf")
    shapes = [tuple(values.shape) for values in (log_p, log_q, log_m)]
    if len(set(shapes)) > 1 or log_p.ndim == 0 or log_p.shape[-1] < 2:
        raise ValueError(
            f"log_p, log_q and log_m must have one shape (*batch, n) with n at least 2, got {shapes}; "
            f"give all three at every sample"
        )


def _check_alike(**tensors: Tensor) -> None:
    for name, values in tensors.items():
        if not isinstance(values, Tensor) or not values.is_floating_point():
            kind = getattr(values, "dtype", type(values).__name__)
            raise TypeError(f"{name} must be a floating-point tensor, got {kind}; convert it first")
        if values.numel() == 0:
            raise ValueError(f"{name} must not be empty, got shape {tuple(values.shape)}")
    if len({(values.dtype, values.device) for values in tensors.values()}) > 1:
        kinds = ", ".join(f"{values.dtype} on {values.device}" for values in tensors.values())
        raise ValueError(f"{', '.join(tensors)} must have one dtype and device, got {kinds}; convert one")


def _check_finite(name: str, values: Tensor) -> None:
    if not bool(values.isfinite().all()):
        raise ValueError(f"{name} must be finite, got a NaN or an infinity; has the training diverged?")


def _below(upper: float, formula: TensorMap) -> TensorMap:
    """The conjugate that is `formula` below `upper`, and inf from there on."""
    return lambda t: torch.where(t < upper, formula(t), math.inf)


def _jeffreys_conjugate(t: Tensor) -> Tensor:
    """`t u - f(u)` at the best u = 1/w, where w + log w = 1 - t; its gradient is u, so u is held constant."""
    s = 1 - t.detach()
    log_w = torch.where(s > 1, s.clamp(min=1).log(), s)  # right of the root: Newton descends from here
    for _ in range(6):
        w = log_w.exp()
        log_w = log_w - (w + log_w - s) / (w + 1)
    u = (-log_w).exp()
    return t * u + (u - 1) * log_w


_HALF_LOG_2 = math.log(2) / 2

KL = FDivergence(
    name="KL",
    generator=lambda u: torch.xlogy(u, u),
    derivative=lambda u: 1 + torch.log(u),
    conjugate=lambda t: torch.exp(t - 1),
    domain=(-math.inf, math.inf),
    activation=lambda v: 1 + v,
    conjugate_of_activation=torch.exp,
)
REVERSE_KL = FDivergence(
    name="REVERSE_KL",
    generator=lambda u: -torch.log(u),
    derivative=lambda u: -1 / u,
    conjugate=_below(0.0, lambda t: -1 - torch.log(-t)),
    domain=(-math.inf, 0.0),
    activation=lambda v: -torch.exp(-v),
    conjugate_of_activation=lambda v: v - 1,
)
JS = FDivergence(  # with the halves, as `js`
    name="JS",
    generator=lambda u: (torch.xlogy(u, u) - (u + 1) * torch.log((u + 1) / 2)) / 2,
    derivative=lambda u: _HALF_LOG_2 - torch.log1p(1 / u) / 2,
    conjugate=_below(_HALF_LOG_2, lambda t: -torch.log(2 - torch.exp(2 * t)) / 2),
    domain=(-math.inf, _HALF_LOG_2),
    activation=lambda v: _HALF_LOG_2 - softplus(-v) / 2,
    conjugate_of_activation=lambda v: softplus(v) / 2 - _HALF_LOG_2,
)
GAN = FDivergence(  # 2 JS - log 4, the value of the original game; it is -log 4, not 0, where P = Q
    name="GAN",
    generator=lambda u: torch.xlogy(u, u) - (u + 1) * torch.log1p(u),
    derivative=lambda u: -torch.log1p(1 / u),
    conjugate=_below(0.0, lambda t: -torch.log(-torch.expm1(t))),
    domain=(-math.inf, 0.0),
    activation=lambda v: -softplus(-v),
    conjugate_of_activation=softplus,
)
PEARSON = FDivergence(
    name="PEARSON",
    generator=lambda u: (u - 1) ** 2,
    derivative=lambda u: 2 * (u - 1),
    conjugate=lambda t: (t.clamp(min=-2) / 2 + 1) ** 2 - 1,  # below -2 the supremum is at u = 0
    domain=(-math.inf, math.inf),
    activation=lambda v: v,
    conjugate_of_activation=lambda v: (v.clamp(min=-2) / 2 + 1) ** 2 - 1,
)
HELLINGER = FDivergence(  # squared, with the half
    name="HELLINGER",
    generator=lambda u: (torch.sqrt(u) - 1) ** 2 / 2,
    derivative=lambda u: (1 - torch.rsqrt(u)) / 2,
    conjugate=_below(0.5, lambda t: t / (1 - 2 * t)),
    domain=(-math.inf, 0.5),
    activation=lambda v: -torch.expm1(-v / 2) / 2,
    conjugate_of_activation=lambda v: torch.expm1(v / 2) / 2,
)
TV = FDivergence(
    name="TV",
    generator=lambda u: torch.abs(u - 1) / 2,
    derivative=lambda u: torch.sign(u - 1) / 2,
    conjugate=lambda t: torch.where(t <= 0.5, t.clamp(min=-0.5), math.inf),
    domain=(-math.inf, 0.5),
    activation=lambda v: torch.tanh(v) / 2,
    conjugate_of_activation=lambda v: torch.tanh(v) / 2,
)
JEFFREYS = FDivergence(
    name="JEFFREYS",
    generator=lambda u: (u - 1) * torch.log(u),
    derivative=lambda u: torch.log(u) + 1 - 1 / u,
    conjugate=_jeffreys_conjugate,
    domain=(-math.inf, math.inf),
    activation=lambda v: v - torch.expm1(-v),
    conjugate_of_activation=lambda v: v + torch.expm1(v),
)
