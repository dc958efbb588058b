"""The yardstick of the benchmark: a sequential boto3 loop that writes every table of Glue as a raw JSON line."""

import json
import sys

import boto3


def main() -> None:
    endpoint, output = sys.argv[1:3]
    glue = boto3.client("glue", endpoint_url=endpoint, region_name="eu-west-1")
    with open(output, "w", encoding="utf-8") as lines:
        for page in glue.get_paginator("get_databases").paginate():
            for database in page["DatabaseList"]:
                for tables in glue.get_paginator("get_tables").paginate(DatabaseName=database["Name"]):
                    for table in tables["TableList"]:
                        lines.write(json.dumps(table, default=str))
                        lines.write("\n")


if __name__ == "__main__":
    main()
