"""The parts of the file, each by what it describes."""
