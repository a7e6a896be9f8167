"""Pre-training without rewards: autoencoders and classifiers, whose encoders agents take as ``encoder_from``, and translators, which act.

>>> from rlcourse.pretraining import Autoencoder, fit, gather
"""

from rlcourse.pretraining.autoencoder import Autoencoder
from rlcourse.pretraining.classifier import Classifier
from rlcourse.pretraining.files import load
from rlcourse.pretraining.fitting import Epoch, fit
from rlcourse.pretraining.forecaster import Forecaster, fit_forecaster
from rlcourse.pretraining.frames import Frames, gather
from rlcourse.pretraining.sparse import fit_sparse, sparse_objective
from rlcourse.pretraining.translator import Scores, Translator

__all__ = [
    "Autoencoder",
    "Classifier",
    "Epoch",
    "Forecaster",
    "Frames",
    "Scores",
    "Translator",
    "fit",
    "fit_forecaster",
    "fit_sparse",
    "gather",
    "load",
    "sparse_objective",
]
