"""Where processes listen: ports and sockets for them, and who has one already."""
