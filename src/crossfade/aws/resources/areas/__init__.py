"""What each area of an environment will consist of, from the file alone: what crossfade's modules plan for it."""
