"""What the proxies of a project did, in words of routes and ports."""
