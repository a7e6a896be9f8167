"""Policies that are learned themselves, linear in features: REINFORCE and actor-critics, softmax and Gaussian (Chapter 13)."""
