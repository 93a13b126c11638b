"""Checks of a Terraform plan, any one: each takes all of its resources, and points at addresses.

A plan leaves out what is null and what is not known before it is applied. So a switch that is missing has the
provider's default, and a reference that is missing is looked for in `refers`.
"""
