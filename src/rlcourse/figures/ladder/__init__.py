"""Ladders: several methods on one task, beside its exact optimum."""
