"""A harness that kills, fails and cuts the power of programs that write files.

``tracing``   runs a program under ``tracer.c``: records its file-changing calls, kills it before one, fails one
``powercut``  rebuilds from a recording what a disk may hold after a power cut
"""
