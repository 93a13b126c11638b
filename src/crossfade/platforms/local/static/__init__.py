"""The server of a static service: a folder of a release, by HTTP. An instance like any other runs it."""
