"""Tables: directories that keep every version of what was written to them, in the Delta Lake format.

requests   what the library is asked, and which version is meant
results    what calls return
frames     objects of the libraries -> Arrow streams that Go stores
arrays     NumPy's arrays <-> tables
write      write_snapshot
source     a version's files and types, as Go tells them -> a dataset of pyarrow's
read       read_table
pandas     a dataset -> pandas, as it was written
polars     a dataset -> polars, eager or lazy
history    list_snapshots, rollback, tags, expiry
stream     rows that come bit by bit, committed exactly once
transaction   parts of many processes become one version
chunks     a table written chunk by chunk
diff, optimize, verify, watch   what their names say
notebook   what a Table shows of itself
table      Table: the same as methods
"""
