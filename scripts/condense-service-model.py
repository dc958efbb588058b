#!/usr/bin/env python3
"""Condenses AWS's public model of Glue to the shapes of the operations that Isinglass calls: names and types, nothing else.

usage: condense-service-model.py MODEL [--source TEXT] > crates/connector/testdata/glue-shapes.json

MODEL is botocore's data/glue/2017-03-31/service-2.json, plain or gzipped. The outcome is committed, so that a change of the
model is a diff to review; a test of crates/connector compares it with the model where ISINGLASS_GLUE_MODEL names one.
"""

import argparse
import gzip
import json
import pathlib
import re
import sys

OPERATIONS_SOURCE = pathlib.Path(__file__).resolve().parent.parent / "crates/connector/src/port/operation.rs"
AGGREGATES = {"structure", "list", "map"}


def operations():
    """The operations of the closed list, from the one place that has it."""
    return re.findall(r'^ +\w+ = Glue "(\w+)",$', OPERATIONS_SOURCE.read_text(), re.MULTILINE)


def read_model(path):
    data = path.read_bytes()
    return json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)


def condense(model, names):
    shapes = {}

    def reference(name):
        """A scalar by its type, anything else by its shape's name."""
        kind = model["shapes"][name]["type"]
        if kind not in AGGREGATES:
            return kind
        add(name)
        return name

    def add(name):
        if name in shapes:
            return
        shape = model["shapes"][name]
        condensed = shapes[name] = {"type": shape["type"]}
        if shape["type"] == "structure":
            condensed["members"] = {member: reference(of["shape"]) for member, of in shape["members"].items()}
        elif shape["type"] == "list":
            condensed["member"] = reference(shape["member"]["shape"])
        else:
            condensed["value"] = reference(shape["value"]["shape"])

    condensed = {}
    for name in names:
        operation = model["operations"][name]
        condensed[name] = {"input": operation["input"]["shape"], "output": operation["output"]["shape"]}
        add(operation["input"]["shape"])
        add(operation["output"]["shape"])
    return {"operations": condensed, "shapes": shapes}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--source", default="botocore 1.44.5, data/glue/2017-03-31/service-2.json.gz")
    arguments = parser.parse_args()
    condensed = {"source": arguments.source, **condense(read_model(arguments.model), operations())}
    json.dump(condensed, sys.stdout, indent=1, sort_keys=True)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
