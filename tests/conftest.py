"""Settings and fixtures that all tests share."""

import pytest
import torch
from hypothesis import settings

settings.register_profile("mlnotes2", deadline=None)  # a busy machine must not fail a test
settings.load_profile("mlnotes2")


@pytest.fixture(scope="session", params=["cpu", "cuda"])
def device(request: pytest.FixtureRequest) -> torch.device:
    """Each kind of device; what this machine lacks is skipped, and the report says so."""
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("this machine has no CUDA device")
    return torch.device(request.param)
