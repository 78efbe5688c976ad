"""How different two distributions are, which divergences see distance, and how a critic estimates them."""

from ._discrete import jeffreys as jeffreys
from ._discrete import js as js
from ._discrete import kl as kl
from ._discrete import pearson_chi2 as pearson_chi2
from ._discrete import reverse_kl as reverse_kl
from ._discrete import squared_hellinger as squared_hellinger
from ._discrete import total_variation as total_variation
from ._fdivergence import GAN as GAN
from ._fdivergence import HELLINGER as HELLINGER
from ._fdivergence import JEFFREYS as JEFFREYS
from ._fdivergence import JS as JS
from ._fdivergence import KL as KL
from ._fdivergence import PEARSON as PEARSON
from ._fdivergence import REVERSE_KL as REVERSE_KL
from ._fdivergence import TV as TV
from ._fdivergence import FDivergence as FDivergence
from ._fit import fit_gaussian as fit_gaussian
from ._gaussian import gaussian_kl as gaussian_kl
from ._gaussian import gaussian_w2 as gaussian_w2
