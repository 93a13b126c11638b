"""The images of releases on AWS: made and pushed where the file says so, found, and pinned by digest."""
