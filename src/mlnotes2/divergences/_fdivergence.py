"""f-divergences as a critic sees them: generator, derivative, conjugate and variational bound."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

TensorMap = Callable[[Tensor], Tensor]


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

    def divergence(
        self, p: Float[Tensor, "*batch k"], q: Float[Tensor, "*batch k"]
    ) -> Float[Tensor, "*batch"]:
        """The divergence of discrete distributions, differentiable where both are positive.

        Args:
            p: Probabilities; each row sums to 1 within 1e-9 in float64, and within 1e-5 otherwise.
            q: Probabilities of the same shape.

        Raises:
            ValueError: If the shapes differ, or a row is empty, negative, NaN, or does not sum to 1.
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
        inside = q * self.generator(p / torch.where(q > 0, q, 1.0))
        outside = torch.where(p > 0, p * self.domain[1], 0.0)
        return torch.where(q > 0, inside, outside).sum(-1)

    def optimal_critic(self, p: Float[Tensor, "*n"], q: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
        """The critic $f'(p/q)$ that attains the divergence, from two densities at the same points.

        Where both are 0 the critic's value does not matter; it is $f'(1)$ there.

        Raises:
            ValueError: If the shapes differ, or a density is empty, negative or NaN.
            TypeError: If an argument is not a floating-point tensor.
        """
        _check_densities(p, q)
        return self.derivative(torch.where(p == q, 1.0, p / q))

    def variational_bound(self, t_p: Float[Tensor, "*n"], t_q: Float[Tensor, "*m"]) -> Float[Tensor, ""]:
        r"""The estimate $\E_P[T] - \E_Q[f^*(T)]$ from a critic's values at samples of P and of Q.

        The critic maximises it. With few samples the estimate can lie above the divergence; its mean cannot.

        Args:
            t_p: Values $T(x)$ in the domain at samples x of P, any shape.
            t_q: The same at samples of Q.

        Raises:
            ValueError: If a value is outside the domain, NaN or infinite, or if there are none.
            TypeError: If an argument is not a floating-point tensor.
        """
        for name, t in (("t_p", t_p), ("t_q", t_q)):
            _check_tensor(name, t)
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
            ValueError: If an output is NaN or infinite, or if there are none.
            TypeError: If an argument is not a floating-point tensor.

        Example:
            >>> print(GAN.raw_bound(torch.zeros(3), torch.zeros(5)))
            tensor(-1.3863)
        """
        _check_tensor("v_p", v_p)
        _check_tensor("v_q", v_q)
        return self.activation(v_p).mean() - self.conjugate_of_activation(v_q).mean()


def _check_densities(p: Tensor, q: Tensor) -> None:
    for name, values in (("p", p), ("q", q)):
        _check_tensor(name, values)
        if bool((values < 0).any()):
            raise ValueError(f"{name} must not be negative, got {values.min().item():g}; is it a logarithm?")
    if p.shape != q.shape:
        raise ValueError(f"p and q must have one shape, got {tuple(p.shape)} and {tuple(q.shape)}")


def _check_tensor(name: str, values: Tensor) -> None:
    if not isinstance(values, Tensor) or not values.is_floating_point():
        kind = getattr(values, "dtype", type(values).__name__)
        raise TypeError(f"{name} must be a floating-point tensor, got {kind}; convert it first")
    if values.numel() == 0:
        raise ValueError(f"{name} must not be empty, got shape {tuple(values.shape)}")
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
    generator=lambda u: torch.xlogy(u, u) - (u + 1) * torch.log(u + 1),
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
