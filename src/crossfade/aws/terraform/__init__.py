"""Terraform that the team owns and reads, made from the file."""
