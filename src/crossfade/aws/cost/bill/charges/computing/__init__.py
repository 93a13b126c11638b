"""What runs the services: tasks, hosts, and their disks."""
