"""The part of the file that says what an environment is on AWS."""
