"""Settings that all tests share."""

from hypothesis import settings

settings.register_profile("mlnotes2", deadline=None)  # a busy machine must not fail a test
settings.load_profile("mlnotes2")
