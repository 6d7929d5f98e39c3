"""Layers, activations, losses and optimizers, written in the users' own equation language.

Adding one is adding a row; nothing else in the program knows their names.
"""
