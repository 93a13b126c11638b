"""What databases cost beside their classes and disks: bursts, tables by capacity, units of serverless ones."""
