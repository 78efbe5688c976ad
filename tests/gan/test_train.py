"""Training: reproducible, resumable to the bit, and better than where it started."""

import dataclasses
from functools import partial

import pytest
import torch
from torch import nn

from mlnotes2.gan import GANConfig, mode_coverage, ring, ring_modes, train

SMALL = GANConfig(steps=6, record_every=2, n_critic=2, batch_size=16, width=8, n_samples=10)


def _assert_same(a, b):
    assert a.steps == b.steps
    assert torch.equal(a.samples, b.samples)
    assert a.critic_losses[1:] == b.critic_losses[1:]  # the first is NaN
    assert a.generator_losses[1:] == b.generator_losses[1:]
    for ours, theirs in ((a.critic, b.critic), (a.generator, b.generator)):
        assert all(torch.equal(p, q) for p, q in zip(ours.parameters(), theirs.parameters(), strict=True))


@pytest.mark.parametrize("method", ["gan", "nsgan", "wgan", "wgan-gp"])
def test_train_is_decided_by_its_seed_and_leaves_the_global_one_alone(method):
    config = dataclasses.replace(SMALL, method=method)
    state = torch.get_rng_state()
    first, second = train(config), train(config)
    assert torch.equal(state, torch.get_rng_state())
    _assert_same(first, second)
    other = train(dataclasses.replace(config, seed=1))
    assert not torch.equal(first.samples, other.samples)


def test_train_records_the_start_the_interval_and_the_end():
    result = train(dataclasses.replace(SMALL, steps=5))
    assert result.steps == [0, 2, 4, 5]
    assert result.samples.shape == (4, 10, 2)
    assert len(result.critic_losses) == len(result.generator_losses) == 4
    assert result.device == torch.device("cpu")


class _InterruptionError(Exception):
    pass


@pytest.mark.parametrize("method", ["nsgan", "wgan-gp"])
def test_train_resumes_to_the_same_bits(method, tmp_path):
    calls = 0

    def interrupted(n, *, generator):
        nonlocal calls
        calls += 1
        if calls > 10:  # in the middle of step 5, after the checkpoint of step 4
            raise _InterruptionError
        return ring(n, generator=generator)

    config = dataclasses.replace(SMALL, method=method)
    path = tmp_path / "run.pt"
    with pytest.raises(_InterruptionError):
        train(dataclasses.replace(config, data=interrupted), checkpoint=path)
    _assert_same(train(config, checkpoint=path), train(config))
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]


def test_train_goes_on_from_a_finished_checkpoint_without_training(tmp_path):
    first = train(SMALL, checkpoint=tmp_path / "run.pt")
    _assert_same(train(SMALL, checkpoint=tmp_path / "run.pt"), first)


def test_train_keeps_the_old_checkpoint_when_saving_fails(tmp_path, monkeypatch):
    path = tmp_path / "run.pt"
    whole = []

    def fill_the_disk(state, file, *, save=torch.save):
        if path.exists():
            whole.append(path.read_bytes())
            file.write_bytes(b"half")
            raise OSError("no space left")
        save(state, file)

    monkeypatch.setattr(torch, "save", fill_the_disk)
    with pytest.raises(OSError, match="no space left"):
        train(SMALL, checkpoint=path)
    assert [path.read_bytes()] == whole


def test_train_rejects_a_checkpoint_with_other_settings(tmp_path):
    train(SMALL, checkpoint=tmp_path / "run.pt")
    with pytest.raises(ValueError, match="made with other settings"):
        train(dataclasses.replace(SMALL, seed=5), checkpoint=tmp_path / "run.pt")


def test_train_with_clipping_keeps_every_parameter_within_the_bound():
    critic = train(dataclasses.replace(SMALL, method="wgan", clip=0.05)).critic
    assert max(p.abs().max() for p in critic.parameters()) <= 0.05


def test_train_says_when_it_diverged():
    config = dataclasses.replace(SMALL, method="wgan-gp", critic_lr=1e30, steps=50)
    with pytest.raises(ValueError, match="try a lower learning rate"):
        train(config)


def test_train_shows_progress_only_when_asked(capfd):
    train(SMALL)
    assert capfd.readouterr().err == ""
    train(SMALL, progress=True)
    assert "6/6" in capfd.readouterr().err


def test_train_wgan_gp_finds_modes_that_are_far_apart():
    data = partial(ring, modes=4, sigma=0.1)
    config = GANConfig(
        data=data, steps=300, n_critic=3, batch_size=64, width=32, penalty=1.0, record_every=300
    )
    result = train(config)
    modes = ring_modes(modes=4)
    before, after = (mode_coverage(x, modes, sigma=0.1) for x in result.samples)
    assert before.captured < after.captured == 4
    assert isinstance(result.generator, nn.Sequential)
