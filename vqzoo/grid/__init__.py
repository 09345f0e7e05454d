"""Grids: all variants of a model, trained and scored alike on images of one's choice."""

from vqzoo.grid.run import Grid

__all__ = ["Grid"]
