"""Releases on AWS: nothing runs here but the process that was asked, and what it needs to know is on AWS."""
