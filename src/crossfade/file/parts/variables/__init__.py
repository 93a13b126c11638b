"""Where values of variables come from that are not in the file: from who deploys, or from the environment."""
