#!/usr/bin/env python3
"""Condenses AWS's public model of a service to the shapes of the operations that Isinglass calls: names, types and places, nothing else.

usage: condense-service-model.py SERVICE MODEL [--source TEXT] > crates/connector/testdata/SERVICE-shapes.json

SERVICE is glue or datazone; MODEL is botocore's data/SERVICE/VERSION/service-2.json, plain or gzipped. The outcome is committed, so
that a change of the model is a diff to review; a test of crates/connector compares it with the model where ISINGLASS_GLUE_MODEL or
ISINGLASS_DATAZONE_MODEL names one.
"""

import argparse
import gzip
import json
import pathlib
import re
import sys

OPERATIONS_SOURCE = pathlib.Path(__file__).resolve().parent.parent / "crates/connector/src/port/operation.rs"
AGGREGATES = {"structure", "list", "map"}

# What the list of operations calls a service, and where botocore has its model.
SERVICES = {
    "glue": ("Glue", "botocore 1.44.5, data/glue/2017-03-31/service-2.json.gz"),
    "datazone": ("DataZone", "botocore 1.44.5, data/datazone/2018-05-10/service-2.json.gz"),
}


def operations(service):
    """The operations of a service in the closed list, from the one place that has it."""
    pattern = rf'^ +\w+ = {service} "(\w+)"(?: \w+ "[^"]+")?,$'
    return re.findall(pattern, OPERATIONS_SOURCE.read_text(), re.MULTILINE)


def read_model(path):
    data = path.read_bytes()
    return json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)


def places(shape, location):
    """The members of a shape that travel in one place, by the names that they have there."""
    return {of["locationName"]: member for member, of in shape["members"].items() if of.get("location") == location}


def rest(model, operation):
    """Where a request of the REST protocol has its members, and what of its answer is not in JSON."""
    given, answer = (model["shapes"][operation[end]["shape"]] for end in ("input", "output"))
    found = {
        "method": operation["http"]["method"],
        "path": operation["http"]["requestUri"],
        "uri": places(given, "uri"),
        "query": places(given, "querystring"),
        "headers": sorted({member for shape in (given, answer) for member in places(shape, "header").values()}),
    }
    if "payload" in answer:
        found["payload"] = answer["payload"]
    return found


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
        if operation["http"]["requestUri"] != "/":
            condensed[name]["rest"] = rest(model, operation)
        add(operation["input"]["shape"])
        add(operation["output"]["shape"])
    return {"operations": condensed, "shapes": shapes}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("service", choices=sorted(SERVICES))
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--source")
    arguments = parser.parse_args()
    name, source = SERVICES[arguments.service]
    condensed = {"source": arguments.source or source, **condense(read_model(arguments.model), operations(name))}
    json.dump(condensed, sys.stdout, indent=1, sort_keys=True)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
