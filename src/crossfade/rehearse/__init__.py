"""A production deploy played on this machine: the same plan in less time, under load, with a sick release as well."""
