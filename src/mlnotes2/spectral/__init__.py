"""Spectral norms: how much a matrix stretches, certified from both sides, and layers that stretch less."""

from ._conv import conv_spectral_norm as conv_spectral_norm
from ._norm import Enclosures as Enclosures
from ._norm import spectral_norm as spectral_norm
from ._normalize import SpectralNormalization as SpectralNormalization
from ._normalize import spectral_normalize as spectral_normalize
from ._power import PowerIteration as PowerIteration
from ._power import power_iteration as power_iteration
