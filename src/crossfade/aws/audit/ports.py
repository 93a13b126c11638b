"""Ports that are more than a way to the application."""

ADMIN = frozenset({22, 3389})  # SSH, RDP
METRICS = frozenset({2375, 2376, 9090, 9100, 9182})  # Docker's API, Prometheus, the exporters of Linux and Windows
DATA = frozenset({1433, 1521, 3306, 5432, 5672, 6379, 7000, 9042, 9092, 9200, 11211, 27017})
WEB = frozenset({80, 443})
EVERYBODY = frozenset({"0.0.0.0/0", "::/0"})
