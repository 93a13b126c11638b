"""Platforms, where releases run: each folder is one, whose adapters pass the contracts of the engine's ports."""
