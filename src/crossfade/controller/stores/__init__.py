"""The stores of all apps: what is on record of them, who looks after them, and their backups by the clock."""
