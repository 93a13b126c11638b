"""A command of the instance that its first process carries out: `shim.py NAME ARGUMENTS...`."""

import json
import os
import socket
import sys

SOCKET = "/run/rig.sock"

if __name__ == "__main__":
    if sys.argv[1:3] == ["docker", "login"]:
        sys.stdin.read()  # who writes it must not find nobody there
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(SOCKET)
        asked = {"argv": sys.argv[1:], "env": dict(os.environ)}
        if sys.argv[1:4] == ["docker", "exec", "-i"]:
            asked["stdin"] = sys.stdin.buffer.read().decode(errors="surrogateescape")  # bytes as they are
        line.sendall(json.dumps(asked).encode() + b"\n")
        with line.makefile() as answer:
            while "code" not in (said := json.loads(answer.readline())):  # what a container in the foreground writes
                sys.stdout.write(said["out"])
                sys.stdout.flush()
    sys.stdout.buffer.write(said["out"].encode(errors="surrogateescape"))
    sys.stderr.write(said["err"])
    sys.exit(said["code"])
