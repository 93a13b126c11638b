"""Hosts that are reached by SSH: commands, their controllers' sockets, files, and the record on the first one."""
