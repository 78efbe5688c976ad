"""Lipschitz continuity: how steep a function can be, with a pair of points and a bound that prove it."""

from ._constant import lipschitz_constant as lipschitz_constant
from ._network import network_lipschitz as network_lipschitz
from ._residual import Residual as Residual
from ._slope import Slope as Slope
from ._slope import max_slope as max_slope
