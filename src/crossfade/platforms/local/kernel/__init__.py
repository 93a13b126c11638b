"""What the kernel says of sockets: who listens, who is connected, and which process has which."""
