"""Pre-training of encoders without rewards: autoencoders and classifiers, whose files agents take as ``encoder_from``.

>>> from rlcourse.pretraining import Autoencoder, fit, gather
"""

from rlcourse.pretraining.autoencoder import Autoencoder
from rlcourse.pretraining.classifier import Classifier
from rlcourse.pretraining.files import load
from rlcourse.pretraining.fitting import Epoch, fit
from rlcourse.pretraining.frames import Frames, gather
from rlcourse.pretraining.sparse import fit_sparse, sparse_objective

__all__ = ["Autoencoder", "Classifier", "Epoch", "Frames", "fit", "fit_sparse", "gather", "load", "sparse_objective"]
