"""What the first layer looks for, and what each layer makes of an observation."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from rlcourse.core.arguments import checked
from rlcourse.encoders.autoencoders import DenseCode, SparseCode
from rlcourse.inspection.network import Network

__all__ = ["Layer", "feature_maps", "first_weights"]


class Layer(NamedTuple):
    """What a layer makes of one observation.

    Attributes
    ----------
    name : str
    maps : ndarray, shape [C, H, W]
    """

    name: str
    maps: np.ndarray


@checked
def first_weights(network: Network) -> tuple[str, np.ndarray]:
    """Return what the first layer is, and its weights.

    Returns
    -------
    kind : {"filters", "weights"}
    weights : ndarray
        Filters [units, C, h, w], of a convolution or of units that see a whole image or a patch; or weights [units, inputs] of a layer
        that sees a vector.
    """
    encoder: Any = network.encoder
    for part in encoder.modules():
        if isinstance(part, nn.Conv2d):
            return "filters", part.weight.detach().cpu().numpy()
    if isinstance(encoder, SparseCode):
        return "filters", encoder.linear.weight.detach().cpu().numpy().reshape(-1, encoder.images.channels, encoder.patch, encoder.patch)
    if isinstance(encoder, DenseCode) and network.image:
        images: Any = encoder.inputs
        return "filters", encoder.linear.weight.detach().cpu().numpy().reshape(-1, images.channels, images.height, images.width)
    whole: Any = network.memory or network.module
    matrices = [p for p in [*encoder.parameters(), *whole.parameters()] if p.dim() >= 2]
    first = matrices[0].detach().cpu()
    return "weights", (first[0].t() if first.dim() == 3 else first).numpy()  # of batched networks [networks, in, out] the first


@torch.no_grad()
@checked
def feature_maps(network: Network, x: Tensor) -> list[Layer]:
    """Return what each convolution of the encoder, with its activation and pooling, makes of one observation [1, ...]; [] without any."""
    layers: list[Layer] = []

    def note(module: nn.Module, _: Any, output: Any) -> None:
        if not isinstance(output, Tensor) or output.dim() != 4 or len(list(module.children())):
            return
        maps = output[0].float().cpu().numpy()
        if isinstance(module, nn.Conv2d):
            kernel = "x".join(map(str, module.kernel_size))
            layers.append(Layer(f"convolution {len(layers) + 1}: {kernel}, {module.out_channels} filters", maps))
        elif layers:
            layers[-1] = layers[-1]._replace(maps=maps)

    hooks = [part.register_forward_hook(note) for part in network.encoder.modules()]
    try:
        network.encoder(x)
    finally:
        for hook in hooks:
            hook.remove()
    return layers
