"""Looking into a trained network: its filters, feature maps and codes, what its outputs depend on, and what its memory holds.

Everything here returns numbers; `rlcourse.plotting.inspection` draws them, and `rlcourse inspect RUN` does both.
"""

from rlcourse.inspection.codes import Codes, codes
from rlcourse.inspection.filters import feature_maps, first_weights
from rlcourse.inspection.hidden import Probe, gates, probe
from rlcourse.inspection.network import Network, network_of
from rlcourse.inspection.play import Play, play
from rlcourse.inspection.saliency import Saliency, mass_within, rank_correlation, saliency

__all__ = [
    "Codes", "Network", "Play", "Probe", "Saliency", "codes", "feature_maps", "first_weights", "gates", "mass_within", "network_of", "play",
    "probe", "rank_correlation", "saliency",
]  # fmt: skip
