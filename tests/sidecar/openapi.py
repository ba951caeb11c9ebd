"""Holds an answer against src/sidecar/openapi/openapi.yaml."""
import os
import re
import urllib.parse

import jsonschema
import yaml

from rig.cluster import BASE

PATH = os.path.join(BASE, "src/sidecar/openapi/openapi.yaml")
with open(PATH) as file:
    DOCUMENT = yaml.safe_load(file)
seen = set()  # (operation, status) of every answer that was held against the document


def resolve(node):
    while "$ref" in node:
        target = DOCUMENT
        for step in node["$ref"].lstrip("#/").split("/"):
            target = target[step]
        node = target
    return node


def find_operation(method, path):
    path = urllib.parse.urlsplit(path).path
    for template, item in DOCUMENT["paths"].items():
        if re.fullmatch(re.sub(r"\{[^/]+\}", "[^/]+", template), path):
            return item.get(method.lower())
    return None


def validate(value, schema):
    # The document is the root, so that "#/components/…" resolves.
    schema = {**schema, "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(value)


def check(method, path, reply):
    operation = find_operation(method, path)
    if operation is None:
        # Not described, so it must be refused, with a problem.
        response = DOCUMENT["components"]["responses"]["Problem"]
        assert reply.status in (400, 404, 405), f"{method} {path} is not described and answers {reply.status}"
    else:
        responses = operation["responses"]
        response = resolve(responses.get(str(reply.status), responses["default"]))
        assert str(reply.status) in responses or reply.status >= 400, f"{method} {path}: undescribed {reply.status}"
        seen.add((operation["operationId"], reply.status))
    for name, header in response.get("headers", {}).items():
        header = resolve(header)
        value = reply.headers.get(name)
        assert value is not None or not header.get("required"), f"{method} {path}: no {name}"
        if value is not None:
            validate(int(value) if header["schema"]["type"] == "integer" else value, header["schema"])
    kind = reply.headers.get("Content-Type", "").split(";")[0]
    assert kind in response["content"], f"{method} {path}: {kind} is not described for {reply.status}"
    if method != "HEAD" and reply.json is not None:
        validate(reply.json, response["content"][kind]["schema"])
        if kind == "application/problem+json":
            assert reply.json["status"] == reply.status
            assert reply.json["instance"] == "urn:uuid:" + reply.headers["X-Request-Id"]
