"""What the kernel says: of processes, of sockets and who holds which, and whom it killed for want of memory."""
