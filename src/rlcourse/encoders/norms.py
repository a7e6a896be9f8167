"""Normalisation layers by name: "" is none, "bn" batch normalisation, "ln" layer normalisation."""

from __future__ import annotations

from torch import nn

__all__ = ["norm_of_images", "norm_of_vectors"]


def norm_of_images(norm: str, channels: int) -> list[nn.Module]:
    """Return the layer after a convolution: batch normalisation of each channel (Ioffe & Szegedy 2015), or layer normalisation.

    Layer normalisation (Ba et al. 2016) is over all activations of an image, with a scale and a shift of each channel, so that it fits
    every size: `torch.nn.GroupNorm` with one group.
    """
    layers: dict[str, list[nn.Module]] = {"": [], "bn": [nn.BatchNorm2d(channels)], "ln": [nn.GroupNorm(1, channels)]}
    return layers[norm]


def norm_of_vectors(norm: str, width: int) -> list[nn.Module]:
    """Return the layer after a linear one."""
    layers: dict[str, list[nn.Module]] = {"": [], "bn": [nn.BatchNorm1d(width)], "ln": [nn.LayerNorm(width)]}
    return layers[norm]
