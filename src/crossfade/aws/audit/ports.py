"""Ports that are more than a way to the application, and networks that are everybody."""

from ipaddress import ip_network

ADMIN = frozenset({22, 23, 3389, 5985, 5986})  # SSH, Telnet, RDP, WinRM
METRICS = frozenset({9090, 9100, 9182})  # Prometheus, the exporters of Linux and Windows
# What nobody outside should reach, by what listens there when nobody said otherwise.
INNER = {
    111: "portmapper",
    139: "NetBIOS",
    389: "LDAP",
    445: "SMB",
    1433: "SQL Server",
    1434: "SQL Server's browser",
    1521: "Oracle",
    2049: "NFS",
    2181: "ZooKeeper",
    2375: "Docker",
    2376: "Docker",
    2379: "etcd",
    2380: "etcd's peers",
    3306: "MySQL",
    4333: "mSQL",
    5432: "PostgreSQL",
    5439: "Redshift",
    5500: "VNC",
    5601: "Kibana",
    5672: "AMQP",
    5900: "VNC",
    5984: "CouchDB",
    6379: "Redis",
    7000: "Cassandra's peers",
    7199: "Cassandra's JMX",
    8086: "InfluxDB",
    8200: "Vault",
    8500: "Consul",
    9042: "Cassandra",
    9092: "Kafka",
    9200: "Elasticsearch",
    9300: "Elasticsearch's peers",
    10250: "kubelet",
    10255: "kubelet",
    11211: "memcached",
    15672: "RabbitMQ's management",
    27017: "MongoDB",
    27018: "MongoDB",
    61616: "ActiveMQ",
}
DATA = frozenset(INNER)
DATAGRAMS = frozenset({111, 389, 2049, 11211})  # what of these answers UDP as well, and answers for the attacked, too
WEB = frozenset({80, 443})
EVERYBODY = frozenset({"0.0.0.0/0", "::/0"})
# A network of more than 2^24 IPv4 addresses, or 2^112 IPv6 ones, belongs to nobody: 0.0.0.0/1 is half of the world.
_LARGEST = {4: 8, 6: 16}


def is_everybody(network: str) -> bool:
    """True for the world, and for so large a part of it that two or a few of them are the world."""
    try:
        found = ip_network(network, strict=False)
    except ValueError:
        return False
    return network in EVERYBODY or found.prefixlen < _LARGEST[found.version]
