"""The store as a DuckLake: its catalogue in PostgreSQL, its rows in Parquet files on a shared folder or S3."""
