"""A harness that kills, fails and cuts the power of programs that write files.

``tracing``   runs a program under ``tracer.c``: records its file-changing calls, kills it before one, fails some
``disk``      follows a recording: what is durable, and what is only pending
``powercut``  makes of that all states in which a power cut may leave the files
``subject``   the program that makes one ``atio.write`` under the tracer; ``runner`` runs it, two at a time
``cases``     the writes that are tested, and what must hold after whatever happened to them

A new kind of write is one more line in ``cases.CASES``. To see what a write does, system call by system call::

    trace = tracing.trace(["python", "write.py"], directory)
    print(trace.listing())
"""
