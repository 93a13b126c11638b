"""Everything that makes a switch hard: WebSockets, event streams, slow downloads, uploads."""
