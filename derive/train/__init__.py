"""Training a spec's parameters on data, with the NumPy module that is written for the spec."""
