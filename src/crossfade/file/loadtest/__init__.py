"""The load test file: journeys in a few lines of YAML."""
