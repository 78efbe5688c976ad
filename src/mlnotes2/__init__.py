"""The mathematics around Wasserstein GANs and attention: every number comes with its proof."""

from . import attention as attention
from . import divergences as divergences
from . import gan as gan
from . import lipschitz as lipschitz
from . import spectral as spectral
from . import transport as transport
from ._enclosure import Enclosure as Enclosure

__version__ = "0.1.0"
