"""A connection on standard input and output: `python lead.py HOST PORT`, as netcat does it."""

import os
import socket
import sys
import threading


def main(host: str, port: int) -> None:
    with socket.create_connection((host, port)) as there:

        def back() -> None:
            while piece := there.recv(1 << 16):
                os.write(1, piece)
            os._exit(0)

        threading.Thread(target=back, daemon=True).start()
        while piece := os.read(0, 1 << 16):
            there.sendall(piece)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
