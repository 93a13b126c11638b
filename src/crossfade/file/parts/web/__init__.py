"""What visitors meet: where they come in, headers of answers, folders served as they are, where they come back to."""
