"""A stand-in for the licensed OAPI library, and the clearing house behind it.

A shared library with the exports of the real one, built from ``stand_in.c`` with this machine's
compiler, and a house of invented trades and positions that it reaches over loopback. Everything in
it is SYNTHETIC; ``stand_in_messages.h`` lays out its messages, and no exchange's are like them.
"""
