"""Where releases run: each folder is a platform, its adapters pass the contracts of the engine's ports."""
