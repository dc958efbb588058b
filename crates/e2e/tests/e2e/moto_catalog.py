"""Makes a Glue catalog in moto through boto3 and prints, as JSON, what boto3 reads back of it. Times are milliseconds since 1970."""

import base64
import datetime
import json
import sys

import boto3

TABLES = 130


def column(name: str, kind: str, comment: str | None = None) -> dict:
    return {"Name": name, "Type": kind} | ({"Comment": comment} if comment else {})


def storage(columns: list, location: str) -> dict:
    return {
        "Columns": columns,
        "Location": location,
        "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
    }


def orders() -> dict:
    items = "array<struct<sku:string,price:decimal(18,2),discounts:array<struct<code:string,amount:double>>>>"
    columns = [
        column("order_id", "bigint", "Unique"),
        column("items", items),
        column("attributes", "map<string,struct<since:date,source:string>>"),
        column("note", "varchar(200)"),
    ]
    return {
        "Name": "orders",
        "Description": "All orders",
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"classification": "parquet", "EXTERNAL": "TRUE"},
        "StorageDescriptor": storage(columns, "s3://shop-lake/orders/"),
        "PartitionKeys": [column("dt", "date", "Day"), column("country", "string")],
    }


def view() -> dict:
    definition = {
        "originalSql": "SELECT order_id, note FROM shop.orders WHERE country = 'SE'",
        "catalog": "awsdatacatalog",
        "schema": "shop",
        "columns": [{"name": "order_id", "type": "bigint"}, {"name": "note", "type": "varchar"}],
    }
    encoded = base64.b64encode(json.dumps(definition).encode()).decode()
    return {
        "Name": "swedish_orders",
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "StorageDescriptor": {"Columns": [column("order_id", "bigint"), column("note", "string")], "Location": ""},
        "PartitionKeys": [],
        "ViewOriginalText": f"/* Presto View: {encoded} */",
        "ViewExpandedText": "/* Presto View */",
    }


def fill(glue) -> None:
    glue.create_database(DatabaseInput={"Name": "shop", "Description": "The shop", "LocationUri": "s3://shop-lake/"})
    glue.create_database(DatabaseInput={"Name": "empty"})
    glue.create_table(DatabaseName="shop", TableInput=orders())
    glue.create_table(DatabaseName="shop", TableInput=view())
    glue.create_database(DatabaseInput={"Name": "many"})
    for number in range(TABLES):
        columns = [column("id", "int"), column(f"value_{number}", "string")]
        table = {"Name": f"t{number:03}", "StorageDescriptor": storage(columns, f"s3://shop-lake/many/t{number:03}/")}
        glue.create_table(DatabaseName="many", TableInput=table | {"TableType": "EXTERNAL_TABLE"})
    for name in ["nightly", "hourly"]:
        glue.create_job(
            Name=name,
            Role="arn:aws:iam::123456789012:role/glue",
            Command={"Name": "glueetl", "ScriptLocation": f"s3://shop-etl/{name}.py"},
            DefaultArguments={"--job-language": "python", "--db-password": "hunter2"},
            GlueVersion="4.0",
        )
    glue.create_workflow(Name="night", Description="Everything at night")
    glue.create_crawler(Name="lake", Role="glue", DatabaseName="shop", Targets={"S3Targets": [{"Path": "s3://shop-lake/"}]})


def pages(glue, operation: str, member: str, **arguments) -> list:
    return [item for page in glue.get_paginator(operation).paginate(**arguments) for item in page[member]]


def read(glue) -> dict:
    databases = pages(glue, "get_databases", "DatabaseList")
    return {
        "databases": sorted(databases, key=lambda database: database["Name"]),
        "tables": [table for one in databases for table in pages(glue, "get_tables", "TableList", DatabaseName=one["Name"])],
        "jobs": sorted(pages(glue, "get_jobs", "Jobs"), key=lambda job: job["Name"]),
        "workflows": [{"Name": name} for name in sorted(glue.list_workflows()["Workflows"])],
        "crawlers": pages(glue, "get_crawlers", "Crawlers"),
    }


def plain(value: object) -> object:
    if isinstance(value, datetime.datetime):
        return int(value.timestamp() * 1000)
    raise TypeError(f"{value!r} is no JSON")


def main() -> None:
    glue = boto3.client("glue", endpoint_url=sys.argv[1], region_name="eu-west-1")
    fill(glue)
    json.dump(read(glue), sys.stdout, default=plain)


if __name__ == "__main__":
    main()
