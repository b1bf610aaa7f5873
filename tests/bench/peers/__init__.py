"""Other retrieval stacks, one file each, as their guides show them.

They run in an environment of their own, without this project; see tests/bench/peers.in.
"""
