"""What a folder seems to hold, look by look: from its Procfile, its Dockerfile, the languages it is written in."""
