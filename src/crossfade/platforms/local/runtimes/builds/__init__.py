"""What a build of a release is run with, and what it leaves for the next one."""
