"""The one Spark session of the tests: with Delta Lake, whose jars come from Maven Central, once."""

from __future__ import annotations

import functools

from delta import configure_spark_with_delta_pip
from pyspark.sql import SparkSession


@functools.cache
def session() -> SparkSession:
    """Started at the first call; it ends with Python."""
    builder = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.databricks.delta.snapshotPartitions", "2")
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        .config("spark.log.level", "OFF")
    )
    return configure_spark_with_delta_pip(builder).getOrCreate()
