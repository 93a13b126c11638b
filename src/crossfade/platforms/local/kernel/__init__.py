"""What the kernel says: who listens, who is connected, which process has which socket, and whom it killed."""
