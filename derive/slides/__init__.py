"""Slides: the page cut into frames, one step of the derivation on each, and what prints them."""
