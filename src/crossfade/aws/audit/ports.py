"""Ports that are more than a way to the application, and networks that are everybody."""

from ipaddress import ip_network

ADMIN = frozenset({22, 23, 3389, 5985, 5986})  # SSH, Telnet, RDP, WinRM
METRICS = frozenset({9090, 9100, 9182})  # Prometheus, the exporters of Linux and Windows
# What nobody outside should reach, by what listens there when nobody said otherwise.
INNER = {
    20: "FTP",
    21: "FTP",
    69: "TFTP",
    111: "portmapper",
    135: "RPC of Windows",
    137: "NetBIOS",
    138: "NetBIOS",
    139: "NetBIOS",
    161: "SNMP",
    389: "LDAP",
    445: "SMB",
    512: "rexec",
    513: "rlogin",
    514: "rsh",
    635: "NFS's mount daemon",
    873: "rsync",
    988: "Lustre",
    1018: "Lustre",
    1433: "SQL Server",
    1434: "SQL Server's browser",
    1521: "Oracle",
    1883: "MQTT",
    2049: "NFS",
    2181: "ZooKeeper",
    2375: "Docker",
    2376: "Docker",
    2379: "etcd",
    2380: "etcd's peers",
    2383: "SQL Server's analysis",
    2484: "Oracle over TLS",
    2888: "ZooKeeper's peers",
    3050: "Firebird",
    3260: "iSCSI",
    3306: "MySQL",
    3888: "ZooKeeper's peers",
    4045: "NFS's lock daemon",
    4222: "NATS",
    4333: "mSQL",
    4369: "Erlang's port mapper",
    4646: "Nomad",
    5022: "SQL Server's mirrors",
    5432: "PostgreSQL",
    5439: "Redshift",
    5500: "VNC",
    5601: "Kibana",
    5671: "AMQP",
    5672: "AMQP",
    5900: "VNC",
    5901: "VNC",
    5984: "CouchDB",
    6000: "X11",
    6379: "Redis",
    6432: "PgBouncer",
    6443: "Kubernetes",
    7000: "Cassandra's peers",
    7077: "Spark",
    7199: "Cassandra's JMX",
    7474: "Neo4j",
    7687: "Neo4j",
    8020: "HDFS",
    8086: "InfluxDB",
    8088: "YARN",
    8091: "Couchbase",
    8111: "DAX",
    8162: "ActiveMQ's console",
    8182: "Neptune",
    8200: "Vault",
    8500: "Consul",
    8888: "Jupyter",
    8983: "Solr",
    8998: "Livy",
    9042: "Cassandra",
    9092: "Kafka",
    9093: "Kafka",
    9094: "Kafka",
    9096: "Kafka",
    9098: "Kafka",
    9111: "DAX",
    9142: "Keyspaces",
    9160: "Cassandra",
    9194: "Kafka",
    9196: "Kafka",
    9198: "Kafka",
    9200: "Elasticsearch",
    9300: "Elasticsearch's peers",
    9870: "HDFS",
    10000: "Hive",
    10250: "kubelet",
    10255: "kubelet",
    11211: "memcached",
    15671: "RabbitMQ's management",
    15672: "RabbitMQ's management",
    16010: "HBase",
    20049: "NFS over RDMA",
    25672: "RabbitMQ's peers",
    26257: "CockroachDB",
    27017: "MongoDB",
    27018: "MongoDB",
    50000: "Db2",
    50070: "HDFS",
    61613: "ActiveMQ",
    61614: "ActiveMQ",
    61616: "ActiveMQ",
    61617: "ActiveMQ",
}
DATA = frozenset(INNER)
# Of these over UDP as well; some of it answers for the attacked, too.
DATAGRAMS = frozenset({69, 111, 137, 138, 161, 389, 635, 1434, 2049, 4045, 11211})
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
