"""Generative adversarial networks: losses, gradient penalty, a training loop, and a count of found modes."""

from ._config import GANConfig as GANConfig
from ._coverage import ModeCoverage as ModeCoverage
from ._coverage import mode_coverage as mode_coverage
from ._data import grid as grid
from ._data import grid_modes as grid_modes
from ._data import ring as ring
from ._data import ring_modes as ring_modes
from ._losses import critic_loss as critic_loss
from ._losses import generator_loss as generator_loss
from ._penalty import gradient_penalty as gradient_penalty
from ._train import TrainResult as TrainResult
from ._train import train as train
from ._update import update_critic as update_critic
from ._update import update_generator as update_generator
