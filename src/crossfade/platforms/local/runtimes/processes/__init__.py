"""Instances as plain processes of this machine."""
