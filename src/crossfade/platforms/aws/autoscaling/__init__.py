"""Releases on Auto Scaling groups: two of them by colour, whose hosts boot from what a release wrote."""
